--- What the launcher needs of the operating system (Linux), with nothing but the shell.
local socket = require("socket")

local system = {}

--- Quotes a word for the shell.
function system.quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

--- Runs a shell script; returns what it printed, without the last newline.
function system.capture(script)
  local pipe = assert(io.popen(script, "r"))
  local output = pipe:read("*a")
  pipe:close()
  return (output:gsub("\n$", ""))
end

function system.read_file(path)
  local file, message = io.open(path, "rb")
  if not file then return nil, message end
  local text = file:read("*a")
  file:close()
  return text
end

function system.write_file(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

--- The id of the process this Lua runs in.
function system.own_pid()
  local stat = system.read_file("/proc/self/stat")
  return tonumber(stat and stat:match("^%d+") or system.capture("echo $PPID"))
end

function system.signal(pid, name)
  os.execute(("kill -%s %d 2>/dev/null"):format(name, pid))
end

--- Asks `condition` every few milliseconds; true once it holds, false when the time is over.
function system.wait_until(condition, seconds)
  local deadline = socket.gettime() + seconds
  while not condition() do
    if socket.gettime() > deadline then return false end
    socket.sleep(0.005)
  end
  return true
end

--- A new folder that only this user can enter.
function system.private_directory()
  local path = system.capture('umask 077 && mktemp -d "${TMPDIR:-/tmp}/mediastop-emulator.XXXXXX" 2>&1')
  if path:sub(1, 1) ~= "/" then error("emulator: no temporary folder: " .. path, 0) end
  return path
end

function system.remove_directory(path)
  os.execute("rm -rf -- " .. system.quote(path))
end

--- That many different free ports of the loopback address, free at this moment.
function system.free_ports(count)
  local listeners, ports = {}, {}
  for index = 1, count do
    listeners[index] = assert(socket.bind("127.0.0.1", 0))
    ports[index] = tonumber((select(2, listeners[index]:getsockname())))
  end
  for _, listener in ipairs(listeners) do listener:close() end
  return ports
end

return system
