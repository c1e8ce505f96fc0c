--- A loop over many jobs, within a finalizer, whose client was finalised as it ran, went on for ever (Lua 5.1 and
--- LuaJIT, where finalizers nest): the client had let go of the jobs, so that none came to its end.
local many = require("spec.support.many")
local support = require("spec.support")

describe("a loop over many jobs whose client is finalised", function()
  it("comes to its end", function()
    local problem = many.no_collection_at_end()
    if problem then
      return pending(problem)
    end
    local ids = many.ids("memories", 3)
    support.emulator():faults(ids[2], { { delay = 0.3 } })
    support.emulator():faults(ids[3], { { delay = 0.3 } })
    local ended = many.child([[
      process.alarm(20)
      local client = new_client({ timeout = 5 })
      local function run()
        local list = {}
        for i, id in ipairs(place.ids) do
          list[i] = { "memories.stop", id }
        end
        for request, result, _, err in client:each(list) do
          io.write(result and result.outcome or err.kind, "\n")
          collectgarbage()
        end
        io.write("out\n")
      end
      keep = { client, on_collection(run) }
    ]], ids)
    assert.are.same({ 0, "" }, { ended.status, ended.stderr })
    local first, second, third = ended.stdout:match("^(%a+)\n(%a+)\n(%a+)\nout\n$")
    assert.are.equal("ended", first, ended.stdout)
    for _, word in ipairs({ second, third }) do
      assert.is_true(word == "closed" or word == "ended", ended.stdout)
    end
  end)
end)
