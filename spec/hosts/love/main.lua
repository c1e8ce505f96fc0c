-- A game at 60 frames a second that stops much at once: what does `step` take of each frame? SETTINGS has, as JSON, the
-- options of its client and calls and a list of requests; it prints JSON.
-- luacheck: globals love
local ffi = require "ffi"
local mediastop = require "mediastop"
local json = require "cjson"
local settings = json.decode(assert(os.getenv("SETTINGS")))

local FRAME = 1 / 60

-- In place of a screen that waits for a key.
function love.errorhandler(message)
  io.stderr:write(debug.traceback(message), "\n")
  return function() return 1 end
end

ffi.cdef [[
  struct mediastop_timespec { long seconds, nanoseconds; };
  int clock_gettime(int clock, struct mediastop_timespec *time);
]]

local time = ffi.new("struct mediastop_timespec")

-- Seconds of the processor that this thread has used: what others do on a busy machine is not in it. (3:
-- CLOCK_THREAD_CPUTIME_ID)
local function used()
  assert(ffi.C.clock_gettime(3, time) == 0)
  return tonumber(time.seconds) + tonumber(time.nanoseconds) / 1e9
end

local client = mediastop.new {
  base_url = settings.base_url,
  ca_file = settings.ca_file,
  credentials = settings.credentials,
  proxy = "",
}

local jobs, started, frames, next_frame = {}, 0, {}, nil
local requests = settings.requests

function love.update()
  -- Ten a frame, once the window is up.
  for _ = 1, 10 do
    if started < #requests and #frames > 10 then
      started = started + 1
      local request = requests[started]
      jobs[started] = assert(client:start(request.operation, request.id, settings.options))
    end
  end
  local cpu, wall = used(), love.timer.getTime()
  local left = client:step()
  frames[#frames + 1] = { cpu = used() - cpu, wall = love.timer.getTime() - wall, left = left }
  if started == #requests and left == 0 then
    love.event.quit()
  end
end

function love.draw()
  love.graphics.print(#frames, 10, 10)
  next_frame = (next_frame or love.timer.getTime()) + FRAME
  love.timer.sleep(math.max(0, next_frame - love.timer.getTime()))
end

local function times(what)
  local longest, sum, over = 0, 0, 0
  for _, frame in ipairs(frames) do
    longest, sum = math.max(longest, frame[what]), sum + frame[what]
    over = over + (frame[what] > 0.002 and 1 or 0)
  end
  return { longest = longest, mean = sum / #frames, over = over }
end

function love.quit()
  local in_flight = 0
  for _, frame in ipairs(frames) do
    in_flight = math.max(in_flight, frame.left)
  end
  for _, job in ipairs(jobs) do
    assert(job:poll())
  end
  print(json.encode({ frames = #frames, in_flight = in_flight, cpu = times("cpu"), wall = times("wall") }))
end
