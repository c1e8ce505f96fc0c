--- mediastop in copas, which waits for sockets: the descriptor is one more.
local copas = require "copas"

--- Adds a client (or the module) to copas. Returns a function that turns copas once, in place of `copas.step`, since it
-- knows how long that may wait; it returns how many jobs are unfinished.
return function(client)
  -- A socket to copas: it is asked for data, never has any, and is waited for again.
  local work = {
    getfd = function() return client:fd() end,
    receive = function() return nil, "timeout" end,
  }
  copas.addthread(function() copas.receive(work) end)
  return function()
    copas.step(client:due())
    return client:step()
  end
end
