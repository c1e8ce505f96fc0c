--- Ends a remote media job when OBS stops streaming. A script of OBS's: see README.md.
local obs = obslua

require "mediastop.loader"
local mediastop = require "mediastop"

local STEP_MS = 25

local operations = { "fastpix.finish", "memories.stop", "screenplay.cancel", "emogg.stop" }

local operation, id, settings       -- as they are set now
local streaming = false
local jobs = {}                     -- under way: job to its name

local function log(level, text)
  obs.script_log(level, text)
end

local function report(job, say)
  local result, message = job:result()
  if result then
    say(obs.LOG_INFO, ("%s: %s"):format(jobs[job], result.outcome))
  else
    say(obs.LOG_WARNING, message)
  end
  jobs[job] = nil
end

-- OBS calls this between two frames; it takes a millisecond at most, whatever the network does.
local function step()
  mediastop.step()
  for job in pairs(jobs) do
    if job:poll() then
      report(job, log)
    end
  end
  if next(jobs) == nil then
    obs.timer_remove(step)
  end
end

local function stop()
  if id == "" then
    obs.script_log(obs.LOG_WARNING, "no id is set, so nothing is ended")
    return
  end
  local right, job, message = pcall(mediastop.start, operation, id, settings)
  if not right or not job then
    obs.script_log(obs.LOG_WARNING, right and message or job)
    return
  end
  if next(jobs) == nil then
    obs.timer_add(step, STEP_MS)
  end
  jobs[job] = operation .. " " .. id
end

-- Where nothing is left that could move the jobs on, and only there, the script waits: until their timeout at most.
local function finish(say)
  for job in pairs(jobs) do
    job:wait()
    report(job, say)
  end
end

local function on_event(event)
  if event == obs.OBS_FRONTEND_EVENT_STREAMING_STARTED then
    streaming = true
  elseif event == obs.OBS_FRONTEND_EVENT_STREAMING_STOPPED then
    streaming = false
    stop()
  elseif event == obs.OBS_FRONTEND_EVENT_SCRIPTING_SHUTDOWN then
    if streaming then
      stop()
    end
    finish(log)
  end
end

function script_description()
  return "Ends a job at Memories.ai, emogg or FastPix when the stream stops. Credentials: mediastop's README."
end

function script_defaults(data)
  obs.obs_data_set_default_string(data, "operation", operations[1])
  obs.obs_data_set_default_int(data, "timeout", 5)
end

function script_properties()
  local properties = obs.obs_properties_create()
  local list = obs.obs_properties_add_list(properties, "operation", "What to do", obs.OBS_COMBO_TYPE_LIST,
    obs.OBS_COMBO_FORMAT_STRING)
  for _, name in ipairs(operations) do
    obs.obs_property_list_add_string(list, name, name)
  end
  obs.obs_properties_add_text(properties, "id", "Id of the job", obs.OBS_TEXT_DEFAULT)
  obs.obs_properties_add_int(properties, "timeout", "Seconds it may take", 1, 60, 1)
  obs.obs_properties_add_text(properties, "base_url", "Base URL (to try without an account)", obs.OBS_TEXT_DEFAULT)
  return properties
end

function script_update(data)
  operation = obs.obs_data_get_string(data, "operation")
  id = obs.obs_data_get_string(data, "id")
  local base_url = obs.obs_data_get_string(data, "base_url")
  settings = { timeout = obs.obs_data_get_int(data, "timeout"), base_url = base_url ~= "" and base_url or nil }
end

function script_load(data)
  script_update(data)
  streaming = obs.obs_frontend_streaming_active()
  obs.obs_frontend_add_event_callback(on_event)
end

-- The script is taken off or loaded anew while OBS goes on. A script that logs here crashes OBS 29.
function script_unload()
  finish(function(_, text)
    io.stderr:write(text, "\n")
  end)
end
