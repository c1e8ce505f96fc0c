--- Faults of a connection that is used for more than one call.
local fault = require("spec.support.fault")
local raw_server = require("spec.support.raw_server")
local support = require("spec.support")

-- Connections are kept where libcurl tells of each request.
local it_kept = support.with_libcurl("7.80", it, pending)
local socket = require("socket")

local READ, ANSWER, CLOSE, SERVE = { read = true }, { answer = true }, { close = true }, { serve = true }

local server, client

local function listen(script)
  server = raw_server.listen(script)
  client = fault.client(server)
end

local function stop(options)
  return client.memories.stop(support.id(), options)
end

local function left(index)
  return function(connections)
    return connections[index] and connections[index].over
  end
end

describe("a kept connection", function()
  after_each(function()
    if server then -- the spec was not pending
      client:close()
      server:close()
      server = nil
    end
  end)

  it("that the server closed between two calls costs the next one nothing", function()
    listen({ { READ, ANSWER, { go = 1 }, CLOSE } })
    fault.check_next_call(client)
    server:go()
    server:wait(left(1))
    fault.check_next_call(client)
    assert.are.equal(2, #server:connections())
    assert.are.equal(2, server:requests())
  end)

  it("that the server reset between two calls costs the next one at most an attempt", function()
    listen({ { READ, ANSWER, { go = 1 }, { reset = true } } })
    fault.check_next_call(client)
    server:go()
    server:wait(left(1))
    local result, message = stop()
    assert.is_table(result, message)
    assert.are.equal("ended", result.outcome)
    assert.are.equal(2, server:requests())
    fault.check_next_call(client)
  end)

  it_kept("that is closed just as the request comes: what curl sends again by itself is counted", function()
    for _, ending in ipairs({ CLOSE, { reset = true } }) do
      listen({ { READ, ANSWER, READ, ending } })
      fault.check_next_call(client)
      local result, message = stop()
      assert.is_table(result, message)
      assert.are.equal("ended", result.outcome)
      assert.are.equal(2, result.attempts)
      assert.are.equal(3, server:requests())
      fault.check_next_call(client)
    end
  end)

  it_kept("that is closed just as the request comes: one attempt is one request", function()
    for _, ending in ipairs({ CLOSE, { reset = true } }) do
      listen({ { READ, ANSWER, READ, ending } })
      fault.check_next_call(client)
      fault.check({ name = "kept connection closed as the request comes", kind = "network", reached = "maybe" },
        stop({ attempts = 1 }))
      assert.are.equal(2, server:requests())
      fault.check_next_call(client)
      assert.are.equal(3, server:requests())
    end
  end)

  it_kept("that is closed just as the request comes, each time: the attempts are the bound", function()
    listen({ { READ, ANSWER, READ, CLOSE }, { READ, CLOSE }, { READ, CLOSE } })
    fault.check_next_call(client)
    fault.check({ name = "kept connection closed, then two more", kind = "network", reached = "maybe", attempts = 3 },
      stop())
    assert.are.equal(4, server:requests())
    fault.check_next_call(client)
  end)

  it_kept("that is closed after the first byte of its second answer: that byte is no answer", function()
    listen({ { READ, ANSWER, READ, { send = "H" }, CLOSE } })
    fault.check_next_call(client)
    local result, message, err = stop({ attempts = 1 })
    assert.is_nil(result, message)
    assert.are.equal("network", err.kind)
    assert.are_not.equal("no", err.reached)
    assert.are.equal(1, err.attempts)
    assert.are.equal(2, server:requests())
    fault.check_next_call(client)
  end)

  it_kept("whose second answer never comes is not used again", function()
    listen({ { READ, ANSWER, READ, { go = 1 }, ANSWER, SERVE } })
    fault.check_next_call(client)
    fault.check({ name = "kept connection goes silent", kind = "timeout", reached = "maybe", deadline = 0.2 },
      stop({ attempts = 1, attempt_timeout = 0.2 }))
    server:go()
    fault.check_next_call(client)
    assert.are.equal(2, #server:connections())
  end)

  it("that says 'Connection: close' is not used again, be it closed or not", function()
    local head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 12\r\n\r\n"
    listen({ { READ, { send = head .. '{"code":200}' }, { hold = true } } })
    local result, message = stop({ attempts = 1 })
    assert.is_table(result, message)
    fault.check_next_call(client)
    assert.are.equal(2, #server:connections())
  end)
end)

-- An answer that nobody asked for. FastPix's says of no job whose it is.
local function stray(id)
  local body = ('{"success":true,"code":200,"data":{"task_id":"%s"}}'):format(id)
  return ("HTTP/1.1 200 OK\r\nX-Request-Id: stray\r\nContent-Length: %d\r\n\r\n%s"):format(#body, body)
end

describe("bytes behind an answer are given to nobody:", function()
  local own = "HTTP/1.1 200 OK\r\nX-Request-Id: own\r\nContent-Length: 16\r\n\r\n" .. '{"success":true}'

  local function check(script, wait_for)
    listen(script)
    local result, message = client.fastpix.finish(support.id(), { attempts = 1 })
    assert.is_table(result, message)
    assert.are.equal("own", result.request_id)
    assert.are.equal('{"success":true}', result.raw)
    if wait_for then
      server:go()
      server:wait(wait_for)
      socket.sleep(0.05)          -- until it has arrived
    end
    for _ = 1, 2 do
      fault.check_next_call(client)
    end
    client:close()
    server:close()
  end

  it("a second answer in the same bytes", function()
    check({ { READ, { send = own .. stray("x") }, SERVE } })
  end)

  it("garbage in the same bytes", function()
    check({ { READ, { send = own .. "garbage" }, SERVE } })
  end)

  it("a second answer that comes while nobody asks", function()
    check({ { READ, { send = own }, { go = 1 }, { send = stray("x") }, { go = 2 }, SERVE } }, function()
      return true
    end)
  end)

  it("a second answer, and the end, while nobody asks", function()
    check({ { READ, { send = own }, { go = 1 }, { send = stray("x") }, CLOSE } }, left(1))
  end)

  it("a 408 for a connection that was idle too long, and its end", function()
    local idle = "HTTP/1.1 408 Request Time-out\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    check({ { READ, { send = own }, { go = 1 }, { send = idle }, CLOSE } }, left(1))
  end)

  it("a body behind a 204", function()
    listen({ { READ, { send = "HTTP/1.1 204 No Content\r\n\r\n" .. stray("x") }, SERVE } })
    local result, message = client.fastpix.finish(support.id(), { attempts = 1 })
    assert.is_table(result, message)
    assert.are.equal("accepted", result.outcome)
    fault.check_next_call(client)
    client:close()
    server:close()
  end)

  it("a FastPix answer is never that of the call before", function()
    listen({ { READ, { send = own }, { go = 1 }, { send = stray("x") }, { go = 2 }, SERVE } })
    assert.is_table(client.fastpix.finish(support.id(), { attempts = 1 }))
    server:go()
    socket.sleep(0.05)
    local result, message = client.fastpix.finish(support.id(), { attempts = 1 })
    assert.is_table(result, message)
    assert.are_not.equal("stray", result.request_id)
    client:close()
    server:close()
  end)
end)
