--- examples/nginx-callback on a real nginx, with real requests.
local mime = require("mime")
local nginx = require("spec.support.nginx")
local rooms = require("rooms")
local socket = require("socket")
local support = require("spec.support")
local system = require("spec.emulator.system")

local KEY, OLD_KEY = "the key of the webhook", "the key that was before"

-- As an installation has it: the module where nginx looks for modules, and the example's folder.
local configuration = [[
{{user}}
{{modules}}
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
  lua_package_path "{{root}}/examples/nginx-callback/?.lua;;";
  lua_package_cpath "{{root}}/build/jit/?.so;;";
  lua_shared_dict fastpix_events 1m;
  init_by_lua_block { require "callbacks" {{init}} }
  server {
    listen 127.0.0.1:{{port}};
    include {{root}}/examples/nginx-callback/callbacks.conf;
  }
}
]]

-- Starts nginx with these variables in its environment; `init`: more Lua of init_by_lua.
local function start(environment, init)
  local words = { "env" }
  for name, value in pairs(environment) do
    words[#words + 1] = system.quote(name .. "=" .. value)
  end
  return nginx.start({ conf = configuration, init = init, environment = table.concat(words, " ") })
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

-- How often the log tells of this end.
local function ends(server, words)
  return select(2, server:log():gsub(words:gsub("%-", "%%-") .. " has ended", ""))
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
    server:stop()
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

  it("answers 500 where on_end raises, and takes the event when it comes again", function()
    local other = start({ FASTPIX_WEBHOOK_SECRET = mime.b64(KEY) }, [[
      local callbacks = require "callbacks"
      local on_end, failed = callbacks.on_end, false
      function callbacks.on_end(...)
        if not failed then
          failed = true
          error("the data base is away")
        end
        on_end(...)
      end
    ]])
    local id = support.id()
    local body = ('{"type":"video.live_stream.idle","id":"event-%s","data":{"streamId":"%s"}}'):format(id, id)
    assert.are.equal(500, (post(other, FASTPIX, body, signed(body))))
    assert.are.equal(200, (post(other, FASTPIX, body, signed(body))))
    assert.are.equal(200, (post(other, FASTPIX, body, signed(body))))
    assert.are.equal(1, ends(other, "fastpix " .. id))
    assert.is_truthy(other:log():find("the data base is away", 1, true))
    other:stop()
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
      assert.is_truthy(other:log():find("FASTPIX_WEBHOOK_SECRET is not set", 1, true)
        or other:log():find("secret 1 is no base64", 1, true))
      assert.is_nil(other:log():find("at all", 1, true))
      other:stop()
    end
  end)

  it("leaves no error of Lua's in the log", function()
    assert.is_nil(server:log():find("traceback", 1, true))
    assert.is_nil(server:log():find("attempt to", 1, true))
  end)
end)
