-- luacheck: std ngx_lua
--- emogg: an analysis session.
local jobs = require("server.jobs")
local settings = require("server.settings")
local json = require("cjson").new()

local emogg = { running = "active" }

local session = '{"_id":%s,"name":"Mobile Word Congress Pitch","type":"live_analysis","state":%s,'
  .. '"timestamp":"2024-04-01T10:30:00.000Z","duration":120,"config":{"removeMedia":true},'
  .. '"sources":[{"id":"c1fcba18-15ec-457c-a1de-fcbb87aeaa0e","name":"Integrated Webcam","type":"video",'
  .. '"device":"local_camera"}],"meta":{"expires":"2024-05-01T11:30:00.000Z",'
  .. '"healthCheck":"2024-05-01T10:39:30.000Z"%s},"product":"65946a77408bd7b32c5189a3",'
  .. '"user":"65d7a8fb532f66218ecd4cab","version":3}'
local failure = '{"error":true,"status":%d,"message":%s}'

-- A session is wound up for a moment before it is finished.
local usual_wind_up = 0.3

local function answer(status, body)
  return {
    status = status,
    headers = {
      ["Content-Type"] = "application/json; charset=utf-8",
      ["RateLimit-Limit"] = "100",
      ["RateLimit-Remaining"] = "99",
      ["RateLimit-Reset"] = "1",
      ["RateLimit-Policy"] = "100;w=60",
    },
    body = body,
  }
end

function emogg.refuse(status, message)
  return answer(status, failure:format(status, json.encode(message)))
end

function emogg.authorized(authorization)
  local scheme, token = authorization:match("^(%a+) (.*)$")
  return scheme ~= nil and scheme:lower() == "bearer" and token == settings.credentials.emogg.token
end

local function show(id, state)
  local worker = state == "finished" and "" or ',"workerState":"working"'
  return answer(200, session:format(json.encode(id), json.encode(state), worker))
end

local function missing()
  return emogg.refuse(404, "The requested resource does not exist or you do not have permissions to perform this "
    .. "action on it.")
end

function emogg.stop(id)
  local job = jobs.get("emogg", id)
  if not job then return missing() end
  if job.state ~= "active" then return emogg.refuse(400, "The session is not active.") end
  local word = job.settings.answer_state or "active"
  local wind_up = job.settings.finish_after or (word == "finished" and 0 or usual_wind_up)
  jobs.finish(job, "finished", wind_up, "processing")
  return show(id, word)
end

function emogg.read(id)
  local job = jobs.get("emogg", id)
  return job and show(id, job.state) or missing()
end

return emogg
