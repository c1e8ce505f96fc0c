--- The ambiguous case: an attempt that may have ended the job although no success came back.
local fault = require("spec.support.fault")
local raw_server = require("spec.support.raw_server")
local support = require("spec.support")

-- Connections are kept where libcurl tells of each request.
local it_kept = support.with_libcurl("7.80", it, pending)

local emulator = support.emulator()
local client

-- New for each: on a kept connection curl sends again by itself, which has specs of its own.
before_each(function()
  client = support.client({ timeout = 10, attempt_timeout = 0.5 })
end)

after_each(function()
  client:close()
end)

-- The providers that tell a job that is not running from one that they do not know, and a state in which it is not.
local ended_states = { screenplay = "completed", emogg = "finished", fastpix = "idle" }
local providers = support.keys(ended_states)

-- What answers `not_active` on the wire, whatever the state.
local not_active = {
  screenplay = { status = 409, body = '{"code":409,"msg":"Task is already completed","data":null,"failed":true}' },
  emogg = { status = 400, body = '{"error":true,"status":400,"message":"The session is not active."}' },
  fastpix = { status = 400, body = '{"success":false,"error":{"code":400,"message":"stream cannot be completed",'
    .. '"description":"Only active streams can be marked as completed."}}' },
}

local function call(provider, steps, options, state)
  local id = support.id(provider)
  if state then
    emulator:job(provider, id, state)
  end
  emulator:faults(id, steps)
  local result, message, err = support.call(client, provider, id, options)
  emulator:faults(id, {})
  return result, message, err, id
end

local lost = {
  ["dropped"] = { drop = true },
  ["reset"] = { reset = true },
  ["without an answer in time"] = { hang = 2 },
  ["answered by half"] = { cut = { at = 3 } },
  ["answered by half of the headers"] = { cut = { head_at = 30 } },
  ["answered 500"] = { status = 500 },
  ["answered 524"] = { status = 524, body = "<html>" },
  ["answered 408"] = { status = 408 },
}

local function check_already_ended(result, message, attempts)
  assert.is_table(result, message)
  assert.are.equal("already_ended", result.outcome)
  assert.is_false(result.confirmed)
  assert.are.equal(attempts, result.attempts)
end

