--- Reading a job's state: `screenplay.status`, `emogg.status`, `fastpix.status`.
local mediastop = require("mediastop")
local core = require("mediastop.core")
local fault = require("spec.support.fault")
local many = require("spec.support.many")
local support = require("spec.support")

local emulator = support.emulator()
local client

setup(function()
  client = support.client({ timeout = 10 })
end)

teardown(function()
  client:close()
end)

-- The states of each, and whether the job is over in them.
local states = {
  screenplay = { pending = false, running = false, completed = true, failed = true, cancelled = true },
  emogg = { active = false, processing = false, finished = true },
  fastpix = { idle = true, preparing = false, active = false, disabled = true },
}

local paths = {
  screenplay = "/serve/api/v2/screenplay/tasks/",
  emogg = "/v1/sessions/",
  fastpix = "/v1/live/streams/",
}

-- A job in this state, whose reads are answered with these steps first.
local function job_in(provider, state, steps)
  local id = support.id()
  emulator:job(provider, id, state)
  if steps then
    for _, step in ipairs(steps) do
      step.method = "GET"
    end
    emulator:faults(id, steps)
  end
  return id
end

for _, provider in ipairs(support.keys(states)) do
  describe(provider .. ".status", function()
    for state, over in pairs(states[provider]) do
      it("reads " .. state .. (over and ", which is an end" or ""), function()
        local id = job_in(provider, state)
        local result, message = client[provider].status(id)
        assert.is_table(result, message)
        assert.are.equal(provider, result.provider)
        assert.are.equal("status", result.operation)
        assert.are.equal(id, result.id)
        assert.are.equal(state, result.state)
        assert.are.equal(over, result.confirmed)
        assert.are.equal(over and "already_ended" or nil, result.outcome)
        assert.are.equal(200, result.status)
        assert.are.equal(1, result.attempts)
        assert.is_number(result.elapsed)
        assert.are.equal(state, emulator:state(provider, id))
      end)
    end

    it("asks by GET, with the credential and no body, and ends nothing", function()
      local id = job_in(provider)
      local before = emulator:state(provider, id)
      assert(client[provider].status(id))
      local requests = emulator:requests(id)
      assert.are.equal(1, #requests)
      assert.are.equal("GET", requests[1].method)
      assert.are.equal(paths[provider] .. id, requests[1].path)
      assert.are.equal("", requests[1].body)
      assert.is_truthy(requests[1].raw_header:find("\r\nAuthorization: ", 1, true))
      assert.is_nil(requests[1].raw_header:lower():find("\r\ncontent-"))
      assert.are.equal(before, emulator:state(provider, id))
    end)

    it("knows an end in any letter case", function()
      local over = provider == "screenplay" and "Completed" or provider == "emogg" and "FINISHED" or "Idle"
      local result = assert(client[provider].status(job_in(provider, over)))
      assert.are.equal(over, result.state)
      assert.is_true(result.confirmed)
    end)

    it("of an unknown job is not_found", function()
      local result, message, err = client[provider].status(support.id())
      fault.check({ kind = "not_found", reached = "yes" }, result, message, err)
      assert.are.equal("status", err.operation)
    end)

    it("has the errors of every call", function()
      local kinds = {
        [400] = "invalid_request", [401] = "unauthorized", [402] = "payment_required", [403] = "forbidden",
        [404] = "not_found", [409] = "invalid_request", [422] = "invalid_request", [302] = "redirect",
      }
      for status, kind in pairs(kinds) do
        local result, message, err = client[provider].status(job_in(provider, nil, { { status = status } }))
        fault.check({ kind = kind, reached = "yes", status = status }, result, message, err)
      end
    end)

    it("is tried again, and counts its attempts", function()
      for _, step in ipairs({ { status = 503 }, { status = 429 }, { drop = true }, { hang = 2 } }) do
        local result, message = client[provider].status(job_in(provider, nil, { step }), { attempt_timeout = 0.4 })
        assert.is_table(result, message)
        assert.are.equal(2, result.attempts)
      end
      local result, message, err = client[provider].status(job_in(provider, nil, { { status = 503, times = 9 } }))
      fault.check({ kind = "server", reached = "yes", attempts = 3 }, result, message, err)
    end)

    it("that is lost does not say that the job may have been ended", function()
      local result, message, err = client[provider].status(job_in(provider, nil, { { drop = true, times = 9 } }),
        { attempts = 1 })
      fault.check({ kind = "network", reached = "maybe" }, result, message, err)
      assert.is_nil(message:find("may have been ended", 1, true))
    end)

    it("keeps to its timeout", function()
      local id = job_in(provider, nil, { { hang = 5, times = 9 } })
      local result, message, err = client[provider].status(id, { timeout = 0.3 })
      fault.check({ kind = "timeout", reached = "maybe" }, result, message, err)
      assert.is_true(err.elapsed < 0.3 + fault.ROOM)
    end)

    it("takes nothing for an answer that cannot be one", function()
      for _, step in ipairs({
        { empty = true }, { status = 204 }, { body = "<html>" }, { body = "[]" },
        { body = '{"_id":"x","state":"finished","data":{"task_id":"x","streamId":"x","status":"idle"}}' },
      }) do
        local result, message, err = client[provider].status(job_in(provider, nil, { step }))
        fault.check({ kind = "protocol", reached = "yes" }, result, message, err)
      end
    end)

    it("has no state where the answer has none", function()
      for _, body in ipairs({ "{}", '{"data":null}', '{"state":1,"data":{"status":["idle"]}}' }) do
        local result, message = client[provider].status(job_in(provider, nil, { { body = body } }))
        assert.is_table(result, message)
        assert.is_nil(result.state)
        assert.is_nil(result.outcome)
        assert.is_false(result.confirmed)
      end
    end)

    it("refuses the ids that every call refuses", function()
      for _, id in ipairs({ "", ".", "..", "a\nb", ("x"):rep(256) }) do
        local _, _, err = client[provider].status(id)
        assert.are.equal("invalid_id", err.kind)
      end
      local strange = "a/b?c#d e%" .. provider
      emulator:job(provider, strange)
      local result, message = client[provider].status(strange)
      assert.is_table(result, message)
      assert.are.equal(paths[provider] .. "a%2Fb%3Fc%23d%20e%25" .. provider, emulator:requests(strange)[1].path)
    end)

    it("raises on misuse", function()
      assert.are.equal(mediastop[provider], require("mediastop." .. provider))
      for _, owner in ipairs({ client, mediastop, core }) do
        for argument, case in pairs({
          ["#1 to 'status' (string expected"] = { 42 },
          ["#2 to 'status' (table expected"] = { "id", "timeout" },
          ["#2 to 'status' (unknown option 'time_out'; did you mean 'timeout'?)"] = { "id", { time_out = 1 } },
          ["#2 to 'status' (option 'confirm' is for a stop"] = { "id", { confirm = true } },
        }) do
          local good, message = pcall(owner[provider].status, case[1], case[2])
          assert.is_false(good)
          assert.is_truthy(message:find("bad argument " .. argument, 1, true), message)
        end
      end
    end)

    it("does without the options that are for stops", function()
      local other = support.client({ confirm = true, ignore_ended = true })
      local id = job_in(provider)
      assert.are.equal(emulator:state(provider, id), assert(other[provider].status(id)).state)
      assert.are.equal(1, #emulator:requests(id))
      other:close()
    end)

    it("is an operation of start and each", function()
      local name, id = provider .. ".status", job_in(provider)
      local job = assert(client:start(name, id))
      many.finish(client)
      assert.are.equal(emulator:state(provider, id), assert(job:result()).state)
      for request, result, message in client:each({ { name, id } }) do
        assert.is_table(result, message)
        assert.are.equal(name, request[1])
        assert.are.equal(emulator:state(provider, id), result.state)
      end
    end)

    it("tells a listener of its attempts", function()
      local types = {}
      assert(client[provider].status(job_in(provider, nil, { { status = 503 } }), { on_event = function(event)
        types[#types + 1] = event.type
        assert.are.equal("status", event.operation)
      end }))
      assert.are.same({ "attempt", "retry", "attempt", "result" }, types)
    end)

    it("takes a new credential after a 401", function()
      local asked, id = 0, job_in(provider)
      local good = emulator.credentials[provider] or emulator.credentials.memories
      local bad = support.copy(good)
      for name, value in pairs(bad) do
        bad[name] = value .. "x"
      end
      local result, message = client[provider].status(id, { credentials = function()
        asked = asked + 1
        return asked == 1 and bad or good
      end })
      assert.is_table(result, message)
      assert.are.equal(2, asked)
    end)
  end)
end

describe("the answer", function()
  it("of screenplay and emogg is in body and raw", function()
    local result = assert(client.screenplay.status(job_in("screenplay", "running")))
    assert.are.equal(4, result.body.data.progress.total_episodes)
    assert.is_truthy(result.raw:find("total_episodes", 1, true))
    assert.are.equal("live_analysis", assert(client.emogg.status(job_in("emogg"))).body.type)
  end)

  local key = "emulator-stream-key-0123456789abcdef"
  local body = '{"success":%s,"message":"' .. key .. '","error":%s,"data":{"streamId":"%s","streamKey":"' .. key
    .. '","status":"active"}}'

  it("of FastPix, which holds keys, is in neither", function()
    local result = assert(client.fastpix.status(job_in("fastpix")))
    assert.are.equal("active", result.state)
    assert.is_nil(result.body)
    assert.is_nil(result.raw)
    assert.is_string(result.request_id)
  end)

  it("of FastPix is in no error either", function()
    local function look(value)
      if type(value) == "table" then
        for _, item in pairs(value) do
          look(item)
        end
      elseif type(value) == "string" then
        assert.is_nil(value:find(key, 1, true))
      end
    end
    local id = support.id()
    for _, step in ipairs({
      { body = body:format("false", "null", id) }, { body = body:format("true", '{"code":500}', id) },
      { body = body:format("true", "null", "another") }, { body = body:format("true", "null", id):sub(1, -2) },
      { body = "[" .. body:format("true", "null", id) .. "]" },
      { status = 302, body = body:format("true", "null", id) },
      { status = 200, cut = { at = 150 } },
    }) do
      step.method, step.times = "GET", 3
      emulator:job("fastpix", id)
      emulator:faults(id, { step })
      local result, message, err = client.fastpix.status(id)
      assert.is_nil(result)
      look({ message, err })
      assert.is_nil(err.body)
      assert.is_nil(err.raw)
    end
  end)

  it("of FastPix under a failing status gives the provider's words", function()
    local _, message, err = client.fastpix.status(support.id())
    assert.are.equal("stream not found: The requested stream does not exist.", err.detail)
    assert.are.equal("404", err.code)
    assert.is_truthy(message:find(err.detail, 1, true))
    assert.is_nil(err.body)
  end)
end)

it("memories has no status to read", function()
  assert.is_nil(client.memories.status)
  assert.is_nil(mediastop.memories.status)
  local good, message = pcall(client.start, client, "memories.status", "id")
  assert.is_false(good)
  assert.is_truthy(message:find("unknown operation 'memories.status'", 1, true))
end)
