--- Ends a remote media job when mpv has played the file that it belongs to. See README.md.
local mp = require "mp"
local msg = require "mp.msg"
local read_options = require("mp.options").read_options

local STEP_SECONDS = 0.02

local mediastop = require "mediastop"

local current           -- what is to be ended with the file that plays: { operation, id, settings }
local ended = {}        -- by operation and id: a playlist may name one job for all of its files
local jobs = {}         -- under way: job to its name

local function report(job, name)
  local result, message = job:result()
  if result then
    msg.info(("%s: %s"):format(name, result.outcome))
  else
    msg.error(message)
  end
  jobs[job] = nil
end

-- While mpv plays on, jobs move on beside it; each step takes a millisecond at most.
local timer
timer = mp.add_periodic_timer(STEP_SECONDS, function()
  mediastop.step()
  for job, name in pairs(jobs) do
    if job:poll() then
      report(job, name)
    end
  end
  if next(jobs) == nil then
    timer:kill()
  end
end)
timer:kill()

-- The options as they are now: mpv can change them at run time (`change-list script-opts append …`).
local function read_current()
  local options = { operation = "", id = "", timeout = 5, base_url = "" }
  read_options(options, "mediastop")
  current = nil
  if options.id == "" then
    msg.verbose("no id is set, so nothing is ended")
    return
  end
  local settings = { timeout = options.timeout, base_url = options.base_url ~= "" and options.base_url or nil }
  -- An empty id is never sent: this only tells whether the rest is right.
  local right, problem = pcall(mediastop.start, options.operation, "", settings)
  if not right then
    msg.error(problem)
    return
  end
  current = { operation = options.operation, id = options.id, settings = settings }
end

local function end_current()
  local name = current and current.operation .. " " .. current.id
  if not current or ended[name] then
    return
  end
  ended[name] = true
  local job, message = mediastop.start(current.operation, current.id, current.settings)
  if not job then
    msg.error(message)
    return
  end
  jobs[job] = name
  timer:resume()
end

mp.register_event("start-file", read_current)

mp.register_event("end-file", function(event)
  if event.reason ~= "redirect" then    -- a playlist gives way to its entries
    end_current()
  end
end)

-- mpv drops timers when it quits, and waits for this script's thread alone: at most until the jobs' own timeout.
mp.register_event("shutdown", function()
  for job, name in pairs(jobs) do
    job:wait()
    report(job, name)
  end
end)
