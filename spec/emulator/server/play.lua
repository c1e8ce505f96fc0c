-- luacheck: std ngx_lua
--- Answers one request as a step of a fault queue says.
local connection = require("server.connection")
local jobs = require("server.jobs")
local providers = require("server.providers")
local reply = require("server.reply")
local json = require("cjson").new()

-- nginx's own code for: close the connection without a word.
local CLOSE = 444

local function hang(step)
  ngx.sleep(step.hang)
  return ngx.exit(CLOSE)
end

local function drop()
  return ngx.exit(CLOSE)
end

local function reset()
  return ngx.exec("@reset")
end

local function raw(step)
  return connection.send(type(step.raw) == "table" and step.raw or { step.raw }, step.hold)
end

-- Cut short is the provider's own answer unless the step brings another; the job is left alone unless `after` said
-- otherwise before.
local function cut(step, call, effect)
  local order = step.cut
  local model = effect or jobs.untouched(call.provider, call.id, function() return providers.answer(call) end)
  local answer = {
    status = order.status or model.status,
    headers = order.headers or model.headers,
    body = order.body or model.body,
  }
  return connection.cut(answer, order, step.hold)
end

-- What ends the connection rather than answer.
local endings = {
  { "hang", hang }, { "drop", drop }, { "reset", reset }, { "raw", raw }, { "cut", cut },
}

local function body_of(step)
  if step.empty then return "" end
  if step.big then return '{"padding":"' .. ("x"):rep(step.big - 14) .. '"}' end
  if type(step.body) == "table" then return json.encode(step.body) end
  return step.body
end

-- The answer that the step brings; nil when it only says how the ordinary one travels.
local function own_answer(step, call)
  local body = body_of(step)
  if not (body or step.status) then return nil end
  local status = step.status or 200
  if not body and status >= 400 then return providers.refuse(call, status, "Emulated fault") end
  return { status = status, headers = { ["Content-Type"] = "application/json" }, body = body or "" }
end

local function decorate(answer, step)
  local headers, replaced = {}, {}
  for name, value in pairs(step.headers or {}) do headers[name], replaced[name:lower()] = value, true end
  for name, value in pairs(answer.headers) do
    if not replaced[name:lower()] then headers[name] = value end
  end
  for index = 1, step.header_lines or 0 do headers["X-Line-" .. index] = "line " .. index end
  return { status = answer.status, headers = headers, body = answer.body }
end

--- Plays the step for the call: { provider, operation, id }.
return function(step, call)
  local effect = step.after and providers.answer(call) or nil
  if step.delay then ngx.sleep(step.delay) end
  for _, ending in ipairs(endings) do
    local name, act = ending[1], ending[2]
    if step[name] then return act(step, call, effect) end
  end
  local answer = decorate(own_answer(step, call) or effect or providers.answer(call), step)
  if step.keepalive == false then return connection.last(answer, step.hold) end
  return reply.send(answer, step.drip)
end
