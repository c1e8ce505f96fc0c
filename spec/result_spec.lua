local mediastop = require("mediastop")
local cjson = require("cjson")
local support = require("spec.support")

local emulator = support.emulator()

local function deep(levels)
  return ('{"a":'):rep(levels - 1) .. "{}" .. ("}"):rep(levels - 1)
end

describe("a result", function()
  local client

  setup(function() client = support.client({ attempts = 1 }) end)
  teardown(function() client:close() end)

  local function answered(provider, step, options)
    local id, result, message = support.answered(client, provider, step, options)
    assert(result, message)
    return result, id
  end

  -- What the emulator, left to itself, makes of each operation.
  local usual = {
    memories = { outcome = "ended", confirmed = false, job = "stopped" },
    screenplay = { outcome = "ended", confirmed = true, state = "cancelled", job = "cancelled" },
    emogg = { outcome = "accepted", confirmed = false, state = "active", job = "processing" },
    fastpix = { outcome = "ended", confirmed = false, job = "idle" },
  }

  for _, operation in ipairs(support.operations) do
    local provider = operation.provider

    describe("of " .. operation.full, function()
      it("has all its fields, and the job is ended", function()
        local expected = usual[provider]
        local id = support.id(provider)
        local result = assert(support.call(client, provider, id))
        assert.are.equal(provider, result.provider)
        assert.are.equal(operation.name, result.operation)
        assert.are.equal(id, result.id)
        assert.are.equal(expected.outcome, result.outcome)
        assert.are.equal(expected.confirmed, result.confirmed)
        assert.are.equal(expected.state, result.state)
        assert.are.equal(200, result.status)
        assert.is_true(support.is_whole(result.status))
        assert.are.equal(1, result.attempts)
        assert.is_true(support.is_whole(result.attempts))
        assert.is_number(result.elapsed)
        assert.is_true(result.elapsed >= 0)
        assert.is_table(result.body)
        assert.are.same(cjson.decode(result.raw), result.body)
        assert.are.equal(expected.job, emulator:state(provider, id))
      end)

      it("is the only value returned", function()
        assert.are.equal(1, select("#", support.call(client, provider, support.id(provider))))
      end)

      it("is the same over TLS and HTTP/2", function()
        local id = support.id(provider)
        local plain = assert(support.call(client, provider, id))
        for _, origin in ipairs({ emulator.tls, emulator.h2 }) do
          local secure = support.origin_client(origin)
          emulator:job(provider, id)
          local result = assert(support.call(secure, provider, id))
          secure:close()
          for _, field in ipairs({ "provider", "operation", "id", "outcome", "confirmed", "state", "status", "attempts",
            "body", "raw" }) do
            assert.are.same(plain[field], result[field])
          end
        end
      end)

      it("of an empty 2xx is accepted, not confirmed", function()
        for _, step in ipairs({ { empty = true }, { status = 204 }, { status = 202, empty = true } }) do
          local result = answered(provider, step)
          assert.are.equal("accepted", result.outcome)
          assert.is_false(result.confirmed)
          assert.is_nil(result.state)
          assert.is_nil(result.body)
          assert.are.equal("", result.raw)
          assert.are.equal(step.status or 200, result.status)
        end
      end)

      it("of {} is accepted, not confirmed", function()
        local result = answered(provider, { body = "{}" })
        assert.are.equal("accepted", result.outcome)
        assert.is_false(result.confirmed)
        assert.are.same({}, result.body)
        assert.are.equal("{}", result.raw)
      end)

      it("has the answer byte by byte in raw", function()
        local body = ' \r\n{ "success" : true,\t"code":200, "x": "\195\188 \\u00fc", "y": [1, 2.50, 1e2] }\n\n'
        assert.are.equal(body, answered(provider, { body = body }).raw)
      end)

      it("has the whole of an answer of 1 MiB", function()
        local result = answered(provider, { big = 1024 * 1024 })
        assert.are.equal(1024 * 1024, #result.raw)
        assert.are.equal(1024 * 1024 - 14, #result.body.padding)
      end)

      it("can be nested 100 levels deep", function()
        local result = answered(provider, { body = deep(100) })
        assert.are.equal(deep(100), result.raw)
        assert.is_table(result.body.a.a.a)
      end)

      it("has mediastop.null, which is cjson's, for null", function()
        local body = '{"code":200,"success":true,"data":null,"list":[null,1],"error":null}'
        local result = answered(provider, { body = body })
        assert.are.equal(mediastop.null, result.body.data)
        assert.are.equal(cjson.null, result.body.data)
        assert.are.equal(mediastop.null, result.body.list[1])
        assert.are.equal(mediastop.null, result.body.error)
      end)

      it("has integers for whole numbers, at every depth", function()
        local body = '{"code":200,"success":true,"a":[0,-1,{"b":120,"c":[4503599627370497]}],"d":1.5,"e":2.0}'
        local read = answered(provider, { body = body }).body
        for _, number in ipairs({ read.code, read.a[1], read.a[2], read.a[3].b, read.a[3].c[1] }) do
          assert.is_true(support.is_whole(number))
        end
        assert.are.same({ 0, -1, { b = 120, c = { 4503599627370497 } } }, read.a)
        assert.are.equal("4503599627370497", ("%d"):format(read.a[3].c[1]))
        assert.are.equal(1.5, read.d)
        assert.are.equal(2, read.e)
      end)

      it("takes request_id from x-request-id, else from cf-ray", function()
        -- headers, request_id
        local cases = {
          { { ["x-request-id"] = "abc-1" }, "abc-1" },
          { { ["X-Request-ID"] = "abc-2" }, "abc-2" },
          { { ["cf-ray"] = "8f-AMS" }, "8f-AMS" },
          { { ["CF-RAY"] = "8f-AMS", ["x-request-id"] = "abc-3" }, "abc-3" },
          { {}, nil },
        }
        for _, case in ipairs(cases) do
          assert.are.equal(case[2], answered(provider, { body = "{}", headers = case[1] }).request_id)
        end
      end)

      it("does not mind another Content-Type, nor none", function()
        for _, kind in ipairs({ "text/html", "application/problem+json;charset=UTF-8", "" }) do
          local result = answered(provider, { body = '{"x":1}', headers = { ["Content-Type"] = kind } })
          assert.are.equal(1, result.body.x)
        end
      end)

      it("counts the requests in attempts", function()
        local id, result = support.answered(client, provider, { { status = 503 }, { body = "{}" } }, { attempts = 2 })
        assert.is_table(result)
        assert.are.equal(2, result.attempts)
        assert.are.equal(2, #emulator:requests(id))
      end)

      it("belongs to its call alone", function()
        local one, two = support.id(provider), support.id(provider)
        local first = assert(support.call(client, provider, one))
        local kept = support.copy(first)
        local second = assert(support.call(client, provider, two))
        assert.are.same(kept, first)
        assert.are_not.equal(first, second)
        assert.are.equal(two, second.id)
      end)
    end)
  end

  -- provider, the answer, outcome, confirmed, state
  local answers = {
    { "memories", '{"code":200,"message":"success","data":{"task_id":"{id}","message":"Stream stopped"}}', "ended" },
    { "memories", '{"code":"200","message":"success","data":{"task_id":"{id}"}}', "ended" },
    { "memories", '{"code":"0000","msg":"success","data":{"task_id":"{id}"}}', "ended" },
    { "memories", '{"code":0,"msg":"ok"}', "ended" },
    { "memories", '{"code":200,"msg":"success"}', "ended" },
    { "memories", '{"code":200,"message":"success","data":null}', "ended" },
    { "memories", '{"code":200,"data":{}}', "ended" },
    { "memories", '{"code":200,"data":{"task_id":null}}', "ended" },
    { "memories", '{"code":200,"success":true,"failed":false,"error":null}', "ended" },
    { "memories", '{"data":{"task_id":"{id}"}}', "accepted" },
    { "screenplay", '{"code":200,"msg":"success","data":{"task_id":"{id}","status":"cancelled"},"failed":false,'
      .. '"success":true}', "ended", true, "cancelled" },
    { "screenplay", '{"code":"0000","data":{"task_id":"{id}","status":"canceled"}}', "ended", true, "canceled" },
    { "screenplay", '{"data":{"status":"cancelled"}}', "ended", true, "cancelled" },
    { "screenplay", '{"code":200,"msg":"success","data":{"task_id":"{id}","status":"running"},"success":true}',
      "accepted", false, "running" },
    { "screenplay", '{"code":200,"data":{"status":"pending"}}', "accepted", false, "pending" },
    { "screenplay", '{"code":200,"data":{"status":"completed"}}', "accepted", false, "completed" },
    { "screenplay", '{"code":200,"msg":"success","data":{"task_id":"{id}"},"success":true}', "accepted" },
    { "screenplay", '{"code":200,"message":"success","success":true,"failed":false}', "accepted" },
    { "screenplay", '{"code":200,"data":null}', "accepted" },
    { "screenplay", '{"code":200,"data":{"status":null}}', "accepted" },
    { "emogg", '{"_id":"{id}","state":"finished"}', "ended", true, "finished" },
    { "emogg", '{"state":"finished","meta":null}', "ended", true, "finished" },
    { "emogg", '{"_id":"{id}","state":"active","meta":{"workerState":"working"}}', "accepted", false, "active" },
    { "emogg", '{"_id":"{id}","state":"processing"}', "accepted", false, "processing" },
    { "emogg", '{"_id":"{id}","state":"a word of tomorrow"}', "accepted", false, "a word of tomorrow" },
    { "emogg", '{"_id":"{id}"}', "accepted" },
    { "emogg", '{"_id":"{id}","state":null}', "accepted" },
    { "emogg", '{"_id":"{id}","state":"finished","user":{"_id":"other"},"product":{"_id":"other"}}', "ended", true,
      "finished" },
    { "emogg", '{"error":false,"state":"finished"}', "ended", true, "finished" },
    { "fastpix", '{"success":true}', "ended" },
    { "fastpix", '{"success":true,"error":null}', "ended" },
    { "fastpix", '{"success":true,"data":{}}', "ended" },
  }

  for _, case in ipairs(answers) do
    local provider, body, outcome, confirmed, state = case[1], case[2], case[3], case[4] or false, case[5]
    it(("of %s that answers %s: %s"):format(provider, body:sub(1, 90), outcome), function()
      local result = answered(provider, { body = body })
      assert.are.same({ outcome, confirmed, state }, { result.outcome, result.confirmed, result.state })
    end)
  end

  it("has null for a state that is null in the body, and no state of its own", function()
    local result = answered("emogg", { body = '{"state":null}' })
    assert.is_nil(result.state)
    assert.are.equal(mediastop.null, result.body.state)
  end)

  it("may name the id in another letter case, or as a number", function()
    local cases = {
      { "memories", "AbC-1", '{"code":200,"data":{"task_id":"aBc-1"}}' },
      { "screenplay", "AbC-2", '{"code":200,"data":{"task_id":"aBC-2","status":"cancelled"}}' },
      { "emogg", "AbC-3", '{"_id":"ABC-3","state":"finished"}' },
      { "memories", "1234567", '{"code":200,"data":{"task_id":1234567}}' },
      { "memories", "123456789012345", '{"code":200,"data":{"task_id":123456789012345}}' },
      { "memories", "9007199254740991", '{"code":200,"data":{"task_id":9007199254740991}}' },
    }
    for _, case in ipairs(cases) do
      emulator:faults(case[2], { { body = case[3] } })
      local result = assert(support.call(client, case[1], case[2]))
      assert.are.equal("ended", result.outcome)
      assert.are.equal(case[2], result.id)
    end
  end)

  it("gives the id as it was given", function()
    local id = 'A/b "\\ \195\188%2F..' .. support.id()
    for _, operation in ipairs(support.operations) do
      emulator:job(operation.provider, id)
      assert.are.equal(id, assert(support.call(client, operation.provider, id)).id)
    end
  end)

  it("says ended again when memories is asked again", function()
    local id = support.id("memories")
    assert.are.equal("ended", assert(client.memories.stop(id)).outcome)
    assert.are.equal("ended", assert(client.memories.stop(id)).outcome)
  end)

  for _, provider in ipairs({ "screenplay", "emogg", "fastpix" }) do
    it("is already_ended where an attempt whose answer was lost had ended it: " .. provider, function()
      local id = support.id(provider)
      emulator:faults(id, { { after = true, drop = true } })
      local result = assert(support.call(client, provider, id, { attempts = 2 }))
      assert.are.equal("already_ended", result.outcome)
      assert.are.equal(2, result.attempts)
    end)

    it("is already_ended with ignore_ended where the job was not running: " .. provider, function()
      local id = support.id(provider)
      assert(support.call(client, provider, id))
      local result = assert(support.call(client, provider, id, { ignore_ended = true }))
      assert.are.equal("already_ended", result.outcome)
      assert.are.equal(1, result.attempts)
      assert.are.equal(provider == "screenplay" and 409 or 400, result.status)
      assert.is_table(result.body)
    end)
  end

  it("comes in a coroutine as well", function()
    local id = support.id("fastpix")
    local result = coroutine.wrap(function() return client.fastpix.finish(id) end)()
    assert.are.equal("ended", result.outcome)
  end)

  it("comes of the module's own functions and of core's too", function()
    for _, module in ipairs({ mediastop, require("mediastop.core") }) do
      for _, operation in ipairs(support.operations) do
        local provider = operation.provider
        local result = assert(support.call(module, provider, support.id(provider), {
          base_url = emulator:base_url()[provider],
          credentials = emulator.credentials[provider] or emulator.credentials.memories,
        }))
        assert.are.equal(usual[provider].outcome, result.outcome)
      end
    end
  end)
end)
