--- One job: start, poll, wait, result, cancel; what it is when its client closes, when it is dropped, and what its
--- listener may do.
local core = require("mediastop.core")
local fault = require("spec.support.fault")
local many = require("spec.support.many")
local mediastop = require("mediastop")
local raw_server = require("spec.support.raw_server")
local support = require("spec.support")

-- Connections are kept where libcurl tells of each request.
local it_kept = support.with_libcurl("7.80", it, pending)
local socket = require("socket")

local unpack = rawget(_G, "unpack") or table.unpack

local emulator = support.emulator()
local client, mute

before_each(function()
  client = support.client({ timeout = 10 })
end)

after_each(function()
  client:close()
  if mute then
    mute:close()
    mute = nil
  end
end)

-- A job of memories with these fault steps.
local function start(steps, options)
  return many.start(client, steps, options)
end

local function arrived(id)
  return function()
    return #emulator:requests(id) > 0
  end
end

-- A job whose request is never answered.
local function start_mute(options)
  mute = mute or raw_server.listen({ { { read = true }, { hold = true } } })
  options = support.merge({ base_url = mute.origin .. "/serve/api/v2" }, options)
  return assert(client:start("memories.stop", "mute", options)), "mute"
end

-- The same, once the request has arrived.
local function start_hanging(options)
  local job, id = start_mute(options)
  many.step_until(client, function() return mute:requests() == 1 end)
  return job, id
end

local function check_mute_is_closed()
  mute:wait(function(connections) return connections[1].over end)
end

-- A job that was refused once, and waits for its next attempt.
local function start_waiting()
  local job, id = start({ { status = 503, headers = { ["Retry-After"] = "8" } } })
  many.step_until(client, function()
    local due = client:due()
    return arrived(id)() and due and due > 6 and due < 8.1
  end)
  return job, id
end

-- Fails if the functions take long together.
local function at_once(run)
  local began = socket.gettime()
  run()
  assert.is_true(socket.gettime() - began < fault.ROOM, "it blocks")
end

local function check_error(kind, reached, job)
  local result, message, err = job:result()
  assert.is_nil(result)
  assert.are.equal(kind, err.kind, message)
  assert.are.equal(message, err.message)
  assert.are.equal(reached, err.reached, message)
  return err
end

describe("start", function()
  it("returns at once, and so do poll, result, step and cancel", function()
    at_once(function()
      local job = start_mute()
      for _ = 1, 50 do
        assert.is_false(job:poll())
        assert.is_nil((job:result()))
        client:step()
      end
      job:cancel()
    end)
  end)

  for _, operation in ipairs(support.operations) do
    it("carries out what the call does: " .. operation.full, function()
      local called = assert(support.call(client, operation.provider, support.id(operation.provider)))
      local id = support.id(operation.provider)
      local job = assert(client:start(operation.full, id))
      assert.is_true(job:wait())
      local result = assert(job:result())
      assert.are.equal(id, result.id)
      assert.are.same(support.keys(called), support.keys(result))
      for _, field in ipairs({ "provider", "operation", "outcome", "confirmed", "state", "status", "attempts" }) do
        assert.are.equal(called[field], result[field], field)
      end
      assert.are_not.equal("active", emulator:state(operation.provider, id))
    end)
  end

  it("sends nothing by itself", function()
    local _, id = start()
    assert.is_false(arrived(id)())
    many.finish(client)
    assert.is_true(arrived(id)())
  end)

  it("returns an error for an id that cannot be sent", function()
    for _, id in ipairs({ "", ".", "..", "a\nb", ("x"):rep(256) }) do
      local job, message, err = client:start("emogg.stop", id)
      assert.is_nil(job)
      assert.are.equal("invalid_id", err.kind)
      assert.are.equal(message, err.message)
      assert.are.equal("no", err.reached)
    end
    assert.are.equal(0, client:step())
  end)

  it("returns an error for a credential that is none", function()
    local bare = core.new({ base_url = emulator:base_url() })
    for _, options in ipairs({ {}, { credentials = {} }, { credentials = { api_key = "a\nb" } } }) do
      local job, message, err = bare:start("memories.stop", "id", options)
      assert.is_nil(job)
      assert.are.equal("credentials", err.kind)
      assert.are.equal(message, err.message)
    end
    assert.are.equal(0, bare:step())
    bare:close()
  end)

  it("takes the options of the call", function()
    local job = start({ { status = 503, times = 9 } }, { attempts = 2, timeout = 5 })
    assert.is_true(job:wait())
    assert.are.equal(2, select(3, job:result()).attempts)
  end)

  it("is a function of the module and of core as well", function()
    local id = support.id("memories")
    for _, module in ipairs({ mediastop, core }) do
      local job = assert(module.start("memories.stop", id,
        { base_url = emulator.http .. "/serve/api/v2", credentials = emulator.credentials.memories }))
      assert.is_true(job:wait())
      assert(job:result())
      assert.are.equal(0, module.step())
    end
  end)
end)

