-- luacheck: std ngx_lua
--- The control port: what specs and curious users say to the emulator.
local faults = require("server.faults")
local jobs = require("server.jobs")
local providers = require("server.providers")
local requests = require("server.requests")
local json = require("cjson").new()

local control = {}

local settings_types = { answer_state = "string", finish_after = "number" }

local function check(condition, message)
  if not condition then error({ message = message }) end
end

local function check_provider(provider)
  check(type(provider) == "string" and jobs.has_provider(provider),
    "provider must be memories, screenplay, emogg or fastpix")
end

local function set_jobs(body)
  check_provider(body.provider)
  check(body.state == nil or type(body.state) == "string", "state must be a string")
  check(body.settings == nil or type(body.settings) == "table", "settings must be an object")
  for name, value in pairs(body.settings or {}) do
    check(type(value) == settings_types[name], "unknown setting, or one of a wrong type: " .. tostring(name))
  end
  local ids = type(body.id) == "table" and body.id or { body.id }
  check(#ids > 0, "id is missing")
  for _, id in ipairs(ids) do
    check(type(id) == "string", "id must be a string, or a list of strings")
    jobs.set(body.provider, id, body.state or providers.running_state(body.provider), body.settings)
  end
  return {}
end

local function get_jobs(query)
  if not query.provider then return { jobs = jobs.list() } end
  check_provider(query.provider)
  check(type(query.id) == "string", "id is missing")
  local job = jobs.get(query.provider, query.id)
  return { state = job and job.state }
end

local function set_faults(body)
  check(type(body.id) == "string", "id must be a string")
  check(type(body.steps) == "table", "steps must be a list")
  local good, message = faults.set(body.id, body.steps)
  check(good, message)
  return {}
end

local function reset()
  jobs.reset()
  faults.reset()
  requests.reset()
  return {}
end

local calls = {
  ["GET /health"] = function() return { directory = (ngx.config.prefix():gsub("/+$", "")) } end,
  ["GET /jobs"] = get_jobs,
  ["POST /jobs"] = set_jobs,
  ["POST /faults"] = set_faults,
  ["GET /requests"] = function(query) return { requests = requests.list(query.id) } end,
  -- The connection that asks is not counted.
  ["GET /connections"] = function() return { connections = tonumber(ngx.var.connections_active) - 1 } end,
  ["POST /reset"] = reset,
}

local function arguments()
  if ngx.req.get_method() == "GET" then return ngx.req.get_uri_args() end
  ngx.req.read_body()
  local text = ngx.req.get_body_data() or "{}"
  local good, value = pcall(json.decode, text)
  check(good and type(value) == "table", "the body is no JSON object")
  return value
end

function control.content()
  local good, value = pcall(function()
    local call = calls[ngx.req.get_method() .. " " .. ngx.var.uri]
    check(call, "there are: GET and POST /jobs, POST /faults, GET /requests, GET /connections, POST /reset")
    return call(arguments())
  end)
  if not good then
    ngx.status = 400
    value = { error = type(value) == "table" and value.message or tostring(value) }
  end
  ngx.print(json.encode(value), "\n")
end

return control
