--- A client's function was asked for a credential within a finalizer, and collected garbage, which had the client
--- finalised (Lua 5.1, 5.2 and LuaJIT, where finalizers nest): where it gave none, the client's base_url, freed by
--- then, was read on, and stood in the message.
local many = require("spec.support.many")
local support = require("spec.support")

describe("a client that is finalised while a function of its own is asked for a credential", function()
  it("is read no more", function()
    local problem = many.no_collection_at_end()
    if problem then
      return pending(problem)
    end
    local ended = many.child([[
      process.alarm(20)
      mediastop.credentials.preload()
      local client = new_client({ timeout = 5, profile = "default", credentials = { memories = function()
        collectgarbage()
        collectgarbage()
        local others = {}
        for i = 1, 200 do
          others[i] = ("x"):rep(17) .. i
        end
        return nil
      end } })
      keep = on_collection(function()
        local result, message, err = client.memories.stop(place.ids[1])
        io.write(result and result.outcome or err.kind == "closed" and err.kind or message, "\n")
      end)
    ]], 1, nil, support.variables())
    assert.are.same({ 0, "" }, { ended.status, ended.stderr })
    -- Where finalizers do not nest the client is there all the while.
    assert.is_true(ended.stdout == "closed\n" or ended.stdout == "ended\n", ended.stdout)
  end)
end)
