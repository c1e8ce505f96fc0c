--- Many jobs at once, a bounded number of them in flight.
-- @module mediastop.each

local core = require "mediastop.core"

-- Compiled code would keep the first loops alive, and so the jobs of one that was left.
local jit = rawget(_G, "jit")
if jit then
  jit.off(true, true)
end

local client_due, now = core.new().due, core.console.now
local drain, take_results, send = core.engine.drain, core.engine.take, core.engine.send

-- Who waits for the jobs: we ourselves, unless another host is given, which moves them on by itself.
local plain = {
  start_into = core.engine.start_into,
  must_not_wait = core.engine.must_not_block,
  run = core.engine.run,
  moves_by_run = true,
}

local DEFAULT_CONCURRENCY = 64
local LONGEST_RUN = 1 -- second; a run ends with the first result all the same
local SHORT_RUN = 0.05 -- while the iterator may have a request any moment
local MOVE_SECONDS = 0.001 -- the program may take so long with a result

-- What an iterator of our own gives while it has no request, but may come to have one.
local none_yet = {}
core.engine.none_yet = none_yet

-- Raises where the program calls `each`: above this, the reader of the argument, and two functions named each.
local function bad_argument(number, text)
  error(("bad argument #%d to 'each' (%s)"):format(number, text), 5)
end

local function read_client(client)
  local good, problem = pcall(client_due, client)
  if not good and tostring(problem):find "client expected" then
    bad_argument(1, "client expected, got " .. type(client))
  elseif not good then
    error(problem, 0)
  end
  return client
end

local function read_concurrency(options)
  if options == nil then
    return DEFAULT_CONCURRENCY
  elseif type(options) ~= "table" then
    bad_argument(2, "table expected, got " .. type(options))
  end
  for name in pairs(options) do
    if name ~= "concurrency" then
      bad_argument(2, ("unknown option '%s'; each has 'concurrency'"):format(tostring(name)))
    end
  end
  local concurrency = options.concurrency
  if concurrency == nil then
    return DEFAULT_CONCURRENCY
  elseif type(concurrency) ~= "number" or concurrency < 1 or concurrency % 1 ~= 0 then
    bad_argument(2, "option 'concurrency' must be a whole number from 1")
  end
  return concurrency
end

-- Returns the iterator, and whether it may take long for a request.
local function read_requests(requests)
  local metatable = getmetatable(requests)
  if type(requests) == "function" or type(metatable) == "table" and metatable.__call then
    -- By pcall: what blames its caller, as the error of a coroutine.wrap does, would name a line of this file.
    return function()
      local good, request = pcall(requests)
      if not good then
        error(request, 0)
      end
      return request
    end, true
  elseif type(requests) ~= "table" then
    bad_argument(1, "list or iterator expected, got " .. type(requests))
  end
  local i = 0
  return function()
    i = i + 1
    return requests[i]
  end, false
end

local function misuse(request, message)
  local operation = type(request) == "table" and rawget(request, 1)
  operation = type(operation) == "string" and operation or ""
  local provider, name = operation:match "^([%w_]+)%.([%w_]+)$"
  return nil, message, {
    kind = "misuse",
    message = message,
    provider = provider,
    operation = name,
    id = type(request) == "table" and rawget(request, 2) or nil,
    reached = "no",
    retryable = false,
    attempts = 0,
    elapsed = 0,
  }
end

--- Carries out requests, `concurrency` at a time, and gives out each with its result in the order in which they end.
-- The requests are read as slots become free. A `break` cancels what is unfinished: at once on Lua 5.4, by the
-- collector before.
-- @param client
-- @param requests a list of, or an iterator over, `{ "memories.stop", id, options }`
-- @tparam[opt] table options `{ concurrency = 64 }`: jobs in flight, results not yet taken included
-- @tparam[opt] table host whose `start_into` and `run` are as those of `core.engine`; `must_not_wait()` says whether a
-- wait is refused
-- @treturn function iterator for the generic `for`: request, then what the call would return; a request that is none
-- gives nil, message and an error of kind `misuse`
-- @raise on a wrong argument; whatever the iterator raises
local function each(client, requests, options, host)
  host = host or plain
  local start_into, must_not_wait, run = host.start_into, host.must_not_wait, host.run
  read_client(client)
  local pull, may_take_long = read_requests(requests)
  local concurrency = read_concurrency(options)
  local done = {} -- the engine adds finished jobs to it
  local ready, count, taken = {}, 0, 0 -- those that were drained from it
  local request_of, in_flight, exhausted = {}, 0, false
  local kept -- a job that is done and can be used again: as a rule the next request follows at once
  local move_at = 0 -- when the jobs are next to be moved on while there is more to start, or to give out

  local function cancel_all()
    exhausted = true
    for job in pairs(request_of) do
      job:cancel()
    end
    request_of, done, count, taken, in_flight, kept = {}, {}, 0, 0, 0, nil
  end

  -- What is unfinished does not outlive an error.
  local function check(ok, value, ...)
    if not ok then
      cancel_all()
      error(value, 0)
    end
    return value, ...
  end

  -- Starts a request. Returns its job; or nil, message, error, also where a call would raise misuse.
  local function start(request)
    if type(request) ~= "table" then
      return misuse(request, "a request is a table { operation, id, options }, got " .. type(request))
    end
    local again = kept
    kept = nil
    local ok, job, message, err = pcall(start_into, client, done, must_not_wait(), rawget(request, 1),
      rawget(request, 2), rawget(request, 3), nil, again or true)
    if ok then
      return job, message, err
    elseif type(job) == "string" and job:find("^bad argument") then
      return misuse(request, job)
    end
    error(job, 0)
  end

  -- Whether one has finished and was not given out.
  local function has_ready()
    if taken == count then
      count, taken = drain(done, ready), 0
    end
    return taken < count
  end

  local function take()
    taken = taken + 1
    local job = ready[taken]
    local request = request_of[job]
    ready[taken], request_of[job] = false, nil
    in_flight = in_flight - 1
    local again, result, message, err = take_results(job)
    if again then
      kept = job
    end
    return request, result, message, err
  end

  -- Begins what was started and settles what is answered, for the program may take its time.
  local function move()
    if in_flight > 0 and host.moves_by_run and now() >= move_at then
      run(client, 0)
      move_at = now() + MOVE_SECONDS
    end
  end

  local function step()
    move()
    while true do
      local seconds = LONGEST_RUN
      while not exhausted and in_flight < concurrency do
        local request = pull()
        if request == nil then
          exhausted = true
          break
        elseif request == none_yet then
          seconds = SHORT_RUN
          break
        end
        local job, message, err = start(request)
        if not job then
          return request, nil, message, err
        end
        request_of[job] = request
        in_flight = in_flight + 1
        if may_take_long and move_at > 0 then
          send(client) -- which the client's thread carries out
        else
          move()
        end
      end
      if has_ready() then
        return take()
      elseif in_flight > 0 then
        if run(client, seconds) == 0 and not has_ready() then
          -- In a finalizer: the client was finalised meanwhile, and let go of its jobs.
          local job, request = next(request_of)
          if not job:poll() then
            error("each: called by a function that its last job waits for", 0)
          end
          request_of[job], in_flight = nil, in_flight - 1
          return request, job:result()
        end
      elseif exhausted then
        return nil
      end
    end
  end

  local function next_result()
    return check(pcall(step))
  end

  return next_result, nil, nil, setmetatable({}, { __close = cancel_all })
end

return each
