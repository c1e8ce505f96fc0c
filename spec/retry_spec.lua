--- What is tried again, when, and for how long.
local fault = require("spec.support.fault")
local support = require("spec.support")
local socket = require("socket")

local emulator = support.emulator()
local client

-- Calls the provider with these steps ahead of its usual answers; returns what the call returns, and the requests.
local function call(provider, steps, options)
  local id = support.id(provider)
  emulator:faults(id, steps)
  local result, message, err = support.call(client, provider, id, options)
  emulator:faults(id, {})
  return result, message, err, emulator:requests(id)
end

local function refusal(status, headers)
  return { status = status, headers = headers }
end

-- For each a client of its own: a Retry-After of one would be waited for by the next.
before_each(function()
  client = support.client({ timeout = 10 })
end)

after_each(function()
  client:close()
end)

describe("what may get better is tried again:", function()
  local steps = {
    ["429"] = refusal(429), ["500"] = refusal(500), ["502"] = refusal(502), ["503"] = refusal(503),
    ["504"] = refusal(504), ["522"] = refusal(522), ["524"] = refusal(524), ["599"] = refusal(599),
    ["408"] = refusal(408),
    ["a dropped connection"] = { drop = true },
    ["a reset connection"] = { reset = true },
    ["an answer that is cut"] = { cut = { at = 5 } },
    ["an attempt that takes too long"] = { hang = 2 },
    ["a 200 with code 429"] = { body = '{"code":429,"msg":"Rate limit exceeded"}' },
    ["a 200 with code 0429"] = { body = '{"code":"0429","msg":"Rate limit exceeded"}' },
    ["a 200 with code 500"] = { body = '{"code":500,"msg":"Internal"}' },
  }
  for _, name in ipairs(support.keys(steps)) do
    it(name .. ", and a success behind it counts its attempts", function()
      local result, message, _, requests = call("memories", { steps[name] }, { attempt_timeout = 0.5 })
      assert.is_table(result, message)
      assert.are.equal("ended", result.outcome)
      assert.are.equal(2, result.attempts)
      assert.are.equal(2, #requests)
    end)
  end

  it("twice, and the third attempt counts", function()
    for _, operation in ipairs(support.operations) do
      local result, message, _, requests = call(operation.provider, { { status = 503, times = 2 } })
      assert.is_table(result, message)
      assert.are.equal(3, result.attempts)
      assert.are.equal(3, #requests)
    end
  end)
end)

describe("what cannot get better is not tried again:", function()
  for _, status in ipairs({ 400, 401, 402, 403, 404, 405, 409, 410, 415, 422, 451, 499, 300, 302, 304 }) do
    it(tostring(status), function()
      for _, operation in ipairs(support.operations) do
        local _, message, err, requests = call(operation.provider, { { status = status, times = 9 } })
        assert.is_table(err, message)
        assert.is_false(err.retryable)
        assert.are.equal(1, err.attempts)
        assert.are.equal(1, #requests)
        assert.are.equal("yes", err.reached)
      end
    end)
  end

  it("not with a Retry-After either", function()
    local _, _, err, requests = call("fastpix", { { status = 404, headers = { ["Retry-After"] = "0" }, times = 9 } })
    assert.are.equal("not_found", err.kind)
    assert.are.equal(1, #requests)
  end)

  it("an answer that cannot be read", function()
    local _, _, err, requests = call("memories", { { body = "<html>", times = 9 } })
    assert.are.equal("protocol", err.kind)
    assert.are.equal(1, #requests)
  end)

  it("a 200 that says failure", function()
    local _, _, err, requests = call("fastpix", { { body = '{"success":false}', times = 9 } })
    assert.are.equal("rejected", err.kind)
    assert.are.equal(1, #requests)
  end)
end)

describe("attempts", function()
  for _, attempts in ipairs({ 1, 2, 4 }) do
    it("are a bound: " .. attempts, function()
      local _, _, err, requests = call("fastpix", { { status = 503, times = 99 } }, { attempts = attempts })
      assert.are.equal("server", err.kind)
      assert.are.equal(attempts, err.attempts)
      assert.are.equal(attempts, #requests)
    end)
  end

  it("are three by default", function()
    local _, _, err, requests = call("emogg", { { status = 503, times = 99 } })
    assert.are.equal(3, err.attempts)
    assert.are.equal(3, #requests)
  end)

  it("may be the client's", function()
    local other, id = support.client({ attempts = 2 }), support.id("memories")
    emulator:faults(id, { { status = 503, times = 99 } })
    local _, _, err = other.memories.stop(id)
    assert.are.equal(2, err.attempts)
    other:close()
  end)
end)

describe("timeout", function()
  it("bounds attempts and back-off together", function()
    local _, _, err, requests = call("memories", { { status = 503, times = 999 } }, { attempts = 999, timeout = 1 })
    assert.are.equal("server", err.kind)
    assert.are.equal("yes", err.reached)
    assert.are.equal(#requests, err.attempts)
    assert.is_true(err.elapsed < 1 + fault.ROOM, err.message)
  end)

  it("bounds an attempt that has more time of its own", function()
    local _, _, err = call("memories", { { hang = 4, times = 9 } }, { attempt_timeout = 5, timeout = 0.4 })
    assert.are.equal("timeout", err.kind)
    assert.are.equal("maybe", err.reached)
    assert.is_true(err.elapsed < 0.4 + fault.ROOM, err.message)
  end)

  it("counts from the call, not from the last attempt", function()
    local _, _, err = call("memories", { { hang = 1, times = 99 } },
      { attempts = 99, attempt_timeout = 0.2, timeout = 0.9 })
    assert.are.equal("timeout", err.kind)
    assert.is_true(err.attempts > 1 and err.attempts < 6, err.message)
    assert.is_true(err.elapsed < 0.9 + fault.ROOM, err.message)
  end)
end)

describe("Retry-After", function()
  local function asked(value)
    return { ["Retry-After"] = value }
  end

  it("in seconds is waited for", function()
    for _, status in ipairs({ 429, 503 }) do
      local result, message, _, requests = call("memories", { refusal(status, asked("1")) })
      assert.is_table(result, message)
      assert.are.equal(2, result.attempts)
      assert.is_true(requests[2].time - requests[1].time >= 0.98, "not waited for")
      assert.is_true(result.elapsed >= 0.98)
    end
  end)

  it("as a date is waited for", function()
    local date = math.floor(socket.gettime()) + 2
    local result, message, _, requests = call("memories",
      { refusal(503, asked(os.date("!%a, %d %b %Y %H:%M:%S GMT", date))) })
    assert.is_table(result, message)
    assert.is_true(requests[2].time >= date - 0.02, "not waited for")
  end)

  it("that does not fit ends the call at once, and is told", function()
    local _, message, err, requests = call("memories", { refusal(429, asked("30")) }, { timeout = 20 })
    assert.are.equal("rate_limited", err.kind, message)
    assert.are.equal(30, err.retry_after)
    assert.are.equal(1, #requests)
    assert.is_true(err.elapsed < 10, message)
  end)

  -- Each of the three forms of a date.
  for name, format in pairs({
    ["IMF-fixdate"] = "!%a, %d %b %Y %H:%M:%S GMT",
    ["RFC 850"] = "!%A, %d-%b-%y %H:%M:%S GMT",
    ["asctime"] = "!%a %b %d %H:%M:%S %Y",
  }) do
    it("as a date of an hour ahead is told in seconds: " .. name, function()
      local _, message, err = call("memories", { refusal(503, asked(os.date(format, os.time() + 3600))) })
      assert.are.equal("server", err.kind, message)
      assert.are.equal(1, err.attempts)
      assert.is_number(err.retry_after, message)
      assert.is_true(err.retry_after > 3590 and err.retry_after <= 3601, tostring(err.retry_after))
    end)
  end

  it("that is absurd ends the call at once", function()
    for _, value in ipairs({ "86400", "999999999999", ("9"):rep(60) }) do
      local _, message, err = call("memories", { refusal(503, asked(value)) })
      assert.are.equal("server", err.kind, message)
      assert.are.equal(1, err.attempts)
      assert.is_true(err.retry_after >= 86400)
    end
  end)

  it("that is over already, or none at all, does not keep the call from its next attempt", function()
    for _, value in ipairs({ "0", "Sun, 06 Nov 1994 08:49:37 GMT", "Thu, 01 Jan 1970 00:00:00 GMT" }) do
      local result, message = call("memories", { refusal(503, asked(value)) })
      assert.is_table(result, value .. ": " .. tostring(message))
      assert.are.equal(2, result.attempts)
    end
  end)

  it("that is malformed counts as none", function()
    for _, value in ipairs({ "-5", "soon", "1.5", "1e9", "0x10", "10 20", "10s", "Sun, 99 Foo 2999 08:49:37 GMT",
      "Sun, 06 Nov 2999", "Sun, 06 Nov 2999 08:49:37 CET", ("1"):rep(500) .. "x", "\"10\"" }) do
      local _, _, err = call("memories", { refusal(503, asked(value)) }, { attempts = 1 })
      assert.is_nil(err.retry_after, value)
      local result, message = call("memories", { refusal(503, asked(value)) })
      assert.is_table(result, value .. ": " .. tostring(message))
      assert.are.equal(2, result.attempts)
    end
  end)

  it("is told with a 200 that says 429", function()
    local step = { body = '{"code":"0429","msg":"Rate limit exceeded"}', headers = asked("120") }
    local _, _, err = call("memories", { step })
    assert.are.equal("rate_limited", err.kind)
    assert.are.equal(120, err.retry_after)
    assert.are.equal(1, err.attempts)
  end)
end)

describe("emogg's RateLimit headers", function()
  local function limited(headers)
    headers["RateLimit-Limit"], headers["RateLimit-Remaining"] = "1", "0"
    return refusal(429, headers)
  end

  it("are waited for on a 429", function()
    local result, message, _, requests = call("emogg",
      { limited({ ["RateLimit-Reset"] = "1", ["RateLimit-Policy"] = "1;w=1" }) })
    assert.is_table(result, message)
    assert.are.equal(2, result.attempts)
    assert.is_true(requests[2].time - requests[1].time >= 0.98, "not waited for")
  end)

  it("end the call where they do not fit", function()
    local _, message, err = call("emogg",
      { limited({ ["RateLimit-Reset"] = "60", ["RateLimit-Policy"] = "1;w=60" }) })
    assert.are.equal("rate_limited", err.kind, message)
    assert.are.equal(60, err.retry_after)
    assert.are.equal(1, err.attempts)
  end)

  it("give way to Retry-After", function()
    local _, message, err = call("emogg",
      { limited({ ["RateLimit-Reset"] = "60", ["RateLimit-Policy"] = "1;w=60", ["Retry-After"] = "45" }) })
    assert.are.equal("rate_limited", err.kind, message)
    assert.are.equal(45, err.retry_after)
  end)

  it("say nothing under another status", function()
    local result, message = call("emogg",
      { refusal(503, { ["RateLimit-Reset"] = "60", ["RateLimit-Policy"] = "1;w=60" }) })
    assert.is_table(result, message)
    assert.are.equal(2, result.attempts)
  end)

  it("that are malformed count as none", function()
    for _, headers in ipairs({
      { ["RateLimit-Reset"] = "soon", ["RateLimit-Policy"] = "0;w=60" },
      { ["RateLimit-Reset"] = "-1", ["RateLimit-Policy"] = "w=60" },
      { ["RateLimit-Reset"] = "", ["RateLimit-Policy"] = "1;w=" },
    }) do
      local result, message = call("emogg", { limited(headers) })
      assert.is_table(result, message)
      assert.are.equal(2, result.attempts)
    end
  end)
end)
