--- A game that has media running for its player, and ends it: at a key, and at the latest when it quits. See README.md.
local mediastop = require "mediastop"

io.stdout:setvbuf("line")

local QUIT_SECONDS = 5      -- quitting takes no longer than this

local running = {}          -- a list of { operation, id }
local jobs = {}             -- under way: job to its name
local lines = {}            -- on the screen

local settings = {
  timeout = QUIT_SECONDS,
  base_url = os.getenv("MEDIASTOP_BASE_URL"),   -- of `make emulator`, to try
}

local function say(text)
  print(text)
  table.insert(lines, text)
end

local function stop(one)
  local name = one.operation .. " " .. one.id
  local job, message = mediastop.start(one.operation, one.id, settings)
  if job then
    jobs[job] = name
  else
    say(message)
  end
end

local function report(job)
  local result, message = job:result()
  say(result and jobs[job] .. ": " .. result.outcome or message)
  jobs[job] = nil
end

-- love examples/love fastpix.finish ID emogg.stop ID …
function love.load(arguments)
  for i = 1, #arguments, 2 do
    -- An empty id is never sent: this only tells whether there is such an operation.
    assert(pcall(mediastop.start, arguments[i], "", settings))
    table.insert(running, { operation = arguments[i], id = arguments[i + 1] or "" })
  end
end

function love.update()
  mediastop.step()          -- a millisecond at most, whatever the network does
  for job in pairs(jobs) do
    if job:poll() then
      report(job)
    end
  end
end

function love.keypressed(key)
  if key == "s" and #running > 0 then
    stop(table.remove(running, 1))
  elseif key == "escape" then
    love.event.quit()
  end
end

function love.draw()
  love.graphics.print(("%d running; s stops one, escape quits"):format(#running), 20, 20)
  for i, line in ipairs(lines) do
    love.graphics.print(line, 20, 20 + 20 * i)
  end
end

-- All that is left goes out at once, so that the wait for all is as long as that for one.
function love.quit()
  while #running > 0 do
    stop(table.remove(running, 1))
  end
  for job in pairs(jobs) do
    job:wait()
    report(job)
  end
end
