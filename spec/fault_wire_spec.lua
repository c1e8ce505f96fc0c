--- Faults in the bytes of an answer, and in the connection that should have brought it.
local fault = require("spec.support.fault")
local raw_server = require("spec.support.raw_server")
local support = require("spec.support")

-- One request is read, then the steps follow.
local function request(...)
  return { { read = true }, ... }
end

local CLOSE, HOLD, RESET, SERVE = { close = true }, { hold = true }, { reset = true }, { serve = true }

local head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
local chunked = head .. "Transfer-Encoding: chunked\r\n\r\n"
-- Whole, so that nothing but what is wrong on the wire keeps it from being a success.
local success = '{"code":200,"message":"success"}'

local function with_length(length)
  return head .. "Content-Length: " .. length .. "\r\n\r\n" .. success
end

local function in_chunk(text)
  return ("%x\r\n%s\r\n"):format(#text, text)
end

local function faults(list)
  for _, one in ipairs(list) do
    local name, expected, steps, options = one[1], one[2], one[3], one[4]
    expected.name = name
    local declare = one.since and support.with_libcurl(one.since, it, pending) or it
    declare(name, function()
      fault.on_wire(expected, steps, options)
    end)
  end
end

local function lost(requests)
  return { kind = "network", reached = "maybe", requests = requests }
end

local function cut(reached)
  return { kind = "network", reached = reached or "yes", requests = 1 }
end

describe("a connection that is lost before any answer: the job may have been ended,", function()
  faults({
    { "closed before the request is read", lost(), { CLOSE } },
    { "closed with the request unread", lost(), { { read = "nothing" }, CLOSE } },
    { "closed after the request is read", lost(1), request(CLOSE) },
    { "reset with the request unread", lost(), { { read = "nothing" }, RESET } },
    { "reset after the request is read", lost(1), request(RESET) },
    { "half closed after the request is read", lost(1), request({ shut = true }, HOLD) },
  })
end)

describe("an answer that never comes:", function()
  local options = { attempt_timeout = 0.2, timeout = 2 }
  faults({
    { "a server that reads nothing", { kind = "timeout", reached = "maybe", deadline = 2 },
      { { pause = 5 } }, options },
    { "a server that reads the request and is silent", { kind = "timeout", reached = "maybe", deadline = 2 },
      request(HOLD), options },
    { "the first byte, then silence", { kind = "timeout", reached = fault.FIRST_LINE, deadline = 2 },
      request({ send = "H" }, HOLD), options, since = "7.80" },
    { "half of the headers, then silence", { kind = "timeout", reached = "yes", deadline = 2 },
      request({ send = head }, HOLD), options },
    { "half of the body, then silence", { kind = "timeout", reached = "yes", deadline = 2 },
      request({ send = with_length(100) }, HOLD), options },
    { "an interim answer, then silence", { kind = "timeout", reached = "yes", deadline = 2 },
      request({ send = "HTTP/1.1 102 Processing\r\n\r\n" }, HOLD), options },
  })

  it("the total time bounds it, be there attempts and attempt time to spare", function()
    local script = {}
    for index = 1, 9 do
      script[index] = request(HOLD)
    end
    local server = raw_server.listen(script)
    local client = fault.client(server)
    local options_of_call = { attempts = 9, attempt_timeout = 0.2, timeout = 0.7 }
    local result, message, err = client.memories.stop(support.id(), options_of_call)
    assert.is_nil(result, message)
    assert.are.equal("timeout", err.kind)
    assert.is_true(err.elapsed < 0.7 + fault.ROOM, message)
    client:close()
    server:close()
  end)

  it("an answer that comes too late is given to nobody", function()
    local server = raw_server.listen({ request({ go = 1 }, { answer = true }, SERVE) })
    local client = fault.client(server)
    local _, message, err = client.memories.stop(support.id(), { attempts = 1, attempt_timeout = 0.2 })
    assert.are.equal("timeout", err.kind, message)
    assert.are.equal("maybe", err.reached)
    server:go()
    fault.check_next_call(client)
    fault.check_next_call(client)
    client:close()
    server:close()
  end)
end)

describe("an answer that is cut short is lost, although it began:", function()
  faults({
    { "after its first byte", cut(fault.FIRST_LINE), request({ send = "H" }, CLOSE), since = "7.80" },
    { "in the status line", cut(fault.FIRST_LINE), request({ send = "HTTP/1.1 20" }, CLOSE), since = "7.80" },
    { "behind the status line", cut(), request({ send = "HTTP/1.1 200 OK\r\n" }, CLOSE) },
    { "in a header", cut(), request({ send = head:sub(1, -4) }, CLOSE) },
    { "between two headers", cut(), request({ send = head .. "Content-Length: 0\r\n" }, CLOSE) },
    { "in the empty line", cut(), request({ send = head .. "Content-Length: 0\r\n\r" }, CLOSE) },
    { "right before its body", cut(), request({ send = head .. "Content-Length: 32\r\n\r\n" }, CLOSE) },
    { "in its body", cut(), request({ send = with_length(#success * 2):sub(1, -5) }, CLOSE) },
    { "in its body, by a reset", cut(),
      request({ send = with_length(#success * 2):sub(1, -5) }, { pause = 0.1 }, RESET) },
    { "one byte before its announced end", cut(), request({ send = with_length(#success + 1) }, CLOSE) },
    { "before its last chunk", cut(), request({ send = chunked .. in_chunk(success) }, CLOSE) },
    { "in the last chunk", cut(), request({ send = chunked .. in_chunk(success) .. "0\r\n" }, CLOSE) },
    { "in the middle of a chunk", cut(), request({ send = (chunked .. in_chunk(success)):sub(1, -9) }, CLOSE) },
    { "in the size of a chunk", cut(), request({ send = chunked .. in_chunk(success) .. "1" }, CLOSE) },
  })
end)

describe("an answer that is wrong on the wire is never a success:", function()
  local function wrong(kind)
    return { kind = kind or "protocol", reached = "yes", requests = 1 }
  end
  faults({
    { "an announced length that is too short", wrong(), request({ send = with_length(#success - 4) }, HOLD) },
    { "a length that is no number", wrong({ "protocol", "network" }), request({ send = with_length("many") }, CLOSE) },
    { "a negative length", wrong({ "protocol", "network" }), request({ send = with_length("-5") }, CLOSE) },
    { "a banner of SSH", wrong(), request({ send = "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n" }, CLOSE) },
    { "a banner before the request", { kind = "protocol", reached = "yes" },
      { { send = "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n" }, { read = true }, CLOSE } },
    { "HTTP/0.9: a body without a head", wrong(), request({ send = success }, CLOSE) },
    { "the start of TLS", wrong(), request({ send = "\21\3\1\0\2\2\40" }, CLOSE) },
    { "an unknown version of HTTP", wrong(), request({ send = "HTTP/7.5 200 OK\r\n\r\n" }, CLOSE) },
    { "NUL bytes only", wrong(), request({ send = ("\0"):rep(64) }, CLOSE) },
  })

  it("garbage in place of a chunk's size", function()
    local server = raw_server.listen({ request({ send = chunked .. "what?\r\n" .. success .. "\r\n" }, HOLD) })
    local client = fault.client(server)
    local err = fault.check({ name = "garbage in place of a chunk's size", kind = { "network", "protocol" },
      reached = "yes" }, client.memories.stop(support.id(), { attempts = 1 }))
    assert.are.equal(200, err.status)
    fault.check_next_call(client)
    client:close()
    server:close()
  end)
end)

describe("one byte each 100 ms", function()
  it("is an answer like any other as long as the time lasts", function()
    local answer = 'HTTP/1.1 200 OK\r\n\r\n{"code":200}'
    local server = raw_server.listen({ request({ send = answer, every = 0.1, piece = 4 }, CLOSE) })
    local client = fault.client(server)
    local result, message = client.memories.stop(support.id(), { attempt_timeout = 5 })
    assert.is_table(result, message)
    assert.are.equal("ended", result.outcome)
    assert.are.equal(1, result.attempts)
    fault.check_next_call(client)
    client:close()
    server:close()
  end)

  faults({
    { "ends with the attempt's time", { kind = "timeout", reached = "yes", deadline = 2 },
      request({ send = with_length(#success), every = 0.1 }, HOLD), { attempt_timeout = 0.35, timeout = 2 } },
  })
end)

describe("an answer ahead of its time", function()
  it("that comes before the request is read is followed by the next call's own", function()
    local body = '{"code":200,"data":{"task_id":"early"}}'
    local early = head .. "Content-Length: " .. #body .. "\r\n\r\n" .. body
    local server = raw_server.listen({ { { send = early }, { pause = 0.1 }, { read = true }, SERVE } })
    local client = fault.client(server)
    local result, message, err = client.memories.stop("early", { attempts = 1 })
    assert.is_true(result ~= nil or err.reached ~= "no", message)
    fault.check_next_call(client)
    client:close()
    server:close()
  end)
end)
