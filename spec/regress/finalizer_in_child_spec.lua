--- A finalizer in the child of a fork took the parent's job for its own: it waited for ever for a thread that only the
--- parent has, or, over TLS, said good-bye to the server on the parent's connection. It removed the parent's ticket.
local many = require("spec.support.many")
local support = require("spec.support")

local ends = {
  -- What is finalised last leaves: the memory of the parent's handles is lost on purpose, and would be called a leak.
  ["as its state is closed"] = "is_child = true os.exit(8, true)",
  ["as the collector runs"] = "job = nil collectgarbage() collectgarbage() process.leave(7)",
}

describe("a job of the parent's that the child of a fork finalises,", function()
  for what, source in pairs(ends) do
    for _, origin in ipairs({ "http", "tls" }) do
      for _, way in ipairs({ "step", "wait" }) do
        it(("%s, over %s, moved on by %s: is left alone"):format(what, origin, way), function()
          if not many.has_processes then
            return pending("process.so is not built")
          elseif source:find("os.exit") and _VERSION == "Lua 5.1" and not rawget(_G, "jit") then
            return pending("os.exit does not close the state on Lua 5.1")
          end
          local ids = many.ids("memories", 1)
          support.emulator():faults(ids[1], { { delay = 0.4 } })
          many.good_child(([[
            oldest = on_collection(function()
              if is_child then
                process.leave(7)
              end
            end)
            local client = new_client({ timeout = 10 })
            local job = assert(client:start("memories.stop", place.ids[1]))
            for _ = 1, 20 do
              if %q == "step" then client:step() require("socket").sleep(0.005) else job:wait(0.005) end
            end
            local pid = process.fork()
            if pid == 0 then
              process.alarm(5)
              %s
            end
            local how, number = process.wait(pid)
            assert(how == "exit" and number == 7, how .. number)
            local result, message = job:wait() and job:result()
            assert(result, message)
            assert(result.outcome == "ended" and result.attempts == 1)
          ]]):format(way, source), ids, support.emulator()[origin])
          assert.are.equal(1, #support.emulator():requests(ids[1]))
        end)
      end
    end
  end

  it("a ticket, likewise", function()
    if not many.has_processes then
      return pending("process.so is not built")
    end
    many.good_child([[
      local ticket = assert(require("mediastop.core").tickets.issue("forked"))
      local pid = process.fork()
      if pid == 0 then
        os.exit(7, true)
      end
      process.wait(pid)
      assert(ticket:take(), "the child has taken it")
    ]])
  end)
end)
