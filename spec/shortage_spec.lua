--- Memory that runs short at every place of a call, also while its failure is being told.
local mediastop = require("mediastop")
local support = require("spec.support")

-- LuaJIT's collector does not take another allocator.
local shortage = not rawget(_G, "jit") and require("shortage")

local MOST = 20000

-- How a shortage reads: Lua's own error; lua-cjson's on 5.1; and what 5.2 says where the stack cannot grow.
local function is_shortage(message)
  return message:find("not enough memory", 1, true) or message:find("Memory allocation error", 1, true)
    or message:find("stack overflow (too many nested calls)", 1, true)
end

-- Calls `f` with the first allocation failing, then the second, and so on until none fails. Every run must end in what
-- `f` checks, or in Lua's own error.
local function exhaust_as(lasting, f)
  collectgarbage()
  collectgarbage("stop")
  local n, failed = 0, true
  while failed and n < MOST do
    local results = { shortage.within(n, lasting, f) }
    failed = results[1]
    local ok, message = results[2], results[3]
    if not ok and not is_shortage(tostring(message)) then
      collectgarbage("restart")
      error(("allocation %d: %s"):format(n, tostring(message)))
    end
    n = n + 1
    if n % 50 == 0 then
      collectgarbage()
      collectgarbage("stop")
    end
  end
  collectgarbage("restart")
  collectgarbage()
  assert.is_false(failed)
  return n
end

-- A shortage that lasts, then one that is over at once.
local function exhaust(f)
  exhaust_as(true, f)
  return exhaust_as(false, f)
end

describe("where memory runs short", function()
  if not shortage then
    return pending("LuaJIT takes no other allocator")
  end
  local client, id

  before_each(function()
    client = support.client()
    id = support.id("memories")
    assert.is_table(client.memories.stop(id))
  end)

  after_each(function()
    client:close()
  end)

  it("a call that succeeds ends in its result or in Lua's own error", function()
    local count = exhaust(function()
      local result = client.memories.stop(id)
      return result.outcome == "ended" or error("no result")
    end)
    assert.is_true(count > 10)
  end)

  it("so does one that is confirmed", function()
    local stream = support.id()
    support.emulator():job("fastpix", stream, "idle")
    exhaust(function()
      -- Next to no time, so that the pause ahead of the read is short.
      local result = client.fastpix.finish(stream, { confirm = true, ignore_ended = true, timeout = 0.12 })
      return result.state == "idle" or result.outcome == "accepted" or error("no state")
    end)
  end)

  it("so does one that reads", function()
    local stream = support.id("fastpix")
    exhaust(function()
      return client.fastpix.status(stream).state == "active" or error("no state")
    end)
  end)

  it("so does one that the provider refuses", function()
    exhaust(function()
      local _, message, err = client.fastpix.finish("no-such-stream")
      return err.kind == "not_found" and message == err.message or error("no error")
    end)
  end)

  it("so does one that is refused here", function()
    exhaust(function()
      local _, _, err = client.fastpix.finish("")
      return err.kind == "invalid_id" or error("no error")
    end)
    exhaust(function()
      local _, _, err = client.fastpix.finish("x", { credentials = { username = "u" } })
      return err.kind == "credentials" or error("no error")
    end)
  end)

  it("so does misuse", function()
    exhaust(function()
      local ok, message = pcall(client.fastpix.finish, "x", { time_out = 1 })
      if not ok and not message:find("did you mean 'timeout'", 1, true) then
        error(message, 0)
      end
    end)
  end)

  it("a job that is started, asked and cancelled", function()
    exhaust(function()
      local job = client:start("memories.stop", id)
      job:poll()
      job:cancel()
      return job:poll() or error("unfinished")
    end)
  end)

  it("a client that is made and closed", function()
    exhaust(function()
      local other = mediastop.new { credentials = { emogg = { token = "token" } }, user_agent = "a/1" }
      other:close()
    end)
  end)

  it("the next call on the same client gets its own answer", function()
    exhaust(function()
      client.memories.stop(id)
    end)
    local other = support.id("memories")
    local result, message = client.memories.stop(other)
    assert.is_table(result, message)
    assert.are.equal(other, result.body.data.task_id)
    assert.are.equal(0, client:step())
  end)
end)
