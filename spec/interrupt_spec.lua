--- Ctrl-C in the plain `lua` program interrupts a blocking call.
local interrupted = require("spec.support.interrupted")
local raw_server = require("spec.support.raw_server")
local support = require("spec.support")

local server

-- The first request is never answered; every other is.
before_each(function()
  server = raw_server.listen({ { { read = true }, { hold = true } } })
end)

after_each(function()
  server:close()
end)

local head = [[
local mediastop = require("mediastop.core")
local client = mediastop.new({
  base_url = { memories = %q },
  credentials = { memories = { api_key = "k" } },
  timeout = 25, attempt_timeout = 20, connect_timeout = 20,
})
local listing = %q
local function count(folder)
  -- Into a file: a pipe of io.popen's would count or not, as it happens.
  os.execute("ls /proc/$PPID/" .. folder .. " > " .. listing)
  local number = 0
  for _ in io.lines(listing) do
    number = number + 1
  end
  return number
end
local function say(...)
  print(...)
end
]]

local function has_request()
  return server:requests() == 1
end

local function run(source, is_ready, origin)
  local program = head:format(origin or server.origin, support.scratch("listing")) .. source
  local ended = interrupted.run(program, is_ready or has_request)
  -- Far from the end of the call's own time.
  assert.is_true(ended.after < 10, ("%.3f s after the signal"):format(ended.after) .. ended.stderr)
  return ended
end

local function lines(ended)
  local list = {}
  for line in ended.stdout:gmatch("[^\n]+") do
    list[#list + 1] = line
  end
  return list
end

local function check_first_connection_is_closed()
  server:wait(function(connections)
    return connections[1].over
  end)
end

describe("Ctrl-C", function()
  it("raises lua's own error, once, and the next call on the client works", function()
    local ended = run([[
      say(pcall(client.memories.stop, "one"))
      local result, message = client.memories.stop("two")
      say(result and result.body.data.task_id or message)
    ]])
    local said = lines(ended)
    assert.is_truthy(said[1]:find("^false%s.*interrupted!$"), ended.stdout .. ended.stderr)
    assert.are.equal("two", said[2])
    assert.are.equal("", ended.stderr)
    assert.are.equal(0, ended.status)
  end)

  it("does so in a coroutine", function()
    local ended = run([[
      local thread = coroutine.create(function()
        return client.memories.stop("one")
      end)
      say(coroutine.resume(thread))
      say(coroutine.status(thread))
      local result, message = client.memories.stop("two")
      say(result and result.body.data.task_id or message)
    ]])
    local said = lines(ended)
    assert.is_truthy(said[1] and said[1]:find("^false%s.*interrupted!$"), ended.stdout .. ended.stderr)
    assert.are.equal("dead", said[2])
    assert.are.equal("two", said[3])
    assert.are.equal("", ended.stderr)
    assert.are.equal(0, ended.status)
  end)

  it("does so in a coroutine that catches it", function()
    local ended = run([[
      local step = coroutine.wrap(function()
        local good, message = pcall(client.memories.stop, "one")
        coroutine.yield(tostring(good) .. " " .. tostring(message))
        local result, problem = client.memories.stop("two")
        coroutine.yield(result and result.body.data.task_id or problem)
      end)
      say(step())
      say(step())
    ]])
    local said = lines(ended)
    assert.is_truthy(said[1] and said[1]:find("^false.*interrupted!$"), ended.stdout .. ended.stderr)
    assert.are.equal("two", said[2])
    assert.are.equal(0, ended.status, ended.stderr)
  end)

  it("ends a program that does not catch it, with a failure", function()
    local ended = run([[
      client.memories.stop("one")
      say("never here")
    ]])
    assert.are.equal("", ended.stdout)
    assert.is_truthy(ended.stderr:find("interrupted!", 1, true), ended.stderr)
    assert.are.equal(1, ended.status)
    check_first_connection_is_closed()
  end)

  it("leaves no descriptor and no thread behind, and hangs up", function()
    local ended = run([[
      local descriptors, threads = count("fd"), count("task")
      pcall(client.memories.stop, "one")
      client:close()
      client = nil
      collectgarbage()
      collectgarbage()
      say(descriptors == count("fd"), threads == count("task"))
    ]])
    assert.are.equal("true\ttrue", lines(ended)[1], ended.stdout .. ended.stderr)
    check_first_connection_is_closed()
  end)

  it("interrupts a call that waits for its next attempt", function()
    server:close()
    local busy = "HTTP/1.1 503 Busy\r\nRetry-After: 15\r\nContent-Length: 0\r\n\r\n"
    server = raw_server.listen({ { { read = true }, { send = busy }, { serve = true } } })
    local ended = run([[
      say(pcall(client.memories.stop, "one"))
      local result, message = client.memories.stop("two")
      say(result and result.body.data.task_id or message)
    ]])
    local said = lines(ended)
    assert.is_truthy(said[1] and said[1]:find("^false%s.*interrupted!$"), ended.stdout .. ended.stderr)
    assert.are.equal("two", said[2])
  end)

  it("interrupts a call that waits for a connection", function()
    local port = raw_server.black_hole()
    local marker = support.scratch("connecting")
    os.remove(marker)
    local ended = run(([[
      io.open(%q, "w"):close()
      say(pcall(client.memories.stop, "one"))
    ]]):format(marker), function()
      local file = io.open(marker)
      if file then
        file:close()
        require("socket").sleep(0.1)
      end
      return file ~= nil
    end, port.origin)
    assert.is_truthy(ended.stdout:find("^false%s.*interrupted!\n$"), ended.stdout .. ended.stderr)
    port:close()
  end)
end)
