--- A descriptor that stayed readable though nothing was unfinished, so that a host's loop turned without a pause: where
--- one of several jobs on a connection of HTTP/2 was called off, where the server then closed such a connection, and
--- where a job that had its answer was called off before the thread's word of it was heard.
local many = require("spec.support.many")
local socket = require("socket")
local support = require("spec.support")

local emulator = support.emulator()

local function assert_silent(client, fd)
  for _ = 1, 30 do
    client:step()
  end
  many.step_until(client, function() return client:step() == 0 end) -- what LuaJIT's stack still has goes on
  assert.is_nil(client:due())
  assert.is_false(many.is_readable(fd, 0), "readable, and step does nothing about it")
end

-- In a function of its own, on whose stack nothing of it is left.
local function leave_loop(client)
  local ended, list = 0, many.requests("memories.stop", many.ids("memories", 30))
  for _, result, message in client:each(list, { concurrency = 10 }) do
    assert(result, message)
    ended = ended + 1
    if ended == 5 then
      break
    end
  end
end

describe("the descriptor is silent again", function()
  it("where one of several jobs on a connection is called off", function()
    for _ = 1, 20 do
      local client = support.origin_client(emulator.h2, { timeout = 3 })
      local fd = client:fd()
      local slow, fast = many.start(client, { { delay = 0.1 } }), many.start(client)
      assert(fast:wait())
      slow:cancel()
      assert.are.equal(0, client:step())
      socket.sleep(0.12)
      assert_silent(client, fd)
      client:close()
    end
  end)

  it("where a loop over many is left", function()
    for _ = 1, 10 do
      local client = support.origin_client(emulator.h2, { timeout = 3 })
      local fd = client:fd()
      leave_loop(client)
      many.collect()
      socket.sleep(0.05)
      assert_silent(client, fd)
      client:close()
    end
  end)

  for _, way in ipairs({ "cancelled", "collected" }) do
    it("where a job that the thread has told of is " .. way, function()
      local client = support.client({ timeout = 10 })
      local job = many.start(client)
      client:step()
      local fd = client:fd()
      assert.is_true(many.is_readable(fd, 5))
      if way == "cancelled" then
        job:cancel()
      end
      job = nil -- luacheck: ignore
      many.collect()
      assert_silent(client, fd)
      client:close()
    end)
  end
end)
