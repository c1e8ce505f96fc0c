--- mediastop in nginx (OpenResty, or nginx with its Lua module), where nothing may block the worker.
-- The functions are those of `mediastop`. A call yields the light thread that it is in, where that can wait: in
-- `rewrite`, `access`, `content`, `preread`, timers, `ssl_certificate`, `ssl_session_fetch` and `ssl_client_hello`.
-- Elsewhere it is refused (`kind = "blocking"`), unless `allow_blocking = true`; `later` works there as well.
-- Functions in options (`credentials`, `on_event`) are called by C: they cannot yield, and are not to call `ngx.exit`.
-- @module mediastop.resty

local core = require "mediastop.core"
local credentials = require "mediastop.credentials"
local each = require "mediastop.each"
local later = require "mediastop.resty.later"
local pump = require "mediastop.resty.pump"
local semaphores = require "ngx.semaphore"

local ngx = ngx
local engine = core.engine
local new_core = core.constructor(credentials.find, {})

local SPARE_JOBS = 100 -- of a client

-- Phases of nginx in which a light thread may wait.
local waiting_phases = {
  rewrite = true,
  server_rewrite = true,
  access = true,
  content = true,
  preread = true,
  timer = true,
  ssl_cert = true,
  ssl_session_fetch = true,
  ssl_client_hello = true,
}

-- Whether the caller is to wait where it cannot: in another phase, or within a function of C.
local function must_not_wait()
  return not waiting_phases[ngx.get_phase()] or not engine.is_yieldable()
end

local function bad_argument(level, number, name, format, ...)
  error(("bad argument #%d to '%s' (%s)"):format(number, name, format:format(...)), level + 1)
end

-- What came after true; what came after false is raised: misuse where the program called the function that calls this
-- one.
local function check(good, ...)
  if good then
    return ...
  end
  local message = ...
  error(message, type(message) == "string" and message:find("^bad argument") and 3 or 0)
end

-- The same, raised as it is.
local function check_quietly(good, ...)
  if good then
    return ...
  end
  error((...), 0)
end

-- The station of a client; the station of a job, and the core's job: nobody else sees them.
local station_of = setmetatable({}, { __mode = "k" })
local parts_of = setmetatable({}, { __mode = "k" })

local function job_parts(self, name)
  local parts = parts_of[self]
  if not parts then
    bad_argument(3, 1, name, "job expected, got %s", type(self))
  end
  return parts.job, parts.station
end

local Job = {}

function Job:poll()
  local job, station = job_parts(self, "poll")
  local done = job:poll()
  pump.tell(station)
  return done
end

function Job:wait(seconds)
  local job, station = job_parts(self, "wait")
  if seconds ~= nil and type(seconds) ~= "number" then
    bad_argument(2, 1, "wait", "number of seconds expected, got %s", type(seconds))
  elseif seconds and (seconds < 0 or seconds ~= seconds) then
    bad_argument(2, 1, "wait", "a number from 0 expected")
  elseif not must_not_wait() then
    return pump.wait(station, job, seconds)
  end
  -- Refused, unless the job may block.
  local done, message, err = job:wait(seconds)
  pump.tell(station)
  return done, message, err
end

function Job:result()
  local job = job_parts(self, "result")
  return job:result()
end

function Job:cancel()
  local job, station = job_parts(self, "cancel")
  job:cancel()
  pump.tell(station)
end

local job_metatable = {
  __index = Job,
  __metatable = false,
  __tostring = function(self)
    return tostring(parts_of[self].job)
  end,
}

