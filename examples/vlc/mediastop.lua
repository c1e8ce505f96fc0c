--- Ends a remote media job when VLC has played its input, and when VLC quits. An interface of VLC's: see README.md.
require "mediastop.loader"
local mediastop = require "mediastop"

-- Set here what is to be ended.
local OPERATION = os.getenv("MEDIASTOP_OPERATION") or "fastpix.finish"
local ID = os.getenv("MEDIASTOP_ID") or ""
local TIMEOUT = 5           -- seconds; quitting takes no longer than this
local BASE_URL = os.getenv("MEDIASTOP_BASE_URL")    -- of `make emulator`, to try

-- VLC tells a script of nothing, so it looks: seldom, and more often while a job is under way.
local LOOK_MS, STEP_MS = 100, 20

local settings = { timeout = TIMEOUT, base_url = BASE_URL }

local job, playing
local stopped = false       -- since something played last

local function report()
  local result, message = job:result()
  if result then
    vlc.msg.info(("%s %s: %s"):format(OPERATION, ID, result.outcome))
  else
    vlc.msg.err(message)
  end
  job = nil
end

local function stop()
  local message
  stopped = true
  job, message = mediastop.start(OPERATION, ID, settings)
  if not job then
    vlc.msg.err(message)
  end
end

-- Until VLC quits, when `mwait` raises.
local function run()
  while true do
    local was_playing = playing
    playing = vlc.playlist.status() ~= "stopped"
    if playing then
      stopped = false
    elseif was_playing and not job then
      stop()
    end
    mediastop.step()
    if job and job:poll() then
      report()
    end
    vlc.misc.mwait(vlc.misc.mdate() + 1000 * (job and STEP_MS or LOOK_MS))
  end
end

-- An empty id is never sent: this only tells whether there is such an operation.
local right, problem = pcall(mediastop.start, OPERATION, "", settings)
if not right or ID == "" then
  vlc.msg.err(right and "mediastop: no id is set" or problem)
  return
end

local _, reason = pcall(run)
if not tostring(reason):find("Interrupted", 1, true) then
  vlc.msg.err(tostring(reason))
end
-- VLC may have begun to play since the last look.
if not stopped and not job then
  stop()
end
if job then
  job:wait()
  report()
end
