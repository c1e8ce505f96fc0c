--- A real nginx with the module under test in it: its configuration is the spec's, its ports are free ones of loopback.
local socket = require("socket")
local installation = require("spec.emulator.nginx")
local process = require("spec.emulator.process")
local support = require("spec.support")
local system = require("spec.emulator.system")

local nginx = {}

local Nginx = {}
Nginx.__index = Nginx

local template = [[
{{user}}
{{modules}}
daemon off;
worker_processes {{workers}};
pid nginx.pid;
error_log error.log info;
{{main}}
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path client_body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  default_type text/plain;
  lua_package_path "{{root}}/lua/?.lua;{{root}}/lua/?/init.lua;{{directory}}/?.lua;;";
  lua_package_cpath "{{root}}/build/jit/?.so;;";
  init_by_lua_block {
    -- What the Lua in the request's body returns, as text.
    function RUN()
      local results = { assert(loadstring(ngx.req.get_body_data()))() }
      for i = 1, table.maxn(results) do results[i] = tostring(results[i]) end
      return table.concat(results, " ")
    end
    {{init}}
  }
  {{http}}
  server {
    listen 127.0.0.1:{{port}} reuseport;
    client_body_buffer_size 1m;
    location = /plain { return 200 "plain"; }
    # Runs the Lua that it is sent, in whichever phase of a request.
    location /run {
      set $ran "";
      lua_need_request_body on;
      rewrite_by_lua_block { if ngx.var.arg_phase == "rewrite" then ngx.ctx.ran = RUN() end }
      access_by_lua_block { if ngx.var.arg_phase == "access" then ngx.ctx.ran = RUN() end }
      content_by_lua_block { ngx.print(ngx.ctx.ran or RUN()) }
    }
    {{server}}
  }
}
]]

local function fill(text, values)
  return (text:gsub("{{([%w_]+)}}", function(name)
    return assert(values[name], name)
  end))
end

