--- Moves the jobs of one Lua state of an nginx worker on, woken by events.
--
-- One light thread, in a timer, waits on a unix socket, the bell. The thread of a client, which does all that libcurl
-- does, writes a byte to it when an exchange is over or a moment has come; then the pump moves the jobs on and wakes
-- whoever waits for one that is done. It ends, and the threads with it, when there has been nothing to do for a second
-- or two, within a second where the worker exits.
-- @module mediastop.resty.pump

local core = require "mediastop.core"
local semaphores = require "ngx.semaphore"

local ngx = ngx
local engine = core.engine
local clock = core.console.now -- of no date, which may jump

local pump = {}

local BEAT_SECONDS = 1
local TICK_SECONDS = 0.001 -- some nginx logs a warning of a sleep of 0
local WORKING_SECONDS = 600 -- then another light thread takes over: nginx frees a timer's memory at its end
local LONGEST_RECEIVE = 2 ^ 31 - 1 -- milliseconds
local DRAIN_BYTES = 1024
local LOOK_SECONDS = 1 -- how often who waits looks whether the pump still runs
local HEED_SECONDS = 0.1 -- how often whoever needs the pump looks whether nginx has ended it
local POLL_SECONDS = 0.01 -- where there can be no pump
local SPARE_SEMAPHORES = 1000

-- Where this was loaded. In init_by_lua that is the process that the worker comes from; but with `lua_code_cache off`
-- it runs for each request as well, in the worker.
local phase, process = ngx.get_phase(), ngx.worker.pid()

-- Stations with unfinished jobs, as keys.
local active = {}

-- Stations whose thread rings the bell, as keys.
local ringing = setmetatable({}, { __mode = "k" })

local bell -- of the pump that runs
local running, starting -- whether one runs or tries to; until when one that has been asked for may still begin
local heed_at = 0 -- when to look whether nginx has ended it
local was_idle, is_over -- it had nothing to do at the last beat; it is to end
local chore, ticks -- what is to be done once a second, of the pump's user; whether nginx lets it
local spare = {} -- semaphores that nobody uses

--- A client together with those who wait for its jobs.
-- @param client of `core`
-- @treturn table `client`; `spare`: jobs that are done and can be used again; `done`: where finished jobs come to;
-- `waiters`, by unfinished job: what its method `post(1, job)` tells that the job is done, a semaphore say, or false;
-- `held`: jobs that go on without anybody
function pump.station(client)
  return { client = client, spare = {}, done = {}, waiters = setmetatable({}, { __mode = "k" }), held = {} }
end

--- Tells those whose jobs are done.
function pump.tell(station)
  local waiters, held, jobs = station.waiters, station.held, {}
  for i = 1, station.done[1] and engine.drain(station.done, jobs) or 0 do
    local job = jobs[i]
    local waiter = waiters[job]
    waiters[job], held[job] = nil, nil
    if waiter then
      local good, words = pcall(waiter.post, waiter, 1, job)
      if not good then
        ngx.log(ngx.ERR, "mediastop: ", words)
      end
    end
  end
end

-- Moves the jobs of a station on. Seconds until that is next needed; nil where an event will say so.
local function move(station)
  local client = station.client
  local unfinished = client:step()
  pump.tell(station)
  if unfinished > 0 then
    return client:due()
  end
  active[station] = nil
end

-- Whether the station rings the bell: it does not where there is no thread to be had.
local function add(station)
  if station.bell ~= bell and bell:add(station.client) then
    station.bell, ringing[station] = bell, true
  end
  return station.bell == bell
end

-- Takes the bell from all, and their threads.
local function silence()
  for station in pairs(ringing) do
    engine.silence(station.client)
    station.bell, ringing[station] = nil, nil
  end
end

