--- Runs Lua in a network of its own, where the name server is whatever the spec wants: `unshare`, as root or as the
--- root of a new user namespace. Linux only.
local support = require("spec.support")
local system = require("spec.emulator.system")

local namespace = {}

local function is_possible(command)
  local trial = " sh -c 'ip link set lo up && mount --bind /dev/null /etc/resolv.conf && echo yes' 2>/dev/null"
  return system.capture(command .. trial) == "yes"
end

--- The command that makes the namespaces, nil where that is not possible.
function namespace.command()
  for _, command in ipairs({ "unshare -n -m", "unshare -r -n -m" }) do
    if is_possible(command) then
      return command
    end
  end
end

-- Binds the name server's port; "unknown" answers that there is no such name, "silent" says nothing, ever.
local name_server = [[
local socket = require("socket")
local server = assert(socket.udp())
assert(server:setsockname("127.0.0.1", 53))
io.stdout:write("ready\n")
io.stdout:flush()
while true do
  local query, address, port = server:receivefrom()
  if query and arg[1] == "unknown" then
    server:sendto(query:sub(1, 2) .. "\129\131" .. query:sub(5, 6) .. "\0\0\0\0\0\0" .. query:sub(13), address, port)
  end
end
]]

local script = [[
ip link set lo up
mount --bind %s /etc/resolv.conf
mount --bind %s /etc/nsswitch.conf
%s %s %s >%s & server=$!
until grep -q ready %s; do sleep 0.01; done
%s %s 2>&1
kill $server
]]

--- Runs the source with a name server that is "silent" or "unknown". Returns what it printed.
function namespace.run(kind, source)
  local function file(name, text)
    local path = support.scratch(name)
    system.write_file(path, text)
    return system.quote(path)
  end
  local ready = file("namespace.ready", "")
  local interpreter = system.quote(support.interpreter())
  local all = script:format(file("resolv.conf", "nameserver 127.0.0.1\n"), file("nsswitch.conf", "hosts: files dns\n"),
    interpreter, file("name_server.lua", name_server), kind, ready, ready, interpreter, file("named.lua", source))
  return system.capture(("LUA_PATH=%s LUA_CPATH=%s %s sh -c %s"):format(system.quote(package.path),
    system.quote(package.cpath), namespace.command(), system.quote(all)))
end

return namespace