describe("not_active behind an attempt that may have ended the job is what was wanted:", function()
  for _, provider in ipairs(providers) do
    for _, name in ipairs(support.keys(lost)) do
      it(provider .. ", " .. name .. ", with effect", function()
        local step = support.merge(lost[name], { after = true })
        local result, message, _, id = call(provider, { step })
        check_already_ended(result, message, 2)
        assert.are_not.equal("active", emulator:state(provider, id))
        assert.are_not.equal("running", emulator:state(provider, id))
      end)
    end

    it(provider .. ", dropped without effect: nobody can tell", function()
      check_already_ended((call(provider, { { drop = true } }, nil, ended_states[provider])), nil, 2)
    end)

    it(provider .. ", with a rate limit in between", function()
      local result, message = call(provider, { { drop = true, after = true }, { status = 429 } })
      check_already_ended(result, message, 3)
    end)
  end

  -- The connection is lost under the second request, which curl sends again by itself on the next connections.
  local function check_sent_again(answers, attempts)
    local script = { { { read = true }, { answer = true }, { read = true }, { close = true } } }
    for index, bytes in ipairs(answers) do
      script[index + 1] = { { read = true }, { send = bytes }, { close = true } }
    end
    local server = raw_server.listen(script)
    local other = fault.client(server)
    fault.check_next_call(other)
    local result, message = other.fastpix.finish(support.id())
    check_already_ended(result, message, attempts)
    assert.are.equal(attempts + 1, server:requests())
    other:close()
    server:close()
  end

  local function answer(status, body)
    return ("HTTP/1.1 %d Status\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"):format(status, #body, body)
  end
  local refusal = answer(400, not_active.fastpix.body)

  it_kept("FastPix, on a kept connection under which curl sends it again by itself", function()
    check_sent_again({ refusal }, 2)
  end)

  it_kept("FastPix, where what curl sent again was rate limited", function()
    check_sent_again({ answer(429, "{}"), refusal }, 3)
  end)
end)

describe("not_active stays an error", function()
  for _, provider in ipairs(providers) do
    it("at the first attempt: " .. provider, function()
      local result, message, err = call(provider, {}, nil, ended_states[provider])
      assert.is_nil(result)
      assert.are.equal("not_active", err.kind, message)
      assert.are.equal("yes", err.reached)
      assert.are.equal(1, err.attempts)
      assert.is_false(err.retryable)
    end)

    it("behind a rate limit, which had no effect: " .. provider, function()
      local result, message, err = call(provider, { { status = 429 } }, nil, ended_states[provider])
      assert.is_nil(result)
      assert.are.equal("not_active", err.kind, message)
      assert.are.equal(2, err.attempts)
      assert.are.equal("yes", err.reached)
    end)
  end

  -- The address begins to answer when the first attempt is over.
  local function check_behind(port, first_kind, options)
    local answer = not_active.fastpix
    local bytes = ("HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%s"):format(#answer.body, answer.body)
    local other, server = fault.client(port), nil
    local seen
    options.on_event = function(event)
      if event.type == "retry" and not server then
        seen = true
        port:close()
        server = raw_server.listen({ { { read = true }, { send = bytes }, { hold = true } } }, nil, port.number)
      end
    end
    local result, message, err = other.fastpix.finish("x", options)
    assert.is_true(seen)
    assert.is_nil(result, first_kind .. " was taken for an attempt that had an effect")
    assert.are.equal("not_active", err.kind, message)
    assert.are.equal("yes", err.reached)
    assert.is_true(err.attempts > 1)
    other:close()
    server:close()
  end

  it("behind a connection that was refused", function()
    check_behind(raw_server.refusing(), "connect", { attempts = 9, timeout = 10 })
  end)

  it("behind a connection that never came about in time", function()
    check_behind(raw_server.black_hole(), "timeout", { attempts = 9, timeout = 10, connect_timeout = 0.2 })
  end)
end)

describe("other failures behind an attempt that was lost", function()
  it("stay what they are, with reached = maybe", function()
    for status, kind in pairs({ [401] = "unauthorized", [404] = "not_found", [403] = "forbidden" }) do
      local _, message, err = call("fastpix", { { drop = true }, { status = status } })
      assert.are.equal(kind, err.kind, message)
      assert.are.equal("maybe", err.reached)
      assert.are.equal(2, err.attempts)
    end
  end)

  it("memories' not_found stays an error: it answers a repeated stop with success", function()
    local _, message, err = call("memories", { { drop = true }, { status = 400 } })
    assert.are.equal("not_found", err.kind, message)
    assert.are.equal("maybe", err.reached)
    assert.are.equal(2, err.attempts)
  end)

  it("memories' repeated stop is a success", function()
    local result, message = call("memories", { { drop = true, after = true } })
    assert.is_table(result, message)
    assert.are.equal("ended", result.outcome)
    assert.are.equal(2, result.attempts)
  end)

  it("screenplay's 'not found' is no end", function()
    local _, message, err = call("screenplay",
      { { drop = true }, { status = 400, body = '{"code":400,"msg":"Task not found","data":null}' } })
    assert.are.equal("not_found", err.kind, message)
  end)

  it("answered attempts only: reached = yes", function()
    local _, message, err = call("fastpix", { { status = 503 }, { status = 404 } })
    assert.are.equal("not_found", err.kind, message)
    assert.are.equal("yes", err.reached)
    assert.are.equal(2, err.attempts)
  end)
end)

describe("ignore_ended", function()
  for _, provider in ipairs(providers) do
    it("makes a result of not_active: " .. provider, function()
      local result, message = call(provider, {}, { ignore_ended = true }, ended_states[provider])
      check_already_ended(result, message, 1)
    end)

    it("forgives nothing else: " .. provider, function()
      for _, step in ipairs({ { status = 401 }, { status = 404 }, { status = 422 }, { body = "{" } }) do
        local result, _, err = call(provider, { step }, { ignore_ended = true })
        assert.is_nil(result)
        assert.are_not.equal("not_active", err.kind)
      end
    end)
  end

  it("does not forgive memories' not_found", function()
    local result, message, err = client.memories.stop("nobody's", { ignore_ended = true })
    assert.is_nil(result, message)
    assert.are.equal("not_found", err.kind)
  end)

  it("does not touch a success", function()
    local result, message = call("fastpix", {}, { ignore_ended = true })
    assert.is_table(result, message)
    assert.are.equal("ended", result.outcome)
  end)
end)

describe("FastPix's 'cannot be completed'", function()
  for name, step in pairs({
    ["as it was seen"] = not_active.fastpix,
    ["under a 200"] = { status = 200, body = not_active.fastpix.body },
    ["in capitals"] = { status = 400, body = not_active.fastpix.body:upper():gsub('"%u+":', string.lower)
      :gsub("FALSE", "false") },
    ["by its description alone"] = { status = 400,
      body = '{"success":false,"error":{"code":400,"description":"Only active streams can be marked as completed."}}' },
  }) do
    it("is never an authorization error: " .. name, function()
      local _, message, err = call("fastpix", { step })
      assert.are.equal("not_active", err.kind, message)
      assert.is_nil(message:lower():find("unauthorized", 1, true))
      assert.are.equal(1, err.attempts)
    end)
  end
end)
