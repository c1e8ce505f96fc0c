-- luacheck: std ngx_lua
--- Ends nginx, and removes its folder, when the process that it serves is gone.
local ffi = require("ffi")
local processes = require("process")
local settings = require("server.settings")

ffi.cdef("int kill(int pid, int sig); int getppid(void);")

local SIGTERM = 15
local interval = 0.5

local owner = {}

local function watched(pid)
  local started = processes.start_time(pid)
  return { pid = pid, runs = function() return started ~= nil and processes.start_time(pid) == started end }
end

local function finish(master)
  os.execute("rm -rf -- '" .. settings.directory:gsub("'", "'\\''") .. "'")
  if master.runs() then ffi.C.kill(master.pid, SIGTERM) end
  ffi.C.kill(ngx.worker.pid(), SIGTERM)
end

--- Starts the watch, in the worker.
function owner.watch()
  local master, served = watched(ffi.C.getppid()), watched(settings.owner)
  assert(ngx.timer.every(interval, function(premature)
    if not premature and not (served.runs() and master.runs()) then finish(master) end
  end))
end

return owner
