-- luacheck: std ngx_lua
--- memories: a moderated stream.
local jobs = require("server.jobs")
local settings = require("server.settings")
local json = require("cjson").new()

local memories = { running = "running" }

local success = '{"code":200,"message":"success","data":{"task_id":%s,"message":"Stream stopped successfully"}}'
local failure = '{"code":%d,"msg":%s,"data":null}'

local request_count = 0

--- An answer in the form of Memories.ai, with its request id.
function memories.answer(status, body)
  request_count = request_count + 1
  return {
    status = status,
    headers = { ["Content-Type"] = "application/json", ["x-request-id"] = ("emulator-%08x"):format(request_count) },
    body = body,
  }
end

function memories.refuse(status, message)
  return memories.answer(status, failure:format(status, json.encode(message)))
end

function memories.authorized(authorization)
  return authorization == settings.credentials.memories.api_key
end

--- The id of a stop, which travels in the body.
function memories.id_of(body)
  local good, value = pcall(json.decode, body)
  local id = good and type(value) == "table" and value.task_id
  return type(id) == "string" and id or nil
end

function memories.stop(id)
  if not (ngx.var.http_content_type or ""):lower():find("^application/json") then
    return memories.refuse(415, "Unsupported Media Type")
  end
  if not id then return memories.refuse(400, "Invalid task_id") end
  local job = jobs.get("memories", id)
  if not job then return memories.refuse(400, "Task not found") end
  jobs.finish(job, "stopped", job.settings.finish_after or 0, job.state)
  return memories.answer(200, success:format(json.encode(id)))
end

return memories
