--- mediastop in a loop of one's own, around poll(2): here that of lua-posix, or LuaSocket's select in its place.
local has_posix, poll = pcall(require, "posix.poll")
local has_socket, socket = pcall(require, "socket")

-- Sleeps until the descriptor is readable, or the seconds are over (nil: for as long as it takes).
local function sleep(fd, seconds)
  if has_posix then
    -- Whole milliseconds, rounded up: a loop that wakes too early turns without need.
    return poll.poll({ [fd] = { events = { IN = true } } }, seconds and math.ceil(seconds * 1000) or -1)
  end
  assert(has_socket, "lua-posix or LuaSocket is needed")
  return socket.select({ { getfd = function() return fd end, dirty = function() return false end } }, nil, seconds)
end

--- Moves the jobs of a client (or of the module) on until all of them are finished.
return function(client)
  while client:step() > 0 do
    sleep(client:fd(), client:due())
  end
end