describe("before its end", function()
  it("a job's result is nil, pending", function()
    local job = start_hanging()
    for _ = 1, 2 do
      local result, message, err = job:result()
      assert.is_nil(result)
      assert.are.equal("pending", message)
      assert.are.equal("pending", err.kind)
    end
  end)
end)

describe("after its end", function()
  it("a job gives the same result each time", function()
    local job = start()
    job:wait()
    local result = assert(job:result())
    assert.are.equal(1, select("#", job:result()))
    assert.is_true(job:poll())
    assert.is_true(job:wait(0))
    assert.are.equal(result, (job:result()))
  end)

  it("or the same error", function()
    local job = start({ { status = 404 } })
    job:wait()
    local _, message, err = job:result()
    assert.are.equal("not_found", err.kind)
    job:cancel()
    assert.are.equal(message, select(2, job:result()))
    assert.are.equal(err, select(3, job:result()))
  end)

  it_kept("its connection waits for the next job", function()
    local ids = many.ids("memories", 5)
    local seen = {}
    for _, id in ipairs(ids) do
      assert(client:start("memories.stop", id)):wait()
      seen[emulator:requests(id)[1].connection] = true
    end
    assert.are.equal(1, #support.keys(seen))
  end)
end)

describe("poll", function()
  it("alone finishes a job", function()
    local job = start()
    many.step_until(client, function() return job:poll() end)
    assert.are.equal("ended", assert(job:result()).outcome)
  end)

  it("of one job moves the others on", function()
    local job, other = start_hanging(), start()
    many.step_until(client, function()
      assert.is_false(job:poll())
      return other:poll()
    end)
    assert(other:result())
  end)
end)

describe("wait", function()
  it("ends with the job", function()
    local job = start({ { delay = 0.1 } })
    assert.is_true(job:wait(8))
    assert.are.equal("ended", assert(job:result()).outcome)
  end)

  it("ends with its time, and the job goes on", function()
    local job = start({ { delay = 0.5 } })
    local began = socket.gettime()
    assert.is_false(job:wait(0.1))
    local passed = socket.gettime() - began
    assert.is_true(passed >= 0.1 and passed < 0.1 + fault.ROOM)
    assert.is_true(job:wait())
    assert(job:result())
  end)

  it("of no seconds does not block", function()
    local job = start_hanging()
    at_once(function() assert.is_false(job:wait(0)) end)
  end)

  it("without an argument, or with endless seconds, goes on until the job's timeout", function()
    for _, argument in ipairs({ {}, { math.huge }, { 1e300 } }) do
      mute = nil
      local job = start_mute({ timeout = 0.3 })
      local began = socket.gettime()
      assert.is_true(job:wait(argument[1]))
      assert.is_true(socket.gettime() - began < 0.3 + fault.ROOM)
      check_error("timeout", "maybe", job)
    end
  end)

  it("for one job finishes others too", function()
    local slow, fast = start_hanging(), start()
    assert.is_false(slow:wait(0.5))
    assert(fast:result())
  end)
end)

describe("cancel ends a job with kind cancelled:", function()
  -- In which state; how far it got; how many attempts it counts.
  local cases = {
    ["before it is sent"] = { function() return start() end, "no", 0 },
    ["while it is sent"] = { start_hanging, "maybe", 1 },
    ["while it waits for its next attempt"] = { start_waiting, "yes", 1 },
  }
  for _, name in ipairs(support.keys(cases)) do
    local begin, reached, attempts = cases[name][1], cases[name][2], cases[name][3]
    it(name, function()
      local job, id = begin()
      assert.is_nil((job:cancel()))
      assert.is_true(job:poll())
      local err = check_error("cancelled", reached, job)
      assert.are.equal(attempts, err.attempts)
      assert.is_false(err.retryable)
      assert.are.equal(id, err.id)
      assert.are.equal("memories", err.provider)
      job:cancel()
      assert.are.equal(err, select(3, job:result()))
      assert.are.equal(0, client:step())
      assert.is_nil(client:due())
      assert.are.equal(attempts, id == "mute" and mute:requests() or #emulator:requests(id))
    end)
  end

  it("frees its connection at once", function()
    start_hanging():cancel()
    check_mute_is_closed()
  end)

  it("and not another", function()
    local job, other = start_hanging(), start({ { delay = 0.2 } })
    job:cancel()
    assert.is_true(other:wait())
    assert(other:result())
  end)
end)

describe("a job that is dropped unfinished is cancelled by the collector:", function()
  for name, begin in pairs({ ["not yet sent"] = start, ["being sent"] = function() start_hanging() end,
    ["waiting for its next attempt"] = function() start_waiting() end }) do
    it(name, function()
      begin()
      many.collect()
      assert.are.equal(0, client:step())
      assert.is_nil(client:due())
      if mute then
        check_mute_is_closed()
      end
    end)
  end

  it("but not one that somebody has", function()
    local job = start()
    many.collect()
    assert.is_true(client:step() <= 1) -- a quick answer may be there already
    assert.is_true(job:wait())
    assert.are_not.equal("cancelled", (select(3, job:result()) or {}).kind)
  end)

  it("and its client lives as long as a job of it", function()
    local id = support.id("memories")
    local job = assert(support.client():start("memories.stop", id))
    many.collect()
    assert.is_true(job:wait())
    assert.are.equal("ended", assert(job:result()).outcome)
  end)
end)

describe("client:close()", function()
  it("ends its jobs with kind closed", function()
    local waiting = start_waiting()
    local hanging = start_hanging()
    local fresh = start()
    local done = start()
    done:wait()
    fresh:result()
    local late = start()
    client:close()
    check_error("closed", "yes", waiting)
    check_error("closed", "maybe", hanging)
    check_error("closed", "no", late)
    assert(done:result())
    for _, job in ipairs({ waiting, hanging, late, done }) do
      assert.is_true(job:poll())
      assert.is_true(job:wait())
      job:cancel()
    end
    assert.are.equal("closed", select(3, late:result()).kind)
  end)

  it("makes what is started afterwards return that error", function()
    client:close()
    local id = support.id("memories")
    for _, begin in ipairs({
      function() return client:start("memories.stop", id) end,
      function() return client.memories.stop(id) end,
    }) do
      local result, message, err = begin()
      assert.is_nil(result)
      assert.are.equal("closed", err.kind)
      assert.are.equal(message, err.message)
      assert.are.equal("no", err.reached)
      assert.are.equal(id, err.id)
    end
    assert.is_false(arrived(id)())
  end)

  it("leaves a client that has nothing to do", function()
    start()
    client:close()
    assert.are.equal(0, client:step())
    assert.is_nil(client:due())
    local fd, message = client:fd()
    assert.is_nil(fd)
    assert.is_string(message)
  end)

  it("closes the connections", function()
    start_hanging()
    local fd = assert(client:fd())
    client:close()
    check_mute_is_closed()
    assert.is_nil(client:fd(), fd)
  end)

  it("is no business of another client", function()
    local other = support.client()
    local job = assert(other:start("memories.stop", support.id("memories")))
    client:close()
    assert.is_true(job:wait())
    assert(job:result())
    other:close()
  end)
end)

describe("local <close>", function()
  -- Older Luas cannot read it.
  local source = [[
    local value, run = ...
    local closing <close> = value
    run()
  ]]
  local load_string = rawget(_G, "loadstring") or load
  local closing = load_string(source)

  it("cancels a job", function()
    if not closing then
      return pending("this Lua has none")
    end
    local job = start_hanging()
    assert.is_false(pcall(closing, job, function() error("x") end))
    check_error("cancelled", "maybe", job)
  end)

  it("closes a client", function()
    if not closing then
      return pending("this Lua has none")
    end
    local job = start_hanging()
    closing(client, function() assert.is_false(job:poll()) end)
    check_error("closed", "maybe", job)
  end)
end)

describe("misuse raises and names the argument:", function()
  local function raises(words, call, ...)
    local good, message = pcall(call, ...)
    assert.is_false(good, "nothing was raised")
    assert.is_truthy(tostring(message):find(words, 1, true), ("%q has no %q"):format(tostring(message), words))
    assert.is_nil(message:find("%c"))
  end

  -- Everybody who has `start`.
  local starts = {
    mediastop = mediastop.start,
    core = core.start,
    ["a client"] = function(...) return client:start(...) end,
  }
  -- What the message says, and the arguments.
  local cases = {
    { "bad argument #1 to 'start' (string expected, got" },
    { "bad argument #1 to 'start' (string expected, got number", 42, "id" },
    { "bad argument #1 to 'start' (string expected, got table", {}, "id" },
    { "bad argument #1 to 'start' (unknown operation 'fastpix.finnish'; did you mean 'fastpix.finish'?",
      "fastpix.finnish", "id" },
    { "bad argument #1 to 'start' (unknown operation ''", "", "id" },
    { "bad argument #1 to 'start' (unknown operation 'memories'", "memories", "id" },
    { "bad argument #1 to 'start' (unknown operation 'mem?ories.stop'", "mem\nories.stop", "id" },
    { "bad argument #2 to 'start' (string expected, got", "memories.stop" },
    { "bad argument #2 to 'start' (string expected, got number", "memories.stop", 42 },
    { "bad argument #3 to 'start' (table expected, got number", "memories.stop", "id", 5 },
    { "bad argument #3 to 'start' (unknown option 'time_out'; did you mean 'timeout'?)", "memories.stop", "id",
      { time_out = 1 } },
    { "bad argument #3 to 'start' (option 'timeout'", "memories.stop", "id", { timeout = 0 } },
    { "bad argument #3 to 'start' (", "memories.stop", "id", { concurrency = 5 } },
    { "bad argument #3 to 'start' (", "memories.stop", "id", { max_connections = 5 } },
    { "bad argument #3 to 'start' (", "emogg.stop", "id", { credentials = { api_key = "secret-value" } } },
  }
  for name, begin in pairs(starts) do
    it("start of " .. name, function()
      for _, case in ipairs(cases) do
        raises(case[1], begin, unpack(case, 2, 4))
      end
    end)
  end

  it("a client's methods without the client", function()
    for _, method in ipairs({ "start", "step", "fd", "due", "close", "each" }) do
      local front = ("bad argument #1 to '%s' (client expected, got "):format(method)
      raises(front, client[method])
      for _, other in ipairs({ 1, "memories.stop", {}, print, io.stdout, mediastop }) do
        raises(front .. type(other), client[method], other, "id")
      end
    end
  end)

  it("a job's methods without the job", function()
    local job = start()
    for _, method in ipairs({ "poll", "wait", "result", "cancel" }) do
      local front = ("bad argument #1 to '%s' (job expected, got "):format(method)
      raises(front .. "no value", job[method])
      for _, other in ipairs({ 1, "x", {}, print, io.stdout, client }) do
        raises(front .. type(other), job[method], other)
      end
    end
  end)

  it("seconds that are none, or below 0", function()
    local job = start()
    for _, seconds in ipairs({ "1", true, {}, print, -1, -0.001, -math.huge, 0 / 0 }) do
      raises("bad argument #1 to 'wait' (", job.wait, job, seconds)
    end
    job:wait()
    raises("bad argument #1 to 'wait' (", job.wait, job, -1)
  end)

  it("and says where in the program", function()
    local _, message = pcall(function()
      local job = client:start(42)
      return job
    end)
    assert.is_truthy(message:find("job_spec.lua:%d+: bad argument"), message)
  end)

  it("and a job has no other fields, and cannot be opened", function()
    local job = start()
    assert.is_nil(job.credentials)
    assert.is_nil(job.client)
    assert.is_false(pcall(function() job.x = 1 end))
    assert.is_false(getmetatable(job))
    assert.is_false(getmetatable(client))
    assert.is_truthy(tostring(job):find("^mediastop.job: "))
  end)
end)

describe("on_event", function()
  local REFUSED_ONCE = { { status = 503, headers = { ["Retry-After"] = "0" } } }

  -- Every string in a value.
  local function strings(value, list)
    list = list or {}
    if type(value) == "table" then
      for key, item in pairs(value) do
        strings(key, list)
        strings(item, list)
      end
    elseif type(value) == "string" then
      list[#list + 1] = value
    end
    return list
  end

  for _, operation in ipairs(support.operations) do
    local provider = operation.provider
    it("is told of attempt, retry and result, and of no credential: " .. operation.full, function()
      local events, id = {}, support.id(provider)
      emulator:faults(id, REFUSED_ONCE)
      local job = assert(client:start(operation.full, id, { on_event = function(event)
        events[#events + 1] = event
      end }))
      assert.is_true(job:wait())
      local types = {}
      for i, event in ipairs(events) do
        types[i] = event.type
        assert.are.equal(provider, event.provider)
        assert.are.equal(operation.name, event.operation)
        assert.are.equal(id, event.id)
      end
      assert.are.same({ "attempt", "retry", "attempt", "result" }, types)
      assert.are.same({ 1, 1, 2 }, { events[1].attempt, events[2].attempt, events[3].attempt })
      assert.is_true(support.is_whole(events[1].attempt))
      assert.are.equal("server", events[2].kind)
      assert.is_true(events[2].wait >= 0 and events[2].wait <= 0.2)
      assert.are.equal(job:result(), events[4].result)
      assert.is_nil(events[4].error)
      for _, text in ipairs(strings(events)) do
        for _, secret in pairs(emulator.credentials[provider] or emulator.credentials.memories) do
          assert.is_nil(text:find(secret, 1, true))
        end
        assert.is_nil(text:find("Basic ", 1, true) or text:find("Bearer ", 1, true))
      end
    end)
  end

  it("is told of an error", function()
    local last
    local job = start({ { status = 404 } }, { on_event = function(event) last = event end })
    job:wait()
    assert.are.equal("result", last.type)
    assert.is_nil(last.result)
    assert.are.equal(select(3, job:result()), last.error)
  end)

  it("is told of what is cancelled and closed", function()
    local kinds = {}
    local function listen(event)
      kinds[#kinds + 1] = event.error and event.error.kind
    end
    start(nil, { on_event = listen }):cancel()
    local job = start(nil, { on_event = listen })
    client:close()
    assert.are.same({ "cancelled", "closed" }, kinds)
    job:poll()
    assert.are.equal(2, #kinds)
  end)

  it("may be the client's, and the call's wins", function()
    local heard = {}
    local function listener(name)
      return function(event)
        if event.type == "result" then
          heard[#heard + 1] = name
        end
      end
    end
    local other = support.client({ on_event = listener("client") })
    assert(other.memories.stop(support.id("memories")))
    assert(other.memories.stop(support.id("memories"), { on_event = listener("call") }))
    assert.are.same({ "client", "call" }, heard)
    other:close()
  end)

  -- What a listener does, and how its job ends: by the type of the event at which it does so. "ended" where nothing is
  -- said.
  local actions = {
    ["cancels its job"] = {
      run = function(job) job:cancel() end,
      ends = { attempt = "cancelled", retry = "cancelled" },
    },
    ["closes the client"] = {
      run = function() client:close() end,
      ends = { attempt = "closed", retry = "closed" },
      closes = true,
    },
    ["starts a job"] = { run = function(_, more) more[1] = start() end },
    ["starts many jobs"] = {
      run = function(_, more)
        for i = 1, 100 do
          more[i] = start()
        end
      end,
    },
    ["calls"] = {
      run = function() assert.are.equal("ended", assert(client.memories.stop(support.id("memories"))).outcome) end,
    },
    ["goes through each"] = {
      run = function()
        for _, result, message in client:each(many.requests("emogg.stop", many.ids("emogg", 5))) do
          assert(result, message)
        end
      end,
    },
    ["raises"] = { run = function() error("listener") end, raises = true },
    ["raises a table"] = { run = function() error({}) end, raises = true },
    ["raises nil"] = { run = function() error(nil) end, raises = true },
    ["steps and polls"] = { run = function(job) client:step() job:poll() job:result() end },
    ["waits a moment"] = { run = function(job) job:wait(0.02) end },
    ["waits for another job"] = {
      run = function()
        local other = start()
        assert.is_true(other:wait())
        assert(other:result())
      end,
    },
    ["cancels another job"] = {
      run = function(_, more)
        more[1] = start()
        more[1]:cancel()
      end,
      others = "cancelled",
    },
    ["collects garbage"] = { run = many.collect },
    ["yields"] = { run = function() coroutine.yield() end, raises = true },
  }

  for _, name in ipairs(support.keys(actions)) do
    for _, type_of_event in ipairs({ "attempt", "retry", "result" }) do
      it(("that %s, in %s"):format(name, type_of_event), function()
        local action, more, job, good, message, done = actions[name], {}, nil, nil, nil, false
        local bystander = start({ { delay = 0.05 } })
        job = start(REFUSED_ONCE, { on_event = function(event)
          if event.type ~= type_of_event or done then
            return
          end
          done = true
          if action.raises then
            action.run(job, more)
          end
          good, message = pcall(action.run, job, more)
        end })
        assert.is_true(job:wait())
        assert.is_true(done)
        assert.is_true(good or action.raises, tostring(message))
        local ends = action.ends and action.ends[type_of_event]
        local result, text, err = job:result()
        assert.are.equal(ends or "ended", ends and err.kind or result and result.outcome, text)
        -- The others are as if nothing had been.
        assert.is_true(bystander:wait())
        assert.are.equal(action.closes and not bystander:result() and "closed" or nil,
          select(3, bystander:result()) and select(3, bystander:result()).kind)
        for _, other in ipairs(more) do
          assert.is_true(other:wait())
          local _, _, other_err = other:result()
          assert.are.equal(action.others, other_err and other_err.kind)
        end
        assert.are.equal(0, client:step())
      end)
    end
  end

  it("that ends its job does not keep the wait for it waiting", function()
    local job
    job = start(nil, { timeout = 9, on_event = function(event)
      if event.type == "attempt" then
        job:cancel()
      end
    end })
    at_once(function() job:wait() end)
  end)
end)
