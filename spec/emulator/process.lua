--- Tells whether a process still runs; for the launcher and, inside nginx, for the watch over its owner.
local process = {}

--- When a process started, as the kernel counts; nil once it has ended, even if nobody waited for it yet. Numbers of
--- processes are used again: the time tells one from the next.
function process.start_time(pid)
  local file = io.open("/proc/" .. pid .. "/stat", "rb")
  if not file then return nil end
  local state, rest = (file:read("*a") or ""):match("^.*%) (%a)(.*)$")
  file:close()
  if not state or state == "Z" or state == "X" then return nil end
  -- The state is the third field and the start time is the 22nd.
  return rest:match("^" .. (" %S+"):rep(18) .. " (%d+)")
end

return process
