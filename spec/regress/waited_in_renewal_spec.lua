--- A function that was asked for another credential and waited for the very job, or stepped until nothing was
--- unfinished, did so for ever, whatever the job's timeout: nobody moved the job on meanwhile, nor ended it. So did a
--- loop over many jobs that was asked for the next one.
local many = require("spec.support.many")
local support = require("spec.support")

-- What the function does with `client`, `job`, and `other`, a job that is under way.
local deeds = {
  ["waits for the job"] = "assert(job:wait() == false)",
  ["waits for the job for some time"] = "assert(job:wait(60) == false)",
  ["steps until nothing is unfinished"] = "while client:step() > 0 do end",
  ["waits for another job"] = "assert(other:wait() and not job:poll())",
  ["asks for the result"] = "assert(select(3, job:result()).kind == 'pending')",
  ["cancels the job and waits for it"] = "job:cancel() job:wait()",
  ["closes the client and waits for the job"] = "client:close() job:wait()",
  ["collects garbage"] = "collectgarbage()",
}
local ends = {
  ["cancels the job and waits for it"] = "cancelled",
  ["closes the client and waits for the job"] = "closed",
}

describe("a function that is asked for another credential and", function()
  for what, deed in pairs(deeds) do
    it(what .. " comes back", function()
      if not many.has_processes then
        return pending("process.so is not built")
      end
      local printed = many.good_child(([[
        process.alarm(30)
        local client = new_client({ timeout = 20 })
        local asked, job, other = 0, nil, nil
        local events, options = {}, {}
        function options.credentials()
          asked = asked + 1
          if asked == 2 then
            %s
          end
          return asked == 1 and { api_key = "a key of yesterday" } or place.credentials.memories
        end
        function options.on_event(event)
          events[#events + 1] = event.type
        end
        job = assert(client:start("memories.stop", place.ids[1], options))
        other = assert(client:start("memories.stop", place.ids[2]))
        job:wait()
        local result, _, err = job:result()
        other:wait()
        print(result and result.outcome or err.kind, asked, client:step(), table.concat(events, " "))
      ]]):format(deed), 2)
      local events = ends[what] and "attempt result" or "attempt attempt result"
      assert.are.equal(("%s\t2\t0\t%s\n"):format(ends[what] or "ended", events), printed)
    end)
  end

  it("asks the loop that the job is of for a result raises", function()
    if not many.has_processes then
      return pending("process.so is not built")
    end
    local ids = many.ids("memories", 2)
    support.emulator():faults(ids[1], { { delay = 0.3 } })
    local printed = many.good_child([[
      process.alarm(30)
      local client = new_client({ timeout = 20 })
      local asked, next_result, good, words, kind = 0, nil, nil, nil, nil
      next_result = client:each({
        { "memories.stop", place.ids[2] },
        { "memories.stop", place.ids[1], {
          credentials = function()
            asked = asked + 1
            if asked == 2 then
              good, words = pcall(next_result)
            end
            return asked == 1 and { api_key = "a key of yesterday" } or place.credentials.memories
          end,
          on_event = function(event)
            kind = event.type == "result" and (event.error or event.result).kind
          end,
        } },
      })
      assert(next_result()[2] == place.ids[2])
      while client:step() > 0 do end
      print(asked, good, words:match("each"), kind, next_result())
    ]], ids)
    assert.are.equal("2\tfalse\teach\tcancelled\tnil\n", printed)
  end)
end)
