--- Memory that ran short just as a job was ended. One that was cancelled had lost its transfer and kept its place among
--- those under way: once its time was over, the transfer was used again. One that was done was on no list any more and
--- had not come to the one that its caller reads.
local core = require("mediastop.core")
local exhausted = require("spec.support.exhausted")
local support = require("spec.support")

-- LuaJIT's collector does not take another allocator.
local shortage = not rawget(_G, "jit") and require("shortage")

describe("where memory is short as a job ends", function()
  if not shortage then
    return pending("LuaJIT takes no other allocator")
  end

  for _, way in ipairs({ "step", "wait" }) do
    it("one that is cancelled ends later: moved on by " .. way, function()
      local client = support.client({ attempt_timeout = 0.05, attempts = 1 })
      local function start()
        local id = support.id("memories")
        support.emulator():faults(id, { { hang = 1 } })
        local job = assert(client:start("memories.stop", id))
        for _ = 1, 3 do
          if way == "step" then
            client:step()
          end
          job:wait(0.002)
        end
        return job
      end
      exhausted.run(shortage.within, function(job)
        job:cancel()
        return true
      end, start, function(job)
        assert.is_true(job:wait(5))
        local _, message, err = job:result()
        assert.is_true(err.kind == "cancelled" or err.kind == "timeout", message)
      end)
      assert.are.equal(0, client:step())
      client:close()
    end)
  end

  it("one that is done comes to its list", function()
    local client = support.client()
    local engine = core.engine
    exhausted.run(shortage.within, function(given)
      for _ = 1, 100 do
        engine.run(client, 0.05)
        if #given.done > 0 then
          return true
        end
      end
      error("it does not end")
    end, function()
      local given = { done = {} }
      given.job = assert(engine.start_into(client, given.done, false, "memories.stop", support.id("memories")))
      return given
    end, function(given)
      for _ = 1, 100 do
        if #given.done > 0 then
          break
        end
        engine.run(client, 0.05)
      end
      assert.are.same({ given.job }, given.done)
      assert.is_true(given.job:poll())
    end)
    client:close()
  end)
end)