--- Lua for a configuration: a table of the options with which a call goes to the emulator.
function nginx.options(provider)
  local emulator = support.emulator()
  local fields = {}
  for name, value in pairs(emulator.credentials[provider == "screenplay" and "memories" or provider]) do
    fields[#fields + 1] = ("%s = %q"):format(name, value)
  end
  return ("base_url = %q, credentials = { %s }"):format(emulator:base_url()[provider], table.concat(fields, ", "))
end

--- The path of nginx's RTMP module, or nil and why there is none.
function nginx.rtmp_module()
  local path = ((installation.find().modules[1] or ""):match("^.*/") or "") .. "ngx_rtmp_module.so"
  if system.read_file(path) then
    return path
  end
  return nil, "nginx has no RTMP module (on Debian: apt-get install libnginx-mod-rtmp)"
end

--- Starts nginx. `config`: `server`, `http`, `main` (lines of those blocks; `{{directory}}` is its folder, `{{port}}`
--- its port), `init` (Lua of init_by_lua), `workers` (1), `files` (by name: Lua modules, say), `conf` (in place of all
--- of it), `modules` (paths of more modules), `environment` (words before the program's).
function nginx.start(config)
  local found = installation.find()
  local modules = {}
  for i, path in ipairs(found.modules) do
    modules[i] = ('load_module "%s";'):format(path)
  end
  for i, path in ipairs(config.modules or {}) do
    modules[#found.modules + i] = ('load_module "%s";'):format(path)
  end
  local self = setmetatable({ dir = system.private_directory(), port = system.free_ports(1)[1] }, Nginx)
  local values = {
    user = system.capture('test "$(id -u)" -ne 0 || echo "user $(id -un) $(id -gn);"'),
    modules = table.concat(modules, "\n"),
    workers = tostring(config.workers or 1),
    root = system.capture("pwd"),
    directory = self.dir,
    port = tostring(self.port),
  }
  for _, name in ipairs({ "main", "http", "server", "init" }) do
    values[name] = fill(config[name] or "", values)
  end
  system.write_file(self.dir .. "/nginx.conf", fill(config.conf or template, values))
  for name, text in pairs(config.files or {}) do
    system.write_file(self.dir .. "/" .. name, fill(text, values))
  end
  local script = [[
unset NGINX LD_PRELOAD
umask 077
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
%s setsid %s -p %s -c nginx.conf >start.log 2>&1 </dev/null &
pid=$!
echo $pid
# It ends with the specs, however they end.
(while kill -0 %d && kill -0 $pid; do sleep 1; done; kill -KILL -$pid) >/dev/null 2>&1 &]]
  self.pid = tonumber(system.capture("cd " .. system.quote(self.dir) .. " || exit 1\n"
    .. script:format(config.environment or "", system.quote(found.binary), system.quote(self.dir .. "/"),
      system.own_pid())))
  self.started = process.start_time(self.pid)
  require("busted").subscribe({ "exit" }, function()
    self:stop()
  end)
  local up = system.wait_until(function()
    local connection = socket.connect("127.0.0.1", self.port)
    if connection then
      connection:close()
    end
    return connection ~= nil or not self:running()
  end, 20)
  assert(up and self:running(), (system.read_file(self.dir .. "/start.log") or "") .. self:log())
  return self
end

--- Whether its master runs.
function Nginx:running()
  return self.started ~= nil and process.start_time(self.pid) == self.started
end

--- What stands in its error log.
function Nginx:log()
  return system.read_file(self.dir .. "/error.log") or ""
end

--- The process ids of its workers.
function Nginx:workers()
  local pids = {}
  for pid in system.capture("cat /proc/" .. self.pid .. "/task/*/children"):gmatch("%d+") do
    pids[#pids + 1] = tonumber(pid)
  end
  return pids
end

--- Signals the master: "HUP", "QUIT", "TERM".
function Nginx:signal(name)
  system.signal(self.pid, name)
end

--- Reloads, and waits until the workers from before are gone; false if that takes longer.
function Nginx:reload(seconds)
  local before = {}
  for _, pid in ipairs(self:workers()) do
    before[pid] = process.start_time(pid)
  end
  self:signal("HUP")
  return system.wait_until(function()
    for pid, started in pairs(before) do
      if process.start_time(pid) == started then
        return false
      end
    end
    return #self:workers() > 0
  end, seconds or 20)
end

--- Ends it and waits for its end; false if it had to be killed.
function Nginx:quit(name, seconds)
  self:signal(name or "QUIT")
  local ended = system.wait_until(function()
    return not self:running()
  end, seconds or 20)
  if not ended then
    os.execute(("kill -KILL -%d 2>/dev/null"):format(self.pid))
  end
  return ended
end

--- Ends it at once and removes its folder.
function Nginx:stop()
  if not self.gone then
    self.gone = true
    if self:running() then
      self:quit("TERM", 10)
    end
    system.remove_directory(self.dir)
  end
end

--- Sends a request: a GET, or a POST of the body; returns the connection, of which `nginx.receive` takes the answer.
function Nginx:send(path, body)
  local connection = assert(socket.connect("127.0.0.1", self.port))
  connection:settimeout(30)
  assert(connection:send(("%s %s HTTP/1.0\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"):format(
    body and "POST" or "GET", path, #(body or ""), body or "")))
  return connection
end

--- The answer's body and status.
function nginx.receive(connection)
  local answer = assert(connection:receive("*a"))
  connection:close()
  local status, body = answer:match("^HTTP/%d%.%d (%d+).-\r\n\r\n(.*)$")
  return body, tonumber(status)
end

function Nginx:get(path, body)
  return nginx.receive(self:send(path, body))
end

--- What the Lua returns, run within a request in this phase ("content", "rewrite", "access").
function Nginx:run(source, phase)
  return (self:get("/run?phase=" .. (phase or "content"), source))
end

return nginx
