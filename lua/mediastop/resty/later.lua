--- Jobs that nobody waits for, at once or after a delay; by its key a delayed one can be called off.
-- @module mediastop.resty.later

local core = require "mediastop.core"
local ffi = require "ffi"
local pump = require "mediastop.resty.pump"

local ngx = ngx
local engine, tickets = core.engine, core.tickets
local clock = core.console.now -- of no date, which may jump
local has_exdata, exdata = pcall(require, "thread.exdata") -- where OpenResty's LuaJIT has the request

local LONGEST_PLAIN_KEY = 60 -- bytes; of a longer key the ticket has the hash
local TICK_SECONDS = 0.001
local LONGEST_TIMER = 86400 -- seconds: nginx waits for no number of milliseconds that is too large
local AT_ONCE = 16 -- jobs that begin before nginx sees to its other events
local LATE_SECONDS = 1 -- a timer of nginx that is overdue by more will not come
local SLICE_SECONDS = 0.005 -- of one client at a fast stop
local LAST_SECONDS = 0.9 -- nginx kills a worker that has not ended one second after it was told to

-- Delayed jobs in the order in which they are due: { due, station, operation, id, options, ticket }.
local delayed = {}
local timers = {} -- when the timers of nginx come that are set, as keys
local swept -- whether the tickets of dead processes have been looked for

-- The stations of this module's jobs under way, as keys: how many.
local under_way = {}

-- Refers to the newest of its kind, whose end is that of the Lua state.
local guard
local guards = newproxy(true)

local function name_of(key)
  return #key <= LONGEST_PLAIN_KEY and "=" .. key or "#" .. ngx.sha1_bin(key)
end

local function count(station, change)
  local number = (under_way[station] or 0) + change
  under_way[station] = number > 0 and number or nil
end

-- Who waits for a job that nobody waits for: says what came of it. `reports` tells it from those who wait in nginx's
-- loop.
local function new_reporter(station)
  return {
    reports = true,
    post = function(_, _, job)
      local result, message = job:result()
      count(station, -1)
      if result then
        ngx.log(ngx.INFO, "mediastop: ", result.provider, ".", result.operation, " ", result.id, ": ", result.outcome)
      else
        ngx.log(ngx.ERR, "mediastop: ", message)
      end
    end,
  }
end

local function start(station, operation, id, options)
  count(station, 1)
  local good, job, message, err = pump.start(station, true, new_reporter(station), engine.start_into, false, operation,
    id, options, "later")
  if not good or not job then
    count(station, -1)
    return good, job, message, err
  end
  return true, true
end

local function begin(item)
  local good, started, message = start(item.station, item.operation, item.id, item.options)
  if not good or not started then
    ngx.log(ngx.ERR, "mediastop: ", good and message or started)
  end
end

-- Carries out what is due, a few at a time, or all.
local function carry_out(all)
  ngx.update_time()
  local now, kept, due = clock(), {}, {}
  for i, item in ipairs(delayed) do
    local list = (all or i <= AT_ONCE and item.due <= now) and due or kept
    list[#list + 1] = item
  end
  delayed = kept
  for _, item in ipairs(due) do
    if not item.ticket or item.ticket:take() then
      begin(item)
    end
  end
end

-- Of what has a finalizer, Lua ends the newest first.
local function renew_guard()
  guard = newproxy(guards)
end

local set_timer

local function attend(premature)
  carry_out(premature)
  renew_guard()
  set_timer()
end

local function on_timer(premature, due)
  timers[due] = nil
  attend(premature)
end

-- Once a second: the timer may not have come.
local function look(premature)
  if delayed[1] and (premature or delayed[1].due <= clock()) then
    attend(premature)
  end
end

-- Sees to it that the timer comes when the first delayed job is due. A worker that exits lets all timers come at once.
function set_timer()
  local first = delayed[1]
  if not first then
    return
  end
  -- Not at once, for within one turn of nginx's loop its clock stands still.
  local now = clock()
  local wait = math.min(math.max(first.due - now, TICK_SECONDS), LONGEST_TIMER)
  local moment = now + wait
  for due in pairs(timers) do
    if due + LATE_SECONDS < now then
      timers[due] = nil -- nginx has dropped it
    elseif due <= moment then
      return
    end
  end
  local allowed, set, words = pcall(ngx.timer.at, wait, on_timer, moment)
  if allowed and set then
    timers[moment] = true
  elseif not allowed then
    return -- in exit_worker: the guard carries it out
  elseif ngx.worker.exiting() then
    carry_out(true)
  else
    ngx.log(ngx.ERR, "mediastop: no timer, so that delayed jobs may be late: ", words)
  end
end

-- ngx_lua leaves the request of init_worker or exit_worker, which is freed by then, in the Lua state: what is called at
-- the state's end belongs to none.
local function forget_request()
  if has_exdata then
    exdata(ffi.cast("void *", 0))
  else
    rawset(getfenv(0), "__ngx_req", nil) -- a LuaJIT that is not OpenResty's
  end
end

-- Moves the jobs on until none is left, or the time is over.
local function move_on(deadline)
  local slice = 0
  repeat
    carry_out(true) -- a listener may delay another
    for station in pairs(under_way) do
      engine.run(station.client, slice)
      pump.tell(station)
    end
    slice = SLICE_SECONDS
  until not next(under_way) or clock() >= deadline
end

local function cancel_all()
  for station in pairs(under_way) do
    local jobs = {}
    for job, waiter in pairs(station.waiters) do
      jobs[#jobs + 1] = waiter and job or nil
    end
    for _, job in ipairs(jobs) do
      job:cancel()
    end
    pump.tell(station)
  end
end

-- At the end of the Lua state, where nginx is told to stop fast: what can still be done is done, and told.
local function finish()
  local deadline = clock() + LAST_SECONDS
  forget_request()
  pump.leave()
  move_on(deadline)
  cancel_all()
end

getmetatable(guards).__gc = function(self)
  if self == guard then
    pcall(finish)
  end
end

local later = {}

--- Starts a job, now or after a delay; `mediastop.resty.later` with its arguments checked.
-- @tparam table station
-- @tparam string operation
-- @tparam string id
-- @tparam[opt] table options
-- @tparam number delay seconds
-- @tparam[opt] string key
-- @return what `pump.start` returns, with true in place of the job
function later.start(station, operation, id, options, delay, key)
  pump.tick(look)
  if delay == 0 then
    local good, started, message, err = start(station, operation, id, options)
    renew_guard()
    return good, started, message, err
  end
  local good, able, message, err = pcall(engine.check, station.client, operation, id, options, "later")
  if not good or not able then
    return good, able, message, err
  end
  ngx.update_time()
  local item = { due = clock() + delay, station = station, operation = operation, id = id, options = options }
  if key then
    if not swept then
      tickets.sweep()
      swept = true
    end
    local words
    item.ticket, words = tickets.issue(name_of(key))
    if not item.ticket then
      ngx.log(ngx.ERR, "mediastop: ", operation, " ", id, " cannot be called off: ", words)
    end
  end
  local place = #delayed + 1
  while place > 1 and delayed[place - 1].due > item.due do
    place = place - 1
  end
  table.insert(delayed, place, item)
  set_timer()
  renew_guard()
  return true, true
end

--- Calls delayed jobs off, of all workers.
-- @tparam string key
-- @treturn boolean whether there was one
function later.keep(key)
  return tickets.call_off(name_of(key)) > 0
end

return later
