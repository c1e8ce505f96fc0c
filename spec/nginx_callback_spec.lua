--- examples/nginx-callback on a real nginx, with real requests.
local installation = require("spec.emulator.nginx")
local mime = require("mime")
local process = require("spec.emulator.process")
local rooms = require("rooms")
local socket = require("socket")
local support = require("spec.support")
local system = require("spec.emulator.system")

local KEY, OLD_KEY = "the key of the webhook", "the key that was before"
local root = system.capture("pwd")

local configuration = [[
%s
%s
daemon off;
worker_processes 1;
pid nginx.pid;
error_log error.log notice;
env FASTPIX_WEBHOOK_SECRET;
env FASTPIX_WEBHOOK_SECRET_BEFORE;
events { }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  lua_package_path "%s/examples/nginx-callback/?.lua;;";
  lua_package_cpath "%s/build/jit/?.so;;";
  lua_shared_dict fastpix_events 1m;
  init_by_lua_block { require "callbacks" }
  server {
    listen 127.0.0.1:%d;
    include %s/examples/nginx-callback/callbacks.conf;
  }
}
]]

local running = {}

-- Starts nginx with these secrets in its environment: { port, directory }.
local function start(environment)
  local built = system.capture("make -s LUA_VERSION=jit BUILD=build/jit DEPS=skip CFLAGS='-O2 -g' 2>&1; echo $?")
  assert.are.equal("0", built:match("%d+$"), built)
  local found, modules = installation.find(), {}
  for i, path in ipairs(found.modules) do
    modules[i] = ('load_module "%s";'):format(path)
  end
  local server = { directory = system.private_directory(), port = system.free_ports(1)[1] }
  local user = system.capture('test "$(id -u)" -ne 0 || echo "user $(id -un) $(id -gn);"')
  system.write_file(server.directory .. "/nginx.conf",
    configuration:format(table.concat(modules, "\n"), user, root, root, server.port, root))
  local words = {}
  for name, value in pairs(environment) do
    words[#words + 1] = system.quote(name .. "=" .. value)
  end
  server.pid = tonumber(system.capture(("cd %s; unset NGINX LD_PRELOAD; env %s setsid %s -p %s -c nginx.conf "
    .. ">start.log 2>&1 </dev/null & echo $!"):format(server.directory, table.concat(words, " "),
    system.quote(found.binary), server.directory .. "/")))
  server.started = process.start_time(server.pid)
  running[#running + 1] = server
  assert(system.wait_until(function()
    local connection = socket.connect("127.0.0.1", server.port)
    return connection and connection:close()
  end, 10), system.read_file(server.directory .. "/start.log"))
  return server
end

local function stop(server)
  local function has_ended()
    return process.start_time(server.pid) ~= server.started
  end
  system.signal(server.pid, "TERM")
  assert(system.wait_until(has_ended, 10))
  system.remove_directory(server.directory)
end

-- Posts the body; returns the status and the answer's body. `headers`: lines.
local function post(server, path, body, headers)
  local connection = assert(socket.connect("127.0.0.1", server.port))
  connection:settimeout(10)
  local lines = { "POST " .. path .. " HTTP/1.1", "Host: x", "Connection: close" }
  for _, line in ipairs(headers or {}) do
    lines[#lines + 1] = line
  end
  if not table.concat(lines):find("chunked", 1, true) then
    lines[#lines + 1] = "Content-Length: " .. #body
  end
  connection:send(table.concat(lines, "\r\n") .. "\r\n\r\n" .. body)
  local answer = assert(connection:receive("*a"))
  connection:close()
  return tonumber(answer:match("^HTTP/1%.1 (%d+)")), answer:match("\r\n\r\n(.*)$")
end

local function log(server)
  return system.read_file(server.directory .. "/error.log")
end

-- How often the log tells of this end.
local function ends(server, words)
  return select(2, log(server):gsub(words:gsub("%-", "%%-") .. " has ended", ""))
end

local function signed(body, key)
  return { "FastPix-Signature: " .. mime.b64(rooms.hmac(key or KEY, body)) }
end

local MEMORIES, FASTPIX = "/callbacks/memories/change-this-word", "/callbacks/fastpix"

describe("examples/nginx-callback", function()
  local server

  setup(function()
    server = start({ FASTPIX_WEBHOOK_SECRET = mime.b64(KEY), FASTPIX_WEBHOOK_SECRET_BEFORE = mime.b64(OLD_KEY) })
  end)

  teardown(function()
    for _, one in ipairs(running) do
      stop(one)
    end
  end)

  it("takes the callback of a stream that ended", function()
    local id = support.id()
    local status, answer = post(server, MEMORIES, ('{"code":200,"message":"SUCCESS","task_id":"%s","data":{"status":14,'
      .. '"message":"Stopped","data":null,"token":null}}'):format(id), { "Content-Type: application/json" })
    assert.are.equal(200, status)
    assert.are.equal("", answer)
    assert.are.equal(1, ends(server, "memories " .. id))
  end)

  it("takes the callback of a segment, which ends nothing", function()
    local id = support.id()
    assert.are.equal(200, (post(server, MEMORIES, ('{"task_id":"%s","data":{"status":0}}'):format(id))))
    assert.are.equal(0, ends(server, "memories " .. id))
  end)

  it("answers 400 to what is no callback", function()
    for _, body in ipairs({ "", "x", "[]", "{}", '{"task_id":"a\\nb","data":{"status":14}}' }) do
      assert.are.equal(400, (post(server, MEMORIES, body)))
    end
    assert.are.equal(0, ends(server, "memories a"))
  end)

  it("has its callback at no other path", function()
    for _, path in ipairs({ "/callbacks/memories", "/callbacks/memories/", "/callbacks/memories/other" }) do
      assert.are.equal(404, (post(server, path, '{"task_id":"t","data":{"status":14}}')))
    end
  end)

  it("takes a signed event, by the new secret and by the one before", function()
    for _, key in ipairs({ KEY, OLD_KEY }) do
      local id = support.id()
      local body = ('{"type":"video.live_stream.idle","id":"event-%s","data":{"streamId":"%s"}}'):format(id, id)
      assert.are.equal(200, (post(server, FASTPIX, body, signed(body, key))))
      assert.are.equal(1, ends(server, "fastpix " .. id))
    end
  end)

  it("acts on an event once, however often it comes", function()
    local id = support.id()
    local body = ('{"type":"video.live_stream.disabled","id":"event-%s","data":{"streamId":"%s"}}'):format(id, id)
    for _ = 1, 3 do
      assert.are.equal(200, (post(server, FASTPIX, body, signed(body))))
    end
    assert.are.equal(1, ends(server, "fastpix " .. id))
  end)

  it("takes an event that ends nothing, and one it does not know", function()
    for _, kind in ipairs({ "video.live_stream.active", "video.media.created", "something.else" }) do
      local id = support.id()
      local body = ('{"type":"%s","id":"%s","data":{"streamId":"%s"}}'):format(kind, id, id)
      assert.are.equal(200, (post(server, FASTPIX, body, signed(body))))
      assert.are.equal(0, ends(server, "fastpix " .. id))
    end
  end)

  it("answers 401 to an event that is not signed, or not so", function()
    local id = support.id()
    local body = ('{"type":"video.live_stream.idle","id":"event-%s","data":{"streamId":"%s"}}'):format(id, id)
    for _, headers in ipairs({
      {}, { "FastPix-Signature:" }, { "FastPix-Signature: x" }, signed(body .. " "), signed(body, "another key"),
      { "Signature: " .. mime.b64(rooms.hmac(KEY, body)) },
    }) do
      assert.are.equal(401, (post(server, FASTPIX, body, headers)))
    end
    assert.are.equal(0, ends(server, "fastpix " .. id))
  end)

  it("answers 200 to the probe of FastPix's dashboard", function()
    for _, body in ipairs({ "", "{}" }) do
      assert.are.equal(200, (post(server, FASTPIX, body)))
    end
  end)

  it("answers 400 to a signed body that is no JSON", function()
    assert.are.equal(400, (post(server, FASTPIX, "x", signed("x"))))
  end)

  it("takes large bodies, chunked ones, and no larger ones", function()
    local body = '{"id":"large","x":"' .. ("x"):rep(1000 * 1000) .. '"}'
    assert.are.equal(200, (post(server, FASTPIX, body, signed(body))))
    local headers = signed('{"id":"chunked"}')
    headers[2] = "Transfer-Encoding: chunked"
    assert.are.equal(200, (post(server, FASTPIX, '8\r\n{"id":"c\r\n8\r\nhunked"}\r\n0\r\n\r\n', headers)))
    assert.are.equal(413, (post(server, MEMORIES, ("x"):rep(1024 * 1024 + 1))))
  end)

  it("answers 500 while the secret is missing, or is none, and logs no secret", function()
    for _, environment in ipairs({ {}, { FASTPIX_WEBHOOK_SECRET = "no base64 at all!" } }) do
      local other = start(environment)
      assert.are.equal(500, (post(other, FASTPIX, "{}")))
      assert.is_truthy(log(other):find("FASTPIX_WEBHOOK_SECRET is not set", 1, true)
        or log(other):find("secret 1 is no base64", 1, true))
      assert.is_nil(log(other):find("at all", 1, true))
    end
  end)

  it("leaves no error of Lua's in the log", function()
    assert.is_nil(log(server):find("traceback", 1, true))
    assert.is_nil(log(server):find("attempt to", 1, true))
  end)
end)
