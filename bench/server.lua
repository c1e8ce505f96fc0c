--- The four providers as fast as nginx can be: fixed answers of their own size and form, over HTTP, TLS and HTTP/2;
-- each also 50 ms late, and one that closes every connection. The method and the credential are checked.
-- @module bench.server
local certificates = require("spec.emulator.certificates")
local nginx = require("spec.emulator.nginx")
local system = require("spec.emulator.system")
local socket = require("socket")

local server = {}

--- What the subjects send; the same words stand in each of their sources.
server.credentials = {
  memories = { api_key = "sk-mavi-bench-0123456789abcdef" },
  emogg = { token = "emogg-bench-0123456789abcdef" },
  fastpix = { username = "fastpix-bench", password = "fastpix-bench-0123456789abcdef" },
}

-- Method, path, credential, answer. The answers are the examples of the providers' documentation.
local operations = {
  { "POST", "/serve/api/v2/stream/stop", "sk-mavi-bench-0123456789abcdef",
    '{"code": 200,"message": "success","data": {"task_id": "550e8400-e29b-41d4-a716-446655440000",'
    .. '"message": "Stream stopped successfully"}}' },
  { "DELETE", "/serve/api/v2/screenplay/tasks/(?<id>[^/]+)", "sk-mavi-bench-0123456789abcdef",
    '{"code": "0000","msg": "success","data": {"task_id": "$id",'
    .. '"status": "cancelled"},"failed": false,"success": true}' },
  { "POST", "/v1/sessions/(?<id>[^/]+)/stop", "Bearer emogg-bench-0123456789abcdef",
    '{"_id": "$id","name": "Mobile Word Congress Pitch","type": "live_analysis","state": "active",'
    .. '"timestamp": "2024-04-01T10:30:00.000Z","duration": 120,"config": {"removeMedia": true},"sources": ['
    .. '{"id": "c1fcba18-15ec-457c-a1de-fcbb87aeaa0e","name": "Integrated Webcam","type": "video",'
    .. '"device": "local_camera"},'
    .. '{"id": "d2fcba18-15ec-457c-a1de-fcbb87aeaa0f","name": "Integrated Microphone","type": "audio","device": '
    .. '"local_microphone"}],"meta": {"expires": "2024-05-01T11:30:00.000Z","healthCheck": "2024-05-01T10:39:30.000Z",'
    .. '"workerState": "working"},"product": "65946a77408bd7b32c5189a3","user": "65d7a8fb532f66218ecd4cab",'
    .. '"version": 3}' },
  { "PUT", "/v1/live/streams/(?<id>[^/]+)/finish",
    "Basic ZmFzdHBpeC1iZW5jaDpmYXN0cGl4LWJlbmNoLTAxMjM0NTY3ODlhYmNkZWY=", '{"success": true}' },
}

local servers = {
  { name = "http" },
  { name = "tls", listen = " ssl" },
  { name = "h2", listen = " ssl http2" },
  { name = "closing", listen = " ssl", more = "keepalive_timeout 0;" },
  { name = "slow_http", delay = 0.05 },
  { name = "slow_tls", listen = " ssl", delay = 0.05 },
  { name = "slow_h2", listen = " ssl http2", delay = 0.05 },
  { name = "hanging", delay = 600 },
}

local function location(operation, delay)
  local method, path, authorization, answer = operation[1], operation[2], operation[3], operation[4]
  local reply = ("return 200 '%s';"):format(answer)
  -- Only what is late needs Lua, and what has a body: nginx would answer before it has read it, which over HTTP/2
  -- resets the stream.
  if delay or path == "/serve/api/v2/stream/stop" then
    reply = ("content_by_lua_block { ngx.req.read_body() ngx.sleep(%g) "
      .. "local answer = ([[%s]]):gsub('$id', ngx.var.id or '') "
      .. "ngx.header.content_length = #answer ngx.print(answer) }"):format(delay or 0, answer)
    reply = delay and reply or reply:gsub("ngx.sleep%(0%) ", "")
  end
  return ([[
    location ~ ^%s$ {
      if ($request_method != %s) { return 405; }
      if ($http_authorization != "%s") { return 401; }
      add_header X-Request-Id $request_id;
      %s
    }
]]):format(path, method, authorization, reply)
end

local function block(row, port)
  local locations = {}
  for i, operation in ipairs(operations) do
    locations[i] = location(operation, row.delay)
  end
  return ("  server {\n    listen 127.0.0.1:%d%s backlog=8192;\n    %s\n%s  }\n"):format(port, row.listen or "",
    row.more or "", table.concat(locations))
end

local configuration = [[
daemon off;
%s
%s
worker_processes 1;
pid nginx.pid;
error_log error.log warn;
events { worker_connections 8192; }
http {
  client_body_temp_path client_body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  types { }
  default_type application/json;
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_cache shared:tls:10m;
  ssl_certificate server.pem;
  ssl_certificate_key server.key;
%s
}
]]

local function answers(port)
  local connection = socket.tcp()
  connection:settimeout(1)
  local good = connection:connect("127.0.0.1", port)
  connection:close()
  return good ~= nil
end

--- Starts it on a processor (negative: any). Returns a table: each server's origin by its name, `ca_file`, `directory`,
-- `stop()`.
function server.start(processor)
  local installation = nginx.find()
  local directory = system.private_directory()
  certificates.make(directory)
  local ports, blocks, modules, self = system.free_ports(#servers), {}, {}, { directory = directory }
  for i, row in ipairs(servers) do
    blocks[i] = block(row, ports[i])
    self[row.name] = (row.listen and "https://localhost:" or "http://127.0.0.1:") .. ports[i]
  end
  for i, path in ipairs(installation.modules) do
    modules[i] = ('load_module "%s";'):format(path)
  end
  local user = system.capture('test "$(id -u)" -ne 0 || echo "user $(id -un) $(id -gn);"')
  system.write_file(directory .. "/nginx.conf", configuration:format(user, table.concat(modules, "\n"),
    table.concat(blocks)))
  local pinned = processor >= 0 and "taskset -c " .. processor .. " " or ""
  local script = "ulimit -n $(ulimit -Hn); cd %s; %s%s -p %s/ -c nginx.conf >start.log 2>&1 </dev/null & echo $!"
  local pid = tonumber(system.capture(script:format(system.quote(directory), pinned,
    system.quote(installation.binary), system.quote(directory))))
  self.ca_file = directory .. "/ca.pem"
  function self.stop()
    system.signal(pid, "TERM")
    system.wait_until(function() return not answers(ports[1]) end, 5)
    system.remove_directory(directory)
  end
  if not system.wait_until(function() return answers(ports[1]) end, 10) then
    local words = nginx.complaints(directory)
    self.stop()
    error("bench: nginx does not start:\n" .. words, 0)
  end
  return self
end

return server