-- Connects a socket of nginx to a new bell. Returns both, or nil and why not.
local function connect()
  local new, problem = engine.bell()
  if not new then
    return nil, problem
  end
  local socket = ngx.socket.tcp()
  local connected, words = socket:connect("unix:" .. new:path())
  if connected then
    connected, words = new:accept()
  end
  if not connected then
    new:close()
    return nil, words
  end
  socket:settimeout(LONGEST_RECEIVE)
  return new, socket
end

-- Rings once a second: jobs may have ended unseen, with their client say. Twice with nothing to do, and the pump ends.
-- It sleeps in the pump's own timer, since nginx may refuse or drop another.
local function beat(of)
  while bell == of do
    ngx.sleep(BEAT_SECONDS)
    local is_idle = not next(active)
    is_over = is_idle and was_idle
    was_idle = is_idle
    of:ring()
  end
end

-- Moves all on until the pump is to end.
local function work(socket)
  local ends = clock() + WORKING_SECONDS
  while not is_over and clock() < ends do
    local pause
    for station in pairs(active) do
      local rings = add(station)
      local due = move(station)
      pause = due == 0 and TICK_SECONDS or pause or not rings and POLL_SECONDS or nil
      engine.ring_at(station.client, due)
    end
    if not next(active) and ngx.worker.exiting() then
      return
    elseif pause then
      ngx.sleep(pause)
    elseif not socket:receiveany(DRAIN_BYTES) then
      return
    end
  end
end

-- Moves all on for a while without the bell, in this timer: a worker that exits is given no other that comes later.
local function poll()
  local ends = clock() + LOOK_SECONDS
  starting = ends + LOOK_SECONDS -- in vain, if a function in an option calls ngx.exit
  repeat
    ngx.sleep(POLL_SECONDS)
    for station in pairs(active) do
      pcall(move, station)
    end
  until not next(active) or clock() >= ends
  starting = nil
end

local start

local function run()
  if running then
    return -- the timer of before came after all
  end
  running = true
  local beating
  local good, message = pcall(function()
    local socket
    bell, socket = connect()
    if not bell then
      error("no event will come, so that calls poll: " .. socket, 0)
    end
    was_idle, is_over = false, false
    beating = ngx.thread.spawn(beat, bell)
    work(socket)
  end)
  if beating then
    ngx.thread.kill(beating)
  end
  silence()
  if bell then
    bell:close()
  end
  bell, starting, running = nil, nil, false
  if not good then
    ngx.log(ngx.ERR, "mediastop: ", message)
    poll()
  end
  if next(active) then
    start()
  end
end

-- A function in an option may have called ngx.exit, by which nginx ends the light thread that the function was in, the
-- pump perhaps, without a word to it.
local function bury_dead()
  local now = clock()
  if not bell or now < heed_at then
    return
  end
  heed_at = now + HEED_SECONDS
  if not bell:is_heard() then
    ngx.log(ngx.ERR, "mediastop: a function in an option has called ngx.exit, which is not for it")
    silence()
    bell:close()
    bell, starting, running = nil, nil, false
  end
end

local function is_about()
  return running or starting and clock() < starting
end

-- Starts the pump, unless it runs or is about to. nginx may have no timer to spare, and may drop one that was set.
-- Returns whether the pump moves the jobs on.
function start()
  bury_dead()
  if not is_about() then
    local allowed, set, words = pcall(ngx.timer.at, 0, run)
    starting = allowed and clock() + LOOK_SECONDS or nil
    if allowed and not set and not ngx.worker.exiting() then
      ngx.log(ngx.ERR, "mediastop: no timer, so that calls poll: ", words)
    end
  end
  return bell ~= nil
end

-- Where there is no pump and none is about to come, this timer is its: nobody may wait for the jobs.
local function on_tick(premature)
  chore(premature)
  bury_dead()
  if next(active) and not is_about() then
    run()
  end
  if not bell then
    for station in pairs(active) do
      move(station)
    end
  end
end

-- Whether this Lua state is known to be the worker's, not that of a request.
local function is_of_worker()
  return phase == "init_worker" or phase == "init" and ngx.worker.pid() ~= process
