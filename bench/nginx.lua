--- What a stop costs inside an nginx worker, beside the worker idle and, where lua-resty-http is found, beside it.
--   make LUA_VERSION=jit && lua5.4 bench/nginx.lua [ROUNDS [SECONDS [IN_FLIGHT [DELAY]]]]
-- RESTY_HTTP names a folder with lua-resty-http's `resty/http.lua`. Needs wrk. One worker; the provider, another nginx,
-- answers after DELAY seconds (0.05): where 500 in flight at 50 ms are more than the machine can do, latency tells
-- nothing. Added latency: the call's time in the handler less what the provider slept. CPU: of the worker with its
-- threads, for each front request; "none" is the front request by itself, which sleeps as long. /plain: asked for by a
-- second wrk, over 4 connections, while the same load runs once more.
local root = (arg[0]:match("^(.*)/[^/]*$") or ".") .. "/.."
package.path = ("%s/?.lua;%s/?/init.lua;"):format(root, root) .. package.path

local installation = require("spec.emulator.nginx")
local socket = require("socket")
local system = require("spec.emulator.system")

local rounds, seconds = tonumber(arg[1] or 5), tonumber(arg[2] or 3)
local levels = arg[3] and { tonumber(arg[3]) } or { 1, 50, 500 }
local delay = tonumber(arg[4] or 0.05)
local quote = system.quote
root = system.capture("cd " .. quote(root) .. " && pwd")

local head = [[
daemon off;
{{user}}
{{modules}}
worker_processes 1;
worker_cpu_affinity {{cpu}};
pid nginx.pid;
error_log error.log error;
events { worker_connections 8192; }
http {
  access_log off;
  client_body_temp_path client_body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
]]

local provider = head .. [[
  server {
    listen 127.0.0.1:{{provider}} backlog=8192;
    location / { content_by_lua_block {
      ngx.req.read_body()
      ngx.update_time()
      local began = ngx.now()
      ngx.sleep({{delay}})
      ngx.update_time()
      ngx.header["Content-Type"] = "application/json"
      local body = ('{"success":true,"slept":%.6f}'):format(ngx.now() - began)
      ngx.header["Content-Length"] = #body
      ngx.print(body)
    } }
  }
}
]]

