-- luacheck: std ngx_lua
--- The queues of what is to go wrong, one for each id.
local play = require("server.play")

local faults = {}

local field_types = {
  -- When, and for which requests.
  method = "string", after = "boolean", delay = "number", times = "number",
  -- What is answered.
  normal = "boolean", status = "number", headers = "table", body = "string", empty = "boolean",
  big = "number", header_lines = "number", drip = "number",
  -- What becomes of the connection.
  raw = "table", hold = "number", drop = "boolean", reset = "boolean", hang = "number",
  cut = "table", keepalive = "boolean",
}

-- A text may stand where these are tables, and a table where this is a text.
local other_type = { raw = "string", body = "table" }

local cut_types = {
  status = "number", headers = "table", body = "string", at = "number", head_at = "number", chunked = "boolean",
  content_length = "number",
}

local queues = {}

function faults.reset()
  queues = {}
end

local function complaint(fields, types, what)
  for name, value in pairs(fields) do
    local wanted = types[name]
    if not wanted then return "unknown field of " .. what .. ": " .. tostring(name) end
    if type(value) ~= wanted and type(value) ~= other_type[name] then
      return what .. "'s " .. name .. " must be a " .. wanted
    end
  end
end

--- Replaces the queue of an id. True, or nil and what is wrong with a step.
function faults.set(id, steps)
  for _, step in ipairs(steps) do
    if type(step) ~= "table" then return nil, "a step must be an object" end
    local message = complaint(step, field_types, "a step") or complaint(step.cut or {}, cut_types, "cut")
    if message then return nil, message end
    step.left = step.times or 1
    step.times = nil
  end
  queues[id] = #steps > 0 and steps or nil
  return true
end

--- Takes the next step for such a request out of the queue, nil when there is none.
function faults.take(id, operation, method)
  local queue = queues[id] or {}
  for index, step in ipairs(queue) do
    local meant = step.method
    if meant == method or (not meant and operation == "stop") then
      step.left = step.left - 1
      if step.left < 1 then table.remove(queue, index) end
      return step
    end
  end
end

--- Answers a request as the step says.
faults.play = play

return faults
