--- The hooks of nginx-rtmp: ends the jobs of a stream whose publisher has gone and does not come back.
-- The name of a stream is its key, a secret: it is in no message here, and goes to nobody.

local cjson = require "cjson.safe"
local resty = require "mediastop.resty"

local ngx = ngx

local MOST_ARGUMENTS = 32 -- nginx-rtmp's own come first, the publisher's behind them
local LARGEST_FILE = 2 ^ 20 -- bytes

-- How the job of a provider is ended.
local operations = {
  emogg = "emogg.stop",
  fastpix = "fastpix.finish",
  memories = "memories.stop",
  screenplay = "screenplay.cancel",
}

local hooks = {}

local settings, client

--- To be called in init_by_lua.
-- @tparam table options `streams`: path of the file that says which jobs belong to a stream; `grace`: seconds;
-- `client`: options of `mediastop.new`
function hooks.configure(options)
  settings, client = options, resty.new(options.client)
end

-- The file's content, read anew each time, so that it can change while nginx runs. nil and why not.
local function read_streams()
  local file, problem = io.open(settings.streams, "rb")
  if not file then
    return nil, problem
  end
  local text, words = file:read(LARGEST_FILE + 1)
  file:close()
  if not text then
    words = words or "is empty"
  elseif #text > LARGEST_FILE then
    words = "is larger than 1 MiB"
  else
    local streams
    streams, words = cjson.decode(text)
    if type(streams) == "table" then
      return streams
    end
  end
  return nil, settings.streams .. ": " .. (words or "is no JSON object")
end

local function field(value, name)
  return type(value) == "table" and value[name] or nil
end

-- The jobs of a stream: a list of { operation, id }. They come from the operator's file only. The form has the
-- publisher's query in it, and an id from there would let whoever may publish one stream end another.
local function jobs_of(app, name)
  local streams, problem = read_streams()
  if not streams then
    ngx.log(ngx.ERR, "mediastop: ", problem)
    return {}
  end
  local jobs, entry = {}, field(field(streams, app), name)
  if entry == nil then
    return jobs
  elseif type(entry) ~= "table" then
    ngx.log(ngx.ERR, "mediastop: ", settings.streams, ": a stream of '", app, "' is no object")
    return jobs
  end
  for provider, id in pairs(entry) do
    local operation = operations[provider]
    if not operation then
      ngx.log(ngx.ERR, "mediastop: ", settings.streams, ": a stream of '", app, "' has '", provider,
        "', which is no provider")
    elseif type(id) == "string" then
      jobs[#jobs + 1] = { operation = operation, id = id }
    elseif id ~= cjson.null then
      ngx.log(ngx.ERR, "mediastop: ", settings.streams, ": a stream of '", app, "' has a '", provider,
        "' that is no string")
    end
  end
  return jobs
end

local function key_of(job)
  return job.operation .. " " .. job.id
end

-- There is a publisher.
local function keep(job)
  if resty.keep(key_of(job)) then
    ngx.log(ngx.INFO, "mediastop: ", job.operation, " ", job.id, ": called off, there is a publisher")
  end
end

-- A publisher has gone: perhaps not the only one, for nginx-rtmp tells of those whom it refused as well.
local function stop(job)
  resty.keep(key_of(job))
  local started, message = client:later(job.operation, job.id, {
    delay = settings.grace,
    key = key_of(job),
    ignore_ended = true,
  })
  if started then
    ngx.log(ngx.INFO, "mediastop: ", job.operation, " ", job.id, ": in ", settings.grace, " s")
  else
    ngx.log(ngx.ERR, "mediastop: ", message)
  end
end

local actions = { publish = keep, update_publish = keep, publish_done = stop }

-- An argument's value; of several the first, which is nginx-rtmp's.
local function first(value)
  if type(value) == "table" then
    value = value[1]
  end
  return type(value) == "string" and value or nil
end

--- Answers a hook: 204 to whatever nginx-rtmp sends, which cuts the publisher or player off at anything from 300 on.
-- Who may publish is not decided here.
function hooks.answer()
  if ngx.req.get_method() ~= "POST" then
    return ngx.exit(ngx.HTTP_NOT_ALLOWED)
  end
  ngx.req.read_body()
  local form = ngx.req.get_post_args(MOST_ARGUMENTS) or {}
  local app, name, act = first(form.app), first(form.name), actions[first(form.call)]
  if app and name and act then
    for _, job in ipairs(jobs_of(app, name)) do
      act(job)
    end
  end
  return ngx.exit(ngx.HTTP_NO_CONTENT)
end

return hooks
