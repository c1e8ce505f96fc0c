--- mediastop in libuv's loop: one watcher of the descriptor, one timer.
local uv = require "luv"

--- Adds a client (or the module) to the loop until its jobs are finished.
return function(client)
  local watcher, timer = uv.new_poll(client:fd()), uv.new_timer()
  local function step()
    if client:step() == 0 then
      watcher:close()
      timer:close()
      return
    end
    local due = client:due()
    timer:stop()
    if due then
      timer:start(math.ceil(due * 1000), 0, step)
    end
  end
  watcher:start("r", step)
  timer:start(0, 0, step)
end
