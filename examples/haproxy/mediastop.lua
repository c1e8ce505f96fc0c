--- A service for HAProxy that ends a remote media job and answers what came of it. See README.md.
local mediastop = require "mediastop"

-- HAProxy has no way for a Lua task to wait for a descriptor of others, so a task sleeps between looks: at first for as
-- long as an answer from nearby takes, then longer, and never longer than a person notices.
local SHORTEST_MS, LONGEST_MS = 1, 20

local TIMEOUT = tonumber(os.getenv("MEDIASTOP_TIMEOUT")) or 10

-- To try against the emulator: the base URL of the provider that is called.
local base_url = os.getenv("MEDIASTOP_BASE_URL")

local function quote(text)
  return '"' .. text:gsub('[%c"\\\127]', function(byte) return ("\\u%04x"):format(byte:byte()) end) .. '"'
end

local function answer(applet, status, fields)
  local parts = {}
  for _, name in ipairs({ "outcome", "kind", "reached", "message" }) do
    if fields[name] then
      parts[#parts + 1] = quote(name) .. ":" .. quote(fields[name])
    end
  end
  local body = "{" .. table.concat(parts, ",") .. "}\n"
  applet:set_status(status)
  applet:add_header("Content-Type", "application/json")
  applet:add_header("Content-Length", tostring(#body))
  applet:start_response()
  applet:send(body)
end

-- Waits for the job while all other traffic goes on: `step` never blocks, and leaves a TLS handshake to a thread.
local function wait(job)
  local pause = SHORTEST_MS
  mediastop.step()
  while not job:poll() do
    core.msleep(pause)
    pause = math.min(2 * pause, LONGEST_MS)
  end
  return job:result()
end

-- POST …/fastpix.finish/ID
local function serve(applet)
  local operation, id = applet.path:match("([^/]+)/([^/]+)$")
  if applet.method ~= "POST" or not id then
    return answer(applet, 400, { kind = "misuse", message = "POST /stop/OPERATION/ID is expected" })
  end
  local options = { timeout = TIMEOUT, base_url = base_url }
  local right, job, message, err = pcall(mediastop.start, operation, id, options)
  if not right then
    return answer(applet, 400, { kind = "misuse", message = job })
  end
  local result
  if job then
    result, message, err = wait(job)
  end
  if result then
    core.log(core.info, ("mediastop: %s %s: %s"):format(operation, id, result.outcome))
    return answer(applet, 200, result)
  end
  core.log(core.warning, "mediastop: " .. message)
  answer(applet, err.retryable and 503 or 502, err)
end

core.register_service("mediastop", "http", serve)
