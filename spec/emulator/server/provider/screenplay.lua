-- luacheck: std ngx_lua
--- screenplay: the extraction of a screenplay, by Memories.ai.
local jobs = require("server.jobs")
local memories = require("server.provider.memories")
local json = require("cjson").new()

local screenplay = { running = "running", authorized = memories.authorized }

local success = '{"code":200,"msg":"success","data":{"task_id":%s,"status":%s%s},"failed":false,"success":true}'
local failure = '{"code":%d,"msg":%s,"data":null,"failed":true,"success":false}'
local cancellable = { pending = true, running = true }
local details = {
  running = ',"progress":{"total_episodes":4,"completed_episodes":1}',
  failed = ',"error_code":"EMULATED","error_message":"The task failed"',
}

function screenplay.refuse(status, message)
  return memories.answer(status, failure:format(status, json.encode(message)))
end

local function succeed(id, state, detail)
  return memories.answer(200, success:format(json.encode(id), json.encode(state), detail or ""))
end

function screenplay.stop(id)
  local job = jobs.get("screenplay", id)
  if not job then return screenplay.refuse(400, "Task not found") end
  if not cancellable[job.state] then
    return screenplay.refuse(409, "Task is already " .. job.state .. " and cannot be cancelled")
  end
  jobs.finish(job, "cancelled", job.settings.finish_after or 0, job.state)
  return succeed(id, job.settings.answer_state or "cancelled")
end

function screenplay.read(id)
  local job = jobs.get("screenplay", id)
  if not job then return screenplay.refuse(400, "Task not found") end
  return succeed(id, job.state, details[job.state])
end

return screenplay
