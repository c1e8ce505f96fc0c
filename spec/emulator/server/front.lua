-- luacheck: std ngx_lua
--- The way of a request to a provider: noted, read, spoilt if a fault was ordered, answered.
local faults = require("server.faults")
local providers = require("server.providers")
local reply = require("server.reply")
local requests = require("server.requests")

local front = {}

function front.content()
  local record = requests.add()
  ngx.req.read_body()
  record.body = ngx.req.get_body_data() or ""
  local call = providers.recognise(record.method, record.path, record.body)
  record.provider, record.operation, record.id = call.provider, call.operation, call.id
  local step = call.id and faults.take(call.id, call.operation, record.method)
  if step then return faults.play(step, call) end
  return reply.send(providers.answer(call))
end

return front
