--- mediastop in cqueues: one coroutine of the loop moves all jobs on, the others do what they like.
local cqueues = require "cqueues"

--- Adds a client (or the module) to a loop until its jobs are finished.
return function(loop, client)
  -- What cqueues polls: something that says what it waits for, and how long.
  local work = {
    pollfd = function() return client:fd() end,
    events = function() return "r" end,
    timeout = function() return client:due() end,
  }
  loop:wrap(function()
    while client:step() > 0 do
      cqueues.poll(work)
    end
    cqueues.cancel(client:fd()) -- cqueues forgets the descriptor, which may be closed now
  end)
end
