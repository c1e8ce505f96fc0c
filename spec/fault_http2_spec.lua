--- Faults of HTTP/2: streams that end, connections that say good-bye.
local fault = require("spec.support.fault")
local many = require("spec.support.many")
local raw_server = require("spec.support.raw_server")
local support = require("spec.support")

local TLS, READ, ANSWER, HOLD = { tls = "h2" }, { read = "stream" }, { answer = true }, { hold = true }

local why_not = not raw_server.has_tls and "LuaSec is not here" or support.older_libcurl("7.80")

local function script(...)
  return { TLS, ... }
end

-- What HTTP/2 calls refused may be sent again by curl itself; the requests are counted either way.
local function check(name, expected, steps, options)
  it(name, function()
    if why_not then
      return pending(why_not)
    end
    expected.name, expected.protocol = "HTTP/2: " .. name, "h2"
    fault.on_wire(expected, steps, options)
  end)
end

local function lost(reached)
  return { kind = "network", reached = reached or "maybe" }
end

-- A fault of one stream; whether the next request is on the same connection or on another is nobody's promise.
local function check_stream(name, expected, steps, options)
  expected.stream, expected.requests = true, 1
  check(name, expected, steps, options)
end

describe("a stream that is reset is lost, while its connection lives:", function()
  for _, code in ipairs({ "INTERNAL_ERROR", "CANCEL", "PROTOCOL_ERROR", "NO_ERROR" }) do
    check_stream(code, lost(), { { reset_stream = code } })
  end
  for _, code in ipairs({ "INTERNAL_ERROR", "CANCEL" }) do
    check_stream(code .. " in the body", lost("yes"), { { begin = '{"code":200,' }, { reset_stream = code } })
    check_stream(code .. " behind a body that could be whole", lost("yes"),
      { { begin = '{"code":200}' }, { reset_stream = code } })
  end
end)

describe("a connection that is lost under HTTP/2:", function()
  check("closed after the request", lost(), script(READ, { close = true }))
  check("reset after the request", lost(), script(READ, { reset = true }))
  check("closed in the body", lost("yes"), script(READ, { begin = '{"code":200' }, { close = true }))
  check("GOAWAY with an error after the request", lost(), script(READ, { goaway = "INTERNAL_ERROR" }, { close = true }))
  -- Which libcurl may wait behind, from 8.0 on.
  check("frames that are none", { kind = { "network", "timeout" }, reached = "maybe" },
    script(READ, { send = ("what?"):rep(20) }, HOLD))
end)

describe("an answer of HTTP/2 that never comes:", function()
  -- With time for the handshake on a busy machine: a connection on which something came late is not taken for dead.
  local options = { attempt_timeout = 0.5, timeout = 3 }
  local function late(reached)
    return { kind = "timeout", reached = reached, deadline = 3 }
  end
  check_stream("a stream that is never answered", late("maybe"), {}, options)
  check_stream("a stream that is answered by half", late("yes"), { { begin = '{"code":200' } }, options)
  check("a connection that falls silent", late("maybe"), script(READ, HOLD), options)
  check("a connection that falls silent in an answer", late("yes"), script(READ, { begin = '{"code":200' }, HOLD),
    options)
  check("a server without SETTINGS", late("maybe"), script(HOLD), options)
end)

describe("a connection of HTTP/2 that falls silent under two requests", function()
  it("is ended once one of them has waited in vain, so that the other goes on elsewhere", function()
    if why_not then
      return pending(why_not)
    end
    local server = raw_server.listen({ script(READ, READ, HOLD) }, "h2")
    local client = fault.client(server, { timeout = 20, attempt_timeout = 20 })
    local first = assert(client:start("memories.stop", support.id(), { attempts = 1, attempt_timeout = 1 }))
    many.step_until(client, function() return server:requests() == 1 end)
    local second = assert(client:start("memories.stop", support.id()))
    many.step_until(client, function() return second:poll() end, 10)
    assert.are.equal("timeout", select(3, first:result()).kind)
    local result, message = second:result()
    assert.is_table(result, message)
    assert.are.equal("ended", result.outcome)
    assert.are.equal(2, result.attempts)
    assert.is_true(result.elapsed < 10)
    client:close()
    server:close()
  end)
end)

describe("a request that HTTP/2 refuses", function()
  local server, client

  local function listen(...)
    server = raw_server.listen({ ... }, "h2")
    client = fault.client(server)
  end

  after_each(function()
    if client then
      client:close()
      server:close()
      client = nil
    end
  end)

  local refusals = {
    ["REFUSED_STREAM"] = script(READ, { reset_stream = "REFUSED_STREAM" }, { serve = true }),
    ["GOAWAY with last stream 0, after the request"] = script(READ, { goaway = "NO_ERROR", last = 0 }, HOLD),
    ["GOAWAY with last stream 0, before the request"] =
      script({ settings = true }, { goaway = "NO_ERROR", last = 0 }, HOLD),
  }
  for _, name in ipairs(support.keys(refusals)) do
    it("with one attempt is sent once: " .. name, function()
      if why_not then
        return pending(why_not)
      end
      listen(refusals[name])
      local result, message, err = client.memories.stop(support.id(), { attempts = 1 })
      assert.is_nil(result, message)
      assert.are.equal("network", err.kind, message)
      assert.are.equal(1, err.attempts)
      assert.is_true(server:requests() <= 1)
      fault.check({ name = "HTTP/2: " .. name, kind = "network", reached = err.reached }, result, message, err)
      fault.check_next_call(client)
    end)

    it("is sent again, and counted: " .. name, function()
      if why_not then
        return pending(why_not)
      end
      listen(refusals[name])
      local result, message = client.memories.stop(support.id())
      assert.is_table(result, message)
      assert.are.equal("ended", result.outcome)
      assert.are.equal(2, result.attempts)
      fault.check_next_call(client)
    end)
  end

  it("is refused again and again: the attempts are the bound", function()
    if why_not then
      return pending(why_not)
    end
    local refuse = script({ serve = true, spoil = 3, by = { { reset_stream = "REFUSED_STREAM" } } })
    listen(refuse, refuse, refuse, refuse)
    local _, message, err = client.memories.stop(support.id())
    assert.is_table(err, message)
    assert.are.equal("network", err.kind)
    assert.are.equal(3, err.attempts)
    assert.are.equal(3, server:requests())
    fault.check_next_call(client)
  end)

  it("says good-bye behind an answer: the answer counts, and the next call has a connection of its own", function()
    if why_not then
      return pending(why_not)
    end
    listen(script(READ, ANSWER, { goaway = "NO_ERROR" }, HOLD))
    fault.check_next_call(client)
    -- libcurl may hear of it only as it sends the next request, which it then sends again.
    local result, message = client.memories.stop(support.id("memories"))
    assert.is_table(result, message)
    assert.are.equal("ended", result.outcome)
    assert.is_true(result.attempts <= 2)
    assert.are.equal(2, #server:connections())
  end)

  it("says good-bye between a request and its answer: the answer counts", function()
    if why_not then
      return pending(why_not)
    end
    listen(script(READ, { goaway = "NO_ERROR" }, ANSWER, HOLD))
    fault.check_next_call(client)
    fault.check_next_call(client)
    assert.are.equal(2, #server:connections())
  end)

  it("answers the same stream twice: the second is given to nobody", function()
    if why_not then
      return pending(why_not)
    end
    listen(script(READ, ANSWER, { answer = "another" }, { serve = true }))
    fault.check_next_call(client)
    fault.check_next_call(client)
  end)
end)
