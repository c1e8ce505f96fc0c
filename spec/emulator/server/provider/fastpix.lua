-- luacheck: std ngx_lua
--- fastpix: a live stream.
local jobs = require("server.jobs")
local settings = require("server.settings")
local json = require("cjson").new()

local fastpix = { running = "active" }

local failure = '{"success":false,"error":{"code":%d,"message":%s,"description":%s}}'
local stream = '{"success":true,"data":{"streamId":%s,"streamKey":"emulator-stream-key-0123456789abcdef",'
  .. '"srtSecret":"emulator-srt-secret-0123456789abcdef","trial":false,"status":%s,"maxResolution":"1080p",'
  .. '"maxDuration":28800,"createdAt":"2026-01-01T00:00:00.000000Z","reconnectWindow":60,"enableRecording":true,'
  .. '"enableDvrMode":false,"mediaPolicy":"public","metadata":{"name":"emulator"},"lowLatency":false,'
  .. '"closedCaptions":false,"playbackIds":[{"id":"0a1b2c3d-0000-4000-8000-000000000000","accessPolicy":"public"}],'
  .. '"simulcastResponses":[],"mediaIds":[],"srtPlaybackResponse":{"srtPlaybackStreamId":"play-emulator",'
  .. '"srtPlaybackSecret":"emulator-srt-playback-secret-0123456789abcdef"}}}'

-- What FastPix says beside the short message.
local descriptions = {
  [401] = "Invalid or missing credentials.",
  [404] = "The requested stream does not exist.",
  [405] = "The method is not allowed here.",
}

local ray = 0

local function answer(status, body)
  ray = ray + 1
  return {
    status = status,
    headers = {
      ["Content-Type"] = "application/json;charset=UTF-8",
      ["Server"] = "cloudflare",
      ["cf-cache-status"] = "DYNAMIC",
      ["cf-ray"] = ("%016x-EMU"):format(ray),
    },
    body = body,
  }
end

function fastpix.refuse(status, message, description)
  description = description or descriptions[status] or message
  return answer(status, failure:format(status, json.encode(message:lower()), json.encode(description)))
end

function fastpix.authorized(authorization)
  local accepted = settings.credentials.fastpix
  local scheme, pair = authorization:match("^(%a+) (.*)$")
  return scheme ~= nil and scheme:lower() == "basic"
    and pair == ngx.encode_base64(accepted.username .. ":" .. accepted.password)
end

function fastpix.stop(id)
  local job = jobs.get("fastpix", id)
  if not job then return fastpix.refuse(404, "stream not found") end
  if job.state ~= "active" or job.ends_at then
    return fastpix.refuse(400, "stream cannot be completed", "Only active streams can be marked as completed.")
  end
  jobs.finish(job, "idle", job.settings.finish_after or 0, "active")
  return answer(200, '{"success":true}')
end

function fastpix.read(id)
  local job = jobs.get("fastpix", id)
  if not job then return fastpix.refuse(404, "stream not found") end
  return answer(200, stream:format(json.encode(id), json.encode(job.state)))
end

return fastpix
