--- The option `confirm`: after the stop the job is read until its provider reports an end state.
local mediastop = require("mediastop")
local core = require("mediastop.core")
local fault = require("spec.support.fault")
local many = require("spec.support.many")
local support = require("spec.support")

local emulator = support.emulator()
local client

setup(function()
  client = support.client({ timeout = 10, confirm = true })
end)

teardown(function()
  client:close()
end)

-- The three that can be read, and a state in which each is over.
local readable = {
  screenplay = { over = "cancelled" },
  emogg = { over = "finished" },
  fastpix = { over = "idle" },
}

-- A job whose stop says nothing final, and which is over after so many seconds.
local function slow_job(provider, seconds)
  local id = support.id()
  local answer = provider ~= "fastpix" and (provider == "emogg" and "active" or "running") or nil
  emulator:job(provider, id, nil, { finish_after = seconds, answer_state = answer })
  return id
end

-- What reads answer first, before the provider is itself again.
local function spoil_reads(id, steps)
  for _, step in ipairs(steps) do
    step.method = "GET"
  end
  emulator:faults(id, steps)
end

local function reads(id)
  local list = {}
  for _, request in ipairs(emulator:requests(id)) do
    if request.operation == "read" then
      list[#list + 1] = request
    end
  end
  return list
end

local job_ids = setmetatable({}, { __mode = "k" })

-- Starts a stop for each step, with which its first read is answered, and waits for all of them. Returns the jobs.
local function start_all(provider, steps)
  local jobs = {}
  for i, step in ipairs(steps) do
    local id = slow_job(provider, 0)
    spoil_reads(id, { step })
    jobs[i] = assert(client:start(support.operation(provider).full, id))
    job_ids[jobs[i]] = id
  end
  many.finish(client)
  return jobs
end

local function check_confirmed(provider, result, message)
  assert.is_table(result, message)
  assert.are.equal("ended", result.outcome)
  assert.is_true(result.confirmed)
  assert.are.equal(readable[provider].over, result.state)
  assert.is_nil(result.unconfirmed)
  assert.are.equal(1, result.attempts)
end

local function check_unconfirmed(result, message)
  assert.is_table(result, message)
  assert.are.equal("accepted", result.outcome)
  assert.is_false(result.confirmed)
  assert.is_string(result.unconfirmed)
  assert.is_nil(result.unconfirmed:find("%c"))
  assert.are.equal(1, result.attempts)
end

for _, provider in ipairs(support.keys(readable)) do
  local over = readable[provider].over

  describe("confirm, " .. provider .. ":", function()
    it("reads until the job is over", function()
      local id = slow_job(provider, 0.5)
      local result, message = support.call(client, provider, id)
      check_confirmed(provider, result, message)
      assert.are.equal(over, emulator:state(provider, id))
      assert.is_true(result.elapsed >= 0.5, "it ended before the job did")
      assert.is_true(#reads(id) >= 2)
    end)

    it("has the stop's answer in body, raw and status, and its provider, operation and id", function()
      local id = slow_job(provider, 0.1)
      local plain = support.client()
      local expected = assert(support.call(plain, provider, id))
      plain:close()
      emulator:job(provider, id, nil, { finish_after = 0.1, answer_state = expected.state })
      local result = assert(support.call(client, provider, id))
      for _, field in ipairs({ "provider", "operation", "id", "status", "raw", "body" }) do
        assert.are.same(expected[field], result[field], field)
      end
    end)

    it("reads the job and nothing else, by GET, with the credential and no body", function()
      local id = slow_job(provider, 0.1)
      assert(support.call(client, provider, id))
      local requests = emulator:requests(id)
      assert.are.equal("stop", requests[1].operation)
      for i = 2, #requests do
        assert.are.equal("GET", requests[i].method)
        assert.are.equal("read", requests[i].operation)
        assert.are.equal(provider, requests[i].provider)
        assert.are.equal("", requests[i].body)
        assert.is_truthy(requests[i].raw_header:find("\r\nAuthorization: ", 1, true))
        assert.is_nil(requests[i].raw_header:lower():find("\r\ncontent-"))
      end
    end)

    it("waits before each read, from 0.2 s on and twice as long each time", function()
      local id = slow_job(provider, 1)
      assert(support.call(client, provider, id))
      local requests = emulator:requests(id)
      assert.is_true(#requests >= 4)
      local pause = 0.2
      for i = 2, #requests do
        assert.is_true(requests[i].time - requests[i - 1].time >= pause - 0.02, ("read %d came early"):format(i - 1))
        pause = 2 * pause
      end
    end)

    it("that does not come in time is accepted, with the state that was read", function()
      local id = slow_job(provider, 60)
      local result, message = support.call(client, provider, id, { timeout = 0.9 })
      check_unconfirmed(result, message)
      assert.are.equal(emulator:state(provider, id), result.state)
      assert.is_truthy(result.unconfirmed:find("'" .. result.state .. "'", 1, true))
      assert.is_true(result.elapsed < 0.9 + fault.ROOM)
      assert.is_true(#reads(id) >= 2)
    end)

    it("has a read even where there is time for little", function()
      local id = slow_job(provider, 0)
      local result, message = support.call(client, provider, id, { timeout = 0.3 })
      check_confirmed(provider, result, message)
    end)

    it("tries a read again that fails, and counts none of them", function()
      local steps = {
        { status = 500 }, { status = 503 }, { drop = true }, { cut = { at = 3 } }, { body = "<html>" },
        { empty = true }, { body = "{}" }, { body = '{"success":false}' },
      }
      for i, job in ipairs(start_all(provider, steps)) do
        check_confirmed(provider, job:result())
        assert.are.equal(2, #reads(job_ids[job]), "after step " .. i)
      end
    end)

    it("obeys the Retry-After of a read", function()
      local asked = { ["Retry-After"] = "1" }
      local steps = { { status = 429, headers = asked }, { status = 503, headers = asked } }
      for _, job in ipairs(start_all(provider, steps)) do
        check_confirmed(provider, job:result())
        local list = reads(job_ids[job])
        assert.are.equal(2, #list)
        assert.is_true(list[2].time - list[1].time >= 0.98, "not waited for")
      end
    end)

    it("is over at once where Retry-After asks for more time than there is", function()
      local id = slow_job(provider, 0)
      spoil_reads(id, { { status = 429, headers = { ["Retry-After"] = "60" }, times = 9 } })
      local other = support.client({ timeout = 5, confirm = true })
      local result, message = support.call(other, provider, id)
      other:close()
      check_unconfirmed(result, message)
      assert.is_truthy(result.unconfirmed:find("rate_limited: ", 1, true))
      assert.is_true(result.elapsed < 2)
      assert.are.equal(1, #reads(id))
    end)

    it("does not run hot on a Retry-After of 0", function()
      local id = slow_job(provider, 0)
      spoil_reads(id, { { status = 503, headers = { ["Retry-After"] = "0" }, times = 999 } })
      check_unconfirmed(support.call(client, provider, id, { timeout = 1.5 }))
      assert.is_true(#reads(id) < 10)
    end)

    it("gives up at once on what another read would not change, and says why", function()
      local statuses = { 400, 402, 403, 404, 422, 302 }
      local kinds = { "invalid_request", "payment_required", "forbidden", "not_found", "invalid_request", "redirect" }
      local steps = {}
      for i, status in ipairs(statuses) do
        steps[i] = { status = status, body = "{}", times = 9 }
      end
      for i, job in ipairs(start_all(provider, steps)) do
        local result, message = job:result()
        check_unconfirmed(result, message)
        assert.are.equal(kinds[i] .. ": ", result.unconfirmed:match("^[%a_]+: "))
        assert.is_truthy(result.unconfirmed:find(("(HTTP %d)"):format(statuses[i]), 1, true))
        assert.are.equal(1, #reads(job_ids[job]))
      end
    end)

    it("takes no answer about another job", function()
      local id = slow_job(provider, 0)
      local another = '{"_id":"x","state":"finished","success":true,"data":{"task_id":"x","streamId":"x",'
        .. '"status":"cancelled"}}'
      spoil_reads(id, { { body = another, times = 99 } })
      local result, message = support.call(client, provider, id, { timeout = 1.5 })
      check_unconfirmed(result, message)
      assert.is_truthy(result.unconfirmed:find("protocol: ", 1, true))
    end)

    it("bounds each read by attempt_timeout", function()
      local id = slow_job(provider, 0)
      spoil_reads(id, { { hang = 5 } })
      local result, message = support.call(client, provider, id, { attempt_timeout = 0.3 })
      check_confirmed(provider, result, message)
      assert.is_true(result.elapsed < 5)
    end)

    it("keeps to timeout where no read is answered", function()
      local id = slow_job(provider, 0)
      spoil_reads(id, { { hang = 5, times = 99 } })
      local result, message = support.call(client, provider, id, { timeout = 1 })
      check_unconfirmed(result, message)
      assert.is_true(result.elapsed < 1 + fault.ROOM)
    end)

    it("asks for another credential where a read is refused", function()
      local asked, id = 0, slow_job(provider, 0)
      spoil_reads(id, { { status = 401 } })
      local good = emulator.credentials[provider] or emulator.credentials.memories
      local result, message = support.call(client, provider, id, {
        credentials = function()
          asked = asked + 1
          -- The refused one is another, though the provider takes both.
          if asked == 1 then
            return good
          end
          local fields = support.copy(good)
          for name, value in pairs(fields) do
            fields[name] = value .. "x"
          end
          return fields
        end,
      })
      assert.are.equal(2, asked)
      -- The emulator refuses that other one: what counts is that it was sent.
      check_unconfirmed(result, message)
      assert.is_truthy(result.unconfirmed:find("unauthorized: ", 1, true))
      assert.are.equal(2, #reads(id))
    end)

    it("confirms what was ended already, if that is to be no error", function()
      local id = support.id()
      emulator:job(provider, id, over)
      local result, message = support.call(client, provider, id, { ignore_ended = true })
      assert.is_table(result, message)
      assert.are.equal("already_ended", result.outcome)
      assert.is_true(result.confirmed)
      assert.are.equal(over, result.state)
    end)

    it("confirms what a lost attempt ended", function()
      local id = slow_job(provider, 0)
      emulator:faults(id, { { after = true, drop = true } })
      local result, message = support.call(client, provider, id)
      assert.is_table(result, message)
      assert.are.equal("already_ended", result.outcome)
      assert.is_true(result.confirmed)
      assert.are.equal(over, result.state)
      assert.are.equal(2, result.attempts)
    end)

    it("leaves an error an error, and reads nothing", function()
      local id = support.id()
      emulator:job(provider, id, over)
      local result, message, err = support.call(client, provider, id)
      assert.is_nil(result)
      assert.are.equal("not_active", err.kind, message)
      assert.are.equal(0, #reads(id))
      local _, _, unknown = support.call(client, provider, support.id())
      assert.are.equal("not_found", unknown.kind)
    end)

    it("tells a listener of the stop's attempt and of the result, not of the reads", function()
      local id, types, last = slow_job(provider, 0.3), {}, nil
      spoil_reads(id, { { status = 503 } })
      assert(support.call(client, provider, id, { on_event = function(event)
        types[#types + 1] = event.type
        last = event
      end }))
      assert.are.same({ "attempt", "result" }, types)
      assert.are.equal("ended", last.result.outcome)
      assert.is_true(last.result.confirmed)
    end)

    it("serves a polled job", function()
      local id = slow_job(provider, 0.3)
      local job = assert(client:start(support.operation(provider).full, id))
      many.finish(client)
      check_confirmed(provider, job:result())
    end)

    it("is pending until the job is over", function()
      local id = slow_job(provider, 0.4)
      local job = assert(client:start(support.operation(provider).full, id))
      many.step_until(client, function() return #reads(id) > 0 end)
      assert.are.equal("pending", select(2, job:result()))
      assert.is_true(job:wait())
      check_confirmed(provider, job:result())
    end)

    it("is called off by cancel and close, which say that the stop was taken", function()
      for kind, call_off in pairs({
        cancelled = function(_, job) job:cancel() end,
        closed = function(other) other:close() end,
      }) do
        local id, other = slow_job(provider, 60), support.client({ confirm = true })
        local job = assert(other:start(support.operation(provider).full, id))
        many.step_until(other, function() return #reads(id) > 0 end)
        call_off(other, job)
        local result, message, err = job:result()
        assert.is_nil(result)
        assert.are.equal(kind, err.kind)
        assert.are.equal("yes", err.reached)
        assert.are.equal(1, err.attempts)
        assert.is_truthy(message:find("had taken the stop", 1, true))
        other:close()
      end
    end)

    it("may be collected while it reads", function()
      local id, other = slow_job(provider, 60), support.client({ confirm = true })
      other:start(support.operation(provider).full, id)
      many.step_until(other, function()
        collectgarbage()
        return other:step() == 0
      end)
      other:close()
    end)

    it("serves each, over HTTP/2 as well", function()
      local ids = {}
      for i = 1, 60 do
        ids[i] = slow_job(provider, 0.1)
      end
      local other = support.origin_client(emulator.h2, { confirm = true })
      local count = 0
      for _, result, message in other:each(many.requests(support.operation(provider).full, ids)) do
        check_confirmed(provider, result, message)
        count = count + 1
      end
      assert.are.equal(60, count)
      other:close()
    end)
  end)
end

describe("confirm", function()
  it("reads nothing where the stop's own answer reports the end", function()
    for _, case in ipairs({ { "screenplay" }, { "emogg", "finished" } }) do
      local id = support.id()
      emulator:job(case[1], id, nil, { answer_state = case[2] })
      check_confirmed(case[1], support.call(client, case[1], id))
      assert.are.equal(0, #reads(id))
    end
  end)

  it("takes every end of a task for one", function()
    for _, state in ipairs({ "completed", "failed", "cancelled", "canceled", "CANCELLED" }) do
      local id = slow_job("screenplay", 60)
      spoil_reads(id, { { body = ('{"code":200,"data":{"task_id":%q,"status":%q}}'):format(id, state) } })
      local result, message = client.screenplay.cancel(id)
      assert.is_table(result, message)
      assert.are.equal("ended", result.outcome)
      assert.are.equal(state, result.state)
    end
  end)

  it("takes a disabled stream for one that is over, and no other state", function()
    local id = slow_job("fastpix", 60)
    local body = '{"success":true,"data":{"streamId":"%s","status":"%s"}}'
    spoil_reads(id, { { body = body:format(id, "preparing") }, { body = body:format(id, "disabled") } })
    local result, message = client.fastpix.finish(id)
    assert.is_table(result, message)
    assert.are.equal("ended", result.outcome)
    assert.are.equal("disabled", result.state)
  end)

  it("tells accepted from ended where the provider only said yes", function()
    local id = slow_job("fastpix", 60)
    assert.are.equal("ended", assert(client.fastpix.finish(id, { confirm = false })).outcome)
    id = slow_job("fastpix", 60)
    assert.are.equal("accepted", assert(client.fastpix.finish(id, { timeout = 0.5 })).outcome)
  end)

  it("shows nothing of FastPix's answer but the status", function()
    local seen = {}
    local function look(value, path)
      if type(value) == "table" then
        for key, item in pairs(value) do
          look(key, path)
          look(item, path .. "." .. tostring(key))
        end
      elseif type(value) == "string" and (value:find("emulator-s", 1, true) or value:find("streamKey", 1, true)) then
        seen[#seen + 1] = path
      end
    end
    local function listen(event)
      look(event, "event")
    end
    local whole = '{"success":false,"message":"emulator-srt-secret-0123456789abcdef","data":{"streamId":"%s",'
      .. '"streamKey":"emulator-stream-key-0123456789abcdef"}}'
    for _, step in ipairs({
      { normal = true }, { body = whole }, { status = 500, body = whole }, { body = whole:sub(1, 90) },
    }) do
      local id = slow_job("fastpix", 60)
      step.times = 99
      spoil_reads(id, { step })
      local result, message = client.fastpix.finish(id, { timeout = 0.4, on_event = listen })
      look({ result, message }, "result")
    end
    assert.are.same({}, seen)
  end)

  it("raises for memories, which has nothing to read, and sends nothing", function()
    for _, owner in ipairs({ client, mediastop, core }) do
      local id = support.id("memories")
      local good, message = pcall(owner.memories.stop, id, { confirm = true })
      assert.is_false(good)
      assert.is_truthy(message:find("bad argument #2 to 'stop' (option 'confirm'", 1, true))
      assert.is_truthy(message:find("nothing to read for memories.stop", 1, true))
      assert.are.same({}, emulator:requests(id))
    end
    local good, message = pcall(client.start, client, "memories.stop", "id", { confirm = true })
    assert.is_false(good)
    assert.is_truthy(message:find("bad argument #3 to 'start' (option 'confirm'", 1, true))
  end)

  it("of a client leaves memories as it is", function()
    local id = support.id("memories")
    local result = assert(client.memories.stop(id))
    assert.are.equal("ended", result.outcome)
    assert.is_false(result.confirmed)
    assert.are.equal(1, #emulator:requests(id))
    assert(client.memories.stop(id, { confirm = false }))
  end)

  it("is an error of that one request in each", function()
    local memories, emogg = support.id("memories"), slow_job("emogg", 0)
    local seen = {}
    for request, result, _, err in client:each({
      { "memories.stop", memories, { confirm = true } }, { "emogg.stop", emogg, { confirm = true } },
    }) do
      seen[request[1]] = result and result.outcome or err.kind
    end
    assert.are.same({ ["memories.stop"] = "misuse", ["emogg.stop"] = "ended" }, seen)
  end)

  it("raises if it is no boolean", function()
    for _, value in ipairs({ 1, 0, "yes", {} }) do
      for _, call in ipairs({
        function() client.emogg.stop("id", { confirm = value }) end,
        function() mediastop.new({ confirm = value }) end,
      }) do
        local good, message = pcall(call)
        assert.is_false(good)
        assert.is_truthy(message:find("option 'confirm' must be a boolean", 1, true))
      end
    end
  end)

  it("is off by default", function()
    local plain = support.client()
    local id = slow_job("emogg", 0)
    assert.are.equal("accepted", assert(plain.emogg.stop(id)).outcome)
    assert.are.equal(0, #reads(id))
    plain:close()
  end)

  it("does not keep a fork's child waiting", function()
    if not many.has_processes then
      return pending("process.so is built for one Lua at a time")
    end
    local printed = many.good_child([[
      local client = new_client({ confirm = true, timeout = 8 })
      local job = assert(client:start("fastpix.finish", place.ids[1]))
      local until_read = os.time() + 5
      repeat client:step() until client:due() and client:due() > 0.05 or os.time() > until_read
      local pid = process.fork()
      if pid == 0 then
        job:wait()
        local _, _, err = job:result()
        io.stderr:write(err and err.kind == "cancelled" and "" or "the child: " .. tostring(err and err.kind))
        process.leave(0)
      end
      process.wait(pid)
      assert(job:wait())
      print(assert(job:result()).outcome)
    ]], { slow_job("fastpix", 0.5) })
    assert.are.equal("ended\n", printed)
  end)
end)
