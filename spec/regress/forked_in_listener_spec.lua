--- A listener that forked: the child, on its way out of the listener, went on with the parent's jobs on the parent's
--- connections, until the next call looked for a fork.
local many = require("spec.support.many")
local support = require("spec.support")

describe("where a listener forks, told of", function()
  local jobs = { attempt = "spec", result = "spec", retry = "spec" }
  for _, event in ipairs(support.keys(jobs)) do
    it("the " .. event .. ", the jobs are the parent's alone", function()
      if not many.has_processes then
        return pending("process.so is not built")
      end
      local ids = many.ids("memories", 4)
      local emulator = support.emulator()
      emulator:faults(ids[1], event == "retry" and { { status = 503, headers = { ["Retry-After"] = "1" } } } or {})
      many.good_child(([[
        local client = new_client({ timeout = 10 })
        assert(client.memories.stop(place.ids[4]))      -- there is a connection
        local child
        local jobs = {}
        for i = 1, 3 do
          jobs[i] = assert(client:start("memories.stop", place.ids[i], { on_event = i == 1 and function(event)
            if event.type == %q and not child then
              child = process.fork()
            end
          end or nil }))
        end
        local deadline = os.time() + 8
        while client:step() > 0 and os.time() < deadline do
          require("socket").sleep(0.002)
        end
        if child == 0 then
          for i = 1, 3 do
            local result, message, err = jobs[i]:result()
            if result and result.outcome ~= "ended" or err and err.kind ~= "cancelled" then
              io.stderr:write("in the child: " .. (message or result.outcome) .. "\n")
            end
          end
          process.leave(7)
        end
        local how, number = process.wait(child)
        assert(how == "exit" and number == 7, how .. number)
        for i = 1, 3 do
          assert(jobs[i]:result())
        end
      ]]):format(event), ids)
      assert.are.equal(event == "retry" and 2 or 1, #emulator:requests(ids[1]))
      assert.are.equal(1, #emulator:requests(ids[2]))
      assert.are.equal(1, #emulator:requests(ids[3]))
    end)
  end
end)