-- Collects the added latencies; /report gives them out and begins anew.
local front = head .. [[
  lua_package_path "{{root}}/lua/?.lua;{{root}}/lua/?/init.lua;{{resty_http}}/?.lua;;";
  lua_package_cpath "{{root}}/build/jit/?.so;;";
  lua_socket_pool_size 1000;
  init_worker_by_lua_block {
    ADDED = {}
    ffi = require "ffi"
    ffi.cdef "struct bench_time { long s, ns; }; int clock_gettime(int, struct bench_time *);"
    local time = ffi.new "struct bench_time"
    function CLOCK(clock)
      ffi.C.clock_gettime(clock, time)
      return tonumber(time.s) + tonumber(time.ns) / 1e9
    end
    function NOW()
      return CLOCK(1) -- CLOCK_MONOTONIC
    end
    CLIENT = require "mediastop.resty".new {
      base_url = { fastpix = "http://127.0.0.1:{{provider}}/v1" }, max_connections = 1000,
      credentials = { fastpix = { username = "name", password = "password" } },
    }
  }
  server {
    listen 127.0.0.1:{{front}} backlog=8192;
    location = /plain { return 200 "ok"; }
    location = /none { content_by_lua_block { ngx.sleep({{delay}}) ngx.print("ok") } }
    location = /mediastop { content_by_lua_block {
      local began = NOW()
      local result = assert(CLIENT.fastpix.finish("91a264dcc447b63da6fb79ef925cd76d"))
      ADDED[#ADDED + 1] = NOW() - began - result.body.slept
      ngx.print("ok")
    } }
    location = /resty-http { content_by_lua_block {
      local http = require "resty.http"
      local json = require "cjson.safe"
      local began = NOW()
      local client = http.new()
      client:set_timeouts(5000, 10000, 10000)
      local response, message = client:request_uri(
        "http://127.0.0.1:{{provider}}/v1/live/streams/91a264dcc447b63da6fb79ef925cd76d/finish", {
          method = "PUT", body = "", keepalive_pool = 1000,
          headers = { Authorization = "Basic " .. ngx.encode_base64("name:password") },
        })
      local body = json.decode(response.body)
      ADDED[#ADDED + 1] = NOW() - began - body.slept
      ngx.print("ok")
    } }
    location = /report { content_by_lua_block {
      table.sort(ADDED)
      local function at(share) return (ADDED[math.max(1, math.ceil(share * #ADDED))] or 0) * 1e6 end
      ngx.print(("%.0f %.0f %.6f"):format(at(0.5), at(0.99), CLOCK(2))) -- 2: CLOCK_PROCESS_CPUTIME_ID
      ADDED = {}
    } }
  }
}
]]

local found = installation.find()

local function start(template, name, values)
  local directory = values.directory .. "/" .. name
  system.capture("mkdir " .. quote(directory))
  values.cpu = name == "front" and "10" or "01"
  system.write_file(directory .. "/nginx.conf", (template:gsub("{{([%w_]+)}}", function(key)
    return assert(values[key], key)
  end)))
  local script = "cd %s && setsid %s -p %s/ -c nginx.conf >start.log 2>&1 </dev/null & echo $!"
  return tonumber(system.capture(script:format(quote(directory), quote(found.binary), quote(directory))))
end

local function milliseconds(text)
  local number, unit = text:match("^([%d.]+)(%a+)$")
  return tonumber(number) * (unit == "us" and 1e-3 or unit == "ms" and 1 or 1e3)
end

local function wrk(port, path, connections, duration, script)
  return ("taskset -c 0 wrk -t1 -c%d -d%ds --latency %s http://127.0.0.1:%d%s"):format(connections, duration,
    script and "-s " .. quote(script) or "", port, path)
end

local function get(port, path)
  local connection = assert(socket.connect("127.0.0.1", port))
  assert(connection:send("GET " .. path .. " HTTP/1.0\r\n\r\n"))
  local answer = connection:receive("*a")
  connection:close()
  return answer:match("\r\n\r\n(.*)$")
end

local function median(list)
  table.sort(list)
  return #list > 0 and list[math.ceil(#list / 2)] or 0
end

local values = {
  directory = system.private_directory(),
  modules = "",
  root = root,
  delay = tostring(delay),
  resty_http = os.getenv("RESTY_HTTP") or "/nonexistent",
  user = system.capture('test "$(id -u)" -ne 0 || echo "user $(id -un) $(id -gn);"'),
}
for _, path in ipairs(found.modules) do
  values.modules = values.modules .. ('load_module "%s";\n'):format(path)
end
local ports = system.free_ports(2)
values.provider, values.front = tostring(ports[1]), tostring(ports[2])

local masters = { start(provider, "provider", values), start(front, "front", values) }
local started = system.wait_until(function()
  return socket.connect("127.0.0.1", ports[2]) ~= nil and socket.connect("127.0.0.1", ports[1]) ~= nil
end, 10)

-- One connection asks for /plain every 4 ms.
local plain_script = values.directory .. "/plain.lua"
system.write_file(plain_script, 'function delay() return 4 end\n')

local ways = { "none", "mediastop" }
if system.read_file(values.resty_http .. "/resty/http.lua") then
  ways[#ways + 1] = "resty-http"
end

-- First the load by itself, then the same load with /plain beside it.
local function measure(way, level)
  local load = wrk(ports[2], "/" .. way, level, seconds)
  system.capture(wrk(ports[2], "/" .. way, level, 1))
  local before = get(ports[2], "/report"):match("(%S+)$")
  local words = system.capture(load)
  local p50, p99, after = get(ports[2], "/report"):match("(%S+) (%S+) (%S+)")
  local calls = tonumber(words:match("(%d+) requests in"))
  local plain = system.capture(("%s >/dev/null & %s; wait"):format(load, wrk(ports[2], "/plain", 4, seconds,
    plain_script)))
  return {
    calls = calls / seconds,
    p50 = tonumber(p50),
    p99 = tonumber(p99),
    cpu = (tonumber(after) - tonumber(before)) / calls * 1e6,
    plain = milliseconds(plain:match("\n%s+99%%%s+(%S+)")) * 1000,
    errors = words:match("Non%-2xx[^\n]*") or "",
  }
end

local good, message = pcall(function()
  assert(started, "nginx does not start")
  print(("%9s %-11s %8s %9s %9s %12s %13s"):format("in flight", "way", "calls/s", "added p50", "added p99",
    "CPU us/call", "/plain p99 us"))
  for _, level in ipairs(levels) do
    local results = {}
    for _ = 1, rounds do
      for _, way in ipairs(ways) do
        results[way] = results[way] or {}
        table.insert(results[way], measure(way, level))
      end
    end
    for _, way in ipairs(ways) do
      local function of(field)
        local list = {}
        for i, result in ipairs(results[way]) do
          list[i] = result[field]
        end
        return median(list)
      end
      print(("%9d %-11s %8.0f %9.0f %9.0f %12.1f %13.0f %s"):format(level, way, of("calls"), of("p50"), of("p99"),
        of("cpu"), of("plain"), results[way][1].errors))
    end
  end
  io.write(system.read_file(values.directory .. "/front/error.log"):sub(1, 2000))
end)
for _, pid in ipairs(masters) do
  system.signal(pid, "TERM")
end
system.remove_directory(values.directory)
assert(good, message)
