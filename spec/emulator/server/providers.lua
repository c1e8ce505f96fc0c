-- luacheck: std ngx_lua
--- Which provider a request is for, and that provider's ordinary answer.
local providers = {}

local modules = {
  memories = require("server.provider.memories"),
  screenplay = require("server.provider.screenplay"),
  emogg = require("server.provider.emogg"),
  fastpix = require("server.provider.fastpix"),
}

local routes = {
  { "memories", "POST", "^/serve/api/v2/stream/stop$", "stop" },
  { "screenplay", "DELETE", "^/serve/api/v2/screenplay/tasks/([^/]+)$", "stop" },
  { "screenplay", "GET", "^/serve/api/v2/screenplay/tasks/([^/]+)$", "read" },
  { "emogg", "POST", "^/v1/sessions/([^/]+)/stop$", "stop" },
  { "emogg", "GET", "^/v1/sessions/([^/]+)$", "read" },
  { "fastpix", "PUT", "^/v1/live/streams/([^/]+)/finish$", "stop" },
  { "fastpix", "GET", "^/v1/live/streams/([^/]+)$", "read" },
}

-- Who answers on a path that is no operation.
local owners = {
  { "^/serve/api/v2/screenplay/", "screenplay" },
  { "^/serve/", "memories" },
  { "^/v1/live", "fastpix" },
}

local function decode(segment)
  return (segment:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

local function owner_of(path)
  for _, owner in ipairs(owners) do
    if path:find(owner[1]) then return owner[2] end
  end
  return "emogg"
end

--- The state in which a new job of the provider can be ended.
function providers.running_state(provider)
  return modules[provider].running
end

--- Reads method, target and body: { provider, operation, id }, or { provider, status } where there is no such
--- operation.
function providers.recognise(method, target, body)
  local path, status = target:gsub("^%a[%w+.-]*://[^/]*", ""):gsub("?.*$", ""), 404
  for _, route in ipairs(routes) do
    local provider, verb, pattern, operation = unpack(route)
    local segment = path:match(pattern)
    if segment and verb == method then
      local id
      if provider == "memories" then id = modules.memories.id_of(body) else id = decode(segment) end
      return { provider = provider, operation = operation, id = id }
    elseif segment then
      status = 405
    end
  end
  return { provider = owner_of(path), status = status }
end

--- A refusal in the provider's own form.
function providers.refuse(call, status, message)
  return modules[call.provider].refuse(status, message)
end

--- What the provider does, and answers, when nothing goes wrong. Credentials are checked before anything else.
function providers.answer(call)
  local provider = modules[call.provider]
  if not provider.authorized(ngx.var.http_authorization or "") then return provider.refuse(401, "Unauthorized") end
  if call.status == 405 then return provider.refuse(405, "Method not allowed") end
  if call.status then return provider.refuse(404, "Not found") end
  return provider[call.operation](call.id)
end

return providers