-- How `each` starts and waits.
local function host_of(station)
  local semaphore = assert(semaphores.new())
  local done
  local waiter = {
    post = function(_, _, job)
      done[#done + 1] = job
      semaphore:post(1)
    end,
  }
  return {
    must_not_wait = must_not_wait,
    start_into = function(_, list, ...)
      done = list
      return check_quietly(pump.start(station, false, waiter, engine.start_into, ...))
    end,
    run = function(_, seconds)
      pump.await(station, semaphore, seconds)
    end,
  }
end

local function copy_of(options)
  local copy = {}
  for name, value in pairs(options) do
    copy[name] = value
  end
  return copy
end

-- Splits the options of `later`: those of the call, the delay, the key.
local function read_later(options)
  if options ~= nil and type(options) ~= "table" then
    bad_argument(3, 3, "later", "table expected, got %s", type(options))
  end
  local copy = copy_of(options or {})
  local delay, key = copy.delay or 0, copy.key
  copy.delay, copy.key = nil, nil
  if type(delay) ~= "number" then
    bad_argument(3, 3, "later", "option 'delay' must be a number of seconds, got %s", type(delay))
  elseif not (delay >= 0 and delay < math.huge) then
    bad_argument(3, 3, "later", "option 'delay' must be a finite number from 0")
  elseif key ~= nil and type(key) ~= "string" then
    bad_argument(3, 3, "later", "option 'key' must be a string, got %s", type(key))
  elseif key == "" then
    bad_argument(3, 3, "later", "option 'key' is empty")
  end
  return copy, delay, key
end

-- The functions of a station: those of the module, and the methods of a client.
local functions = {}

-- Before its workers begin nginx has no timers, and what its master starts is not theirs: refused, whatever the options
-- say.
local function refuse_in_init(station, operation, id, options, name)
  if type(options) == "table" then
    options = copy_of(options)
    options.allow_blocking = nil
  end
  local _, message, err = check(pcall(engine.start_into, station.client, station.done, true, operation, id, options,
    name))
  return nil, message, err
end

function functions.start(station, operation, id, options)
  if ngx.get_phase() == "init" then
    return refuse_in_init(station, operation, id, options)
  end
  local job, message, err = check(pump.start(station, false, false, engine.start_into, false, operation, id, options))
  if not job then
    return nil, message, err
  end
  local self = setmetatable({}, job_metatable)
  parts_of[self] = { job = job, station = station }
  return self
end

function functions.each(station, requests, options)
  local next_result, state, first = each(station.client, requests, options, host_of(station))
  return next_result, state, first
end

function functions.step(station)
  local unfinished = station.client:step()
  pump.tell(station)
  return unfinished
end

function functions.fd(station)
  return station.client:fd()
end

function functions.due(station)
  return station.client:due()
end

function functions.close(station)
  station.client:close()
  pump.tell(station)
end

function functions.later(station, operation, id, options)
  local copy, delay, key = read_later(options)
  if ngx.get_phase() == "init" then
    return refuse_in_init(station, operation, id, copy, "later")
  end
  local good, message, err = check(later.start(station, operation, id, copy, delay, key))
  return good, message, err
end

-- The results of a job that is done; the next call may use it again.
local function take(spare, job)
  local again, result, message, err = engine.take(job)
  if again and #spare < SPARE_JOBS then
    spare[#spare + 1] = job
  end
  return result, message, err
end

-- The function of an operation.
local function new_call(station, operation)
  local spare = station.spare
  return function(id, options)
    local refused = must_not_wait()
    local kept = table.remove(spare) or true
    local job, message, err = check(pump.start(station, true, false, engine.call_into, refused, operation, id,
      options, nil, kept))
    if not job then
      return nil, message, err
    elseif refused then
      job:wait() -- the caller said that it may block
      pump.tell(station)
    else
      pump.wait(station, job)
    end
    return take(spare, job)
  end
end

-- Gives `object` the tables of the providers: what else they hold does not wait.
local function add_operations(object, station)
  local bound = core.bind(station.client)
  for _, operation in ipairs(engine.operations) do
    local provider, name = operation:match("^(.*)%.(.*)$")
    object[provider] = bound[provider]
    object[provider][name] = new_call(station, operation)
  end
  return object
end

local methods = {}
for name, f in pairs(functions) do
  methods[name] = function(self, ...)
    local station = station_of[self]
    if not station then
      bad_argument(2, 1, name, "client expected, got %s", type(self))
    end
    return f(station, ...)
  end
end

local client_metatable = {
  __index = methods,
  __metatable = false,
  __tostring = function(self)
    return tostring(station_of[self].client)
  end,
}

--- A client with options and connections of its own.
-- @tparam[opt] table options defaults of its calls
-- @return a client: `client.memories.stop(id)` and so on with a dot; with a colon the functions from `start` on
-- @raise on an unknown option, or one of the wrong type
local function new(options)
  local station = pump.station(check(pcall(new_core, options)))
  local self = setmetatable(add_operations({}, station), client_metatable)
  station_of[self] = station
  return self
end

local default = pump.station(new_core())

local resty = add_operations({
  _VERSION = core._VERSION,
  --- JSON's null, as it stands in `body`; the same value as `cjson.null`.
  null = core.null,
  --- Where credentials are found: `explain(provider)`, `preload()`.
  credentials = credentials,
  new = new,
}, default)

--- Starts a job and returns at once, in any phase but `init`; as `mediastop.start`.
-- @function start
-- @tparam string operation
-- @tparam string id
-- @tparam[opt] table options
-- @return[1] job: `job:poll()`, `job:wait(seconds)`, which yields, `job:result()`, `job:cancel()`
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table error
function resty.start(operation, id, options)
  return functions.start(default, operation, id, options)
end

--- Carries out many requests, a bounded number at a time; as `mediastop.each`.
-- @function each
-- @param requests a list of, or an iterator over, `{ "memories.stop", id, options }`
-- @tparam[opt] table options `{ concurrency = 64 }`
-- @return for the generic `for`: request, result | request, nil, message, error
function resty.each(requests, options)
  return functions.each(default, requests, options)
end

--- Moves every job on; there is no need to call it, since jobs are moved on as nginx's events come.
-- @function step
-- @treturn integer how many jobs are unfinished
function resty.step()
  return functions.step(default)
end

--- As `mediastop.fd`.
-- @function fd
function resty.fd()
  return functions.fd(default)
end

--- As `mediastop.due`.
-- @function due
function resty.due()
  return functions.due(default)
end

--- Starts a job that nobody waits for, in any phase but `init`. What comes of it goes to `on_event`, and to nginx's
-- error log, failures at the level `error`.
-- What is still delayed when the worker exits is carried out then, within its timeout; on a fast shutdown (`nginx -s
-- stop`) within the second that nginx leaves its workers, or cancelled. A worker that is killed takes what it had
-- delayed with it.
-- @function later
-- @tparam string operation
-- @tparam string id
-- @tparam[opt] table options those of a call, and `delay` (seconds; 0) and `key` (string), by which `keep` calls a
-- delayed job off
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table error of a job that cannot be sent: a bad id, no credential
function resty.later(operation, id, options)
  return functions.later(default, operation, id, options)
end

--- Calls off what `later` has delayed under a key, in whichever worker of this master.
-- @tparam string key
-- @treturn boolean whether there was something
function resty.keep(key)
  if type(key) ~= "string" then
    bad_argument(2, 1, "keep", "string expected, got %s", type(key))
  end
  return later.keep(key)
end

return resty --[[@as mediastop.Resty]]