end

-- nginx drops a timer while too many run, and refuses one while too many are set; of those that come again and again it
-- drops no more than one turn. They cannot be ended, and so would keep the Lua state of a request for ever.
local function ensure_ticks()
  if chore and not ticks and is_of_worker() then
    local allowed, set = pcall(ngx.timer.every, LOOK_SECONDS, on_tick)
    ticks = allowed and set
  end
end

--- Once a second from now on, as soon as nginx has a timer to spare, calls the function and sees to it that jobs are
--- moved on for which nobody waits.
function pump.tick(f)
  chore = f
  ensure_ticks()
end

--- Starts a job and sends what can be sent at once.
-- @tparam table station
-- @tparam boolean held whether the job goes on when nobody refers to it any more
-- @param waiter whose method `post(1, job)` tells that it is done; or false
-- @tparam function into `start_into` or `call_into` of `core.engine`
-- @param ... what it takes from its third argument on
-- @treturn boolean whether nothing was raised
-- @return job; or nil, message, error; or what was raised: misuse as the string that it is
function pump.start(station, held, waiter, into, ...)
  local good, job, message, err = pcall(into, station.client, station.done, ...)
  if not good or not job then
    return good, job, message, err
  end
  station.waiters[job], station.held[job] = waiter, held or nil
  active[station], was_idle = true, false
  ensure_ticks()
  if start() and not add(station) then
    bell:ring() -- where there is no thread the pump polls, once it knows
  end
  local due = engine.send(station.client)
  pump.tell(station)
  if bell and due then
    engine.ring_at(station.client, due, true)
  end
  return true, job
end

--- Waits for one post, and keeps the jobs moving where there is no pump to do so.
-- @tparam table station
-- @param semaphore
-- @tparam[opt] number seconds at most
-- @treturn boolean whether it came
function pump.await(station, semaphore, seconds)
  local ends = seconds and clock() + seconds
  repeat
    -- In whole ticks, for of a part nginx makes none.
    local left = ends and math.max(0, math.ceil((ends - clock()) / TICK_SECONDS) * TICK_SECONDS) or LOOK_SECONDS
    local runs = start()
    if semaphore:wait(math.min(left, runs and LOOK_SECONDS or POLL_SECONDS)) then
      return true
    end
    if not runs then
      move(station)
    end
    ngx.update_time()
  until ends and clock() >= ends
  return semaphore:wait(0) or false
end

-- Those who wait for a job, beside the one that it was started with, if any. No closure: what that has of a light
-- thread's stack is gone once the thread is killed.
local audience = {}
audience.__index = audience

function audience:post(count, job)
  if self.first then
    self.first:post(count, job)
  end
  for semaphore in pairs(self.semaphores) do
    semaphore:post(count)
  end
end

--- Waits until a job is done.
-- @tparam table station
-- @param job
-- @tparam[opt] number seconds at most
-- @treturn boolean whether it is done
function pump.wait(station, job, seconds)
  local waiters = station.waiters
  local all = waiters[job]
  if all == nil then
    return true
  end
  local semaphore = table.remove(spare) or assert(semaphores.new())
  if getmetatable(all) ~= audience then
    all = setmetatable({ first = all, semaphores = {} }, audience)
    waiters[job] = all
  end
  all.semaphores[semaphore] = true
  local came = pump.await(station, semaphore, seconds)
  all.semaphores[semaphore] = nil
  if #spare < SPARE_SEMAPHORES then
    spare[#spare + 1] = semaphore
  end
  return came
end

--- nginx's loop is over: nobody waits any more but a waiter that `reports`, and whoever calls moves the jobs on.
function pump.leave()
  bell = nil
  for station in pairs(active) do
    for job, waiter in pairs(station.waiters) do
      station.waiters[job] = waiter and waiter.reports and waiter or false
    end
  end
end

return pump
