--- Runs Lua in a process of its own and sends it SIGINT while it does what it should be interrupted in.
local support = require("spec.support")
local system = require("spec.emulator.system")
local socket = require("socket")

local interrupted = {}

-- Ahead of the source: its process id goes where the spec finds it.
local prelude = [[
local stat = assert(io.open("/proc/self/stat"))
local pid = stat:read("*a"):match("^%%d+")
stat:close()
local file = assert(io.open(%q, "w"))
file:write(pid, "\n")
file:close()
]]

--- Runs `source`; when `is_ready` returns true, sends SIGINT. Returns { status, stdout, stderr, after }: `after` is how
--- many seconds passed from the signal to the end of the process.
function interrupted.run(source, is_ready)
  local path = support.scratch("interrupted-" .. support.id())
  local function read(name)
    return system.read_file(path .. name) or ""
  end
  system.write_file(path .. ".lua", prelude:format(path .. ".pid") .. source)
  local script = ("(LUA_PATH=%s LUA_CPATH=%s %s %s >%s 2>%s </dev/null; echo $? >%s) 2>/dev/null &"):format(
    system.quote(package.path), system.quote(package.cpath), system.quote(support.interpreter()),
    system.quote(path .. ".lua"), system.quote(path .. ".out"), system.quote(path .. ".err"),
    system.quote(path .. ".status"))
  os.execute(script)
  if not system.wait_until(is_ready, 10) then
    error("the program does not come to where it is to be interrupted:\n" .. read(".err"), 2)
  end
  local pid = assert(tonumber(read(".pid")))
  local sent = socket.gettime()
  system.signal(pid, "INT")
  local function has_ended()
    return read(".status"):find("\n")
  end
  if not system.wait_until(has_ended, 10) then
    system.signal(pid, "KILL")
    system.wait_until(has_ended, 10)
  end
  return {
    status = tonumber(read(".status")),
    stdout = read(".out"),
    stderr = read(".err"),
    after = socket.gettime() - sent,
  }
end

return interrupted
