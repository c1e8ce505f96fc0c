--- A call within a finalizer at the end of a Lua state that came to nothing, since its client was closed as it was
--- asked for a credential or since it was given none, kept its request, the key too, where Lua 5.1 finalizes what is
--- made then no more: nobody wiped or freed it. Only a sanitizer sees that.
local many = require("spec.support.many")

describe("a call that is refused once a credential was asked for, at the end of the state,", function()
  local answers = { closed = "client:close() return place.credentials.memories", credentials = "return {}" }
  for what, answer in pairs(answers) do
    it("leaves nothing: " .. what, function()
      local printed = many.good_child(([[
        local client = new_client({ credentials = {} })
        keep = on_collection(function()
          for _ = 1, 3 do
            local _, _, err = client.memories.stop(place.ids[1], { credentials = function()
              %s
            end })
            io.write(err.kind, "\n")
          end
        end)
      ]]):format(answer))
      assert.are.equal((what .. "\n"):rep(3), printed)
    end)
  end
end)
