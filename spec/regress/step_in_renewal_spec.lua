--- A credential was refused, and a new one found; a listener that ran the client, told of the attempt with the new one,
--- made it settle the refusal meanwhile: the call failed, the new credential unused.
local support = require("spec.support")

describe("a listener that runs the client as a refused request is sent again", function()
  it("leaves the request its new credential", function()
    local client, id = nil, support.id("memories")
    client = support.client({ on_event = function(event)
      if event.type == "attempt" then
        client:step()
      end
    end })
    local asked = 0
    local result, message = client.memories.stop(id, { credentials = function()
      asked = asked + 1
      return asked == 1 and { api_key = "a key of yesterday" } or support.emulator().credentials.memories
    end })
    assert.is_table(result, message)
    assert.are.equal("ended", result.outcome)
    assert.are.equal(2, #support.emulator():requests(id))
    client:close()
  end)
end)
