--- Finds nginx and its Lua module, writes the configuration and starts it.
local system = require("spec.emulator.system")

local nginx = {}

local binaries = "nginx openresty /usr/sbin/nginx /usr/local/sbin/nginx /usr/local/openresty/nginx/sbin/nginx"
local module_directories = { "/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/local/lib/nginx/modules" }

-- The servers of the providers: the certificate, and what follows the address in `listen`.
local servers = {
  { name = "http", options = "" },
  { name = "tls", options = " ssl", certificate = "server.pem" },
  { name = "h2", options = " ssl http2", certificate = "server.pem" },
  { name = "expired", options = " ssl", certificate = "expired.pem" },
  { name = "wrong_host", options = " ssl", certificate = "wrong_host.pem" },
  { name = "unknown_ca", options = " ssl", certificate = "unknown_ca.pem" },
}

local server_template = [[
  server {
    listen 127.0.0.1:{{port}}{{options}};
    {{certificate}}
    {{access_log}}
    location / { content_by_lua_block { require("server.front").content() } }
    # A connection that is closed by 444 is reset here, and closed in good order elsewhere.
    location @reset { reset_timedout_connection on; return 444; }
  }
]]

local function fill(template, values)
  return (template:gsub("{{([%w_]+)}}", function(name) return assert(values[name], name) end))
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

local function find_binary()
  local wanted = os.getenv("NGINX")
  local script = wanted and "command -v " .. system.quote(wanted)
    or ("for name in %s; do command -v $name && break; done"):format(binaries)
  local path = system.capture(script)
  if path == "" then
    error(("emulator: %s not found; on Debian: apt-get install nginx libnginx-mod-http-lua")
      :format(wanted and "NGINX=" .. wanted or "nginx"), 0)
  end
  return path
end

local function find_modules(binary)
  local build = system.capture("unset NGINX; " .. system.quote(binary) .. " -V 2>&1")
  if build:find("ngx_lua", 1, true) or build:find("add-module=%S*lua-nginx-module") then return {} end
  local directories = { os.getenv("NGINX_MODULES") or build:match("%-%-modules%-path=(%S+)") }
  for _, directory in ipairs(module_directories) do directories[#directories + 1] = directory end
  for _, directory in ipairs(directories) do
    local lua_module = directory .. "/ngx_http_lua_module.so"
    if exists(lua_module) then
      local kit = directory .. "/ndk_http_module.so"
      return exists(kit) and { kit, lua_module } or { lua_module }
    end
  end
  error("emulator: nginx has no Lua module: ngx_http_lua_module.so is in none of " .. table.concat(directories, ", ")
    .. "; on Debian: apt-get install libnginx-mod-http-lua; elsewhere name its folder in NGINX_MODULES", 0)
end

--- The binary and the modules to load; raises a readable error where one is missing.
function nginx.find()
  local binary = find_binary()
  return { binary = binary, modules = find_modules(binary) }
end

--- Picks free ports, named like the servers, with one for the control.
function nginx.ports()
  local free = system.free_ports(#servers + 1)
  local ports = { control = free[#free] }
  for index, server in ipairs(servers) do ports[server.name] = free[index] end
  return ports
end

local function configuration(installation, directory, home, ports, access_log)
  local modules, blocks = {}, {}
  for index, path in ipairs(installation.modules) do modules[index] = ('load_module "%s";'):format(path) end
  for index, server in ipairs(servers) do
    blocks[index] = fill(server_template, {
      port = tostring(ports[server.name]),
      options = server.options,
      certificate = server.certificate and "ssl_certificate " .. server.certificate .. ";" or "",
      access_log = access_log and "access_log access.log provider;" or "",
    })
  end
  -- A worker of root would become nobody, who can neither enter the private folder nor read a checkout in root's home.
  local user = system.capture('test "$(id -u)" -ne 0 || echo "user $(id -un) $(id -gn);"')
  return fill(assert(system.read_file(home .. "/nginx.conf.template")), {
    user = user,
    modules = table.concat(modules, "\n"),
    home = home,
    directory = directory,
    control = tostring(ports.control),
    providers = table.concat(blocks),
  })
end

--- Starts nginx in the folder; returns the id of its master process. A session of its own keeps Ctrl-C and a closed
--- terminal from it: it ends with its owner, in good order. NGINX means something else to nginx itself.
function nginx.launch(installation, directory, home, ports, access_log)
  system.write_file(directory .. "/nginx.conf", configuration(installation, directory, home, ports, access_log))
  local script = [[
unset NGINX LD_PRELOAD
umask 077
ulimit -n "$(ulimit -Hn)" 2>/dev/null
session=$(command -v setsid)
$session %s -p %s -c nginx.conf >start.log 2>&1 </dev/null 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
echo $!]]
  local folder = system.quote(directory)
  local pid = system.capture("cd " .. folder .. " || exit 1\n"
    .. script:format(system.quote(installation.binary), system.quote(directory .. "/")))
  return assert(tonumber(pid), "emulator: nginx was not started")
end

--- What nginx said while it started, for an error message.
function nginx.complaints(directory)
  return (system.read_file(directory .. "/start.log") or "") .. (system.read_file(directory .. "/error.log") or "")
end

return nginx
