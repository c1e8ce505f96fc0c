--- A function that was asked for another credential, within a finalizer, and collected garbage had the client
--- finalised meanwhile (Lua 5.1, 5.2 and LuaJIT, where finalizers nest): the job queued at a client that was gone,
--- which ended the process with a signal.
local many = require("spec.support.many")

describe("a client that is finalised while a function is asked for another credential", function()
  for _, second in ipairs({ "place.credentials.memories", "nil", "error('none')" }) do
    it("has let go of the job, which is closed: " .. second, function()
      local problem = many.no_collection_at_end()
      if problem then
        return pending(problem)
      end
      local ended = many.child(([[
        process.alarm(20)
        local client = new_client({ timeout = 5 })
        local asked, ran = 0, false
        local function run()
          local job = assert(client:start("memories.stop", place.ids[1], { credentials = function()
            asked = asked + 1
            if asked == 1 then
              return { api_key = "a key of yesterday" }
            end
            collectgarbage()
            collectgarbage()
            return %s
          end }))
          while not job:poll() do
            pcall(job.wait, job)
          end
          local result, _, err = job:result()
          io.write(result and result.outcome or err.kind, "\n")
        end
        keep = on_collection(function()
          local good, words = pcall(run)
          io.write(good and "" or words)
        end)
      ]]):format(second))
      assert.are.same({ 0, "" }, { ended.status, ended.stderr })
      -- Where finalizers do not nest the client is there all the while.
      local later = second:find("place", 1, true) and "ended" or "unauthorized"
      assert.is_true(ended.stdout == "closed\n" or ended.stdout == later .. "\n", ended.stdout)
    end)
  end
end)
