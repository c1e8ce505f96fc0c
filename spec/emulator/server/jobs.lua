-- luacheck: std ngx_lua
--- The jobs of the four providers and their states.
local jobs = {}

local by_provider

local function now()
  ngx.update_time()
  return ngx.now()
end

function jobs.reset()
  by_provider = { memories = {}, screenplay = {}, emogg = {}, fastpix = {} }
end

--- Makes a job, or gives one that is there another state.
function jobs.set(provider, id, state, settings)
  by_provider[provider][id] = { id = id, state = state, settings = settings or {} }
end

--- The job, its state brought up to date; nil when there is none.
function jobs.get(provider, id)
  local job = by_provider[provider][id]
  if job and job.ends_at and now() >= job.ends_at then
    job.state, job.end_state, job.ends_at = job.end_state, nil, nil
  end
  return job
end

--- Whether a provider of that name exists.
function jobs.has_provider(provider)
  return by_provider[provider] ~= nil
end

--- Ends a job: at once, or after `seconds` that it spends in the state `between`.
function jobs.finish(job, end_state, seconds, between)
  if seconds > 0 then
    job.state, job.end_state, job.ends_at = between, end_state, now() + seconds
  else
    job.state, job.end_state, job.ends_at = end_state, nil, nil
  end
end

--- Calls `act` and takes back what it does to the job.
function jobs.untouched(provider, id, act)
  local job = jobs.get(provider, id)
  local before = job and { job.state, job.end_state, job.ends_at }
  local result = act()
  if job then job.state, job.end_state, job.ends_at = before[1], before[2], before[3] end
  return result
end

--- Every job as a list of { provider, id, state }.
function jobs.list()
  local list = {}
  for provider, ids in pairs(by_provider) do
    for id in pairs(ids) do list[#list + 1] = { provider = provider, id = id, state = jobs.get(provider, id).state } end
  end
  return list
end

jobs.reset()

return jobs
