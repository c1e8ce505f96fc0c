--- Options were checked as they stand in their table, but `credentials` and `on_event` were then taken through its
--- metatable: a string that nobody had looked at was walked as a table, and the process died.
local mediastop = require("mediastop")
local support = require("spec.support")

local inherited = { credentials = "sk-inherited", on_event = 5, timeout = -1, profile = 7, time_out = 1 }

local heirs = {
  ["a table's fields"] = function() return setmetatable({}, { __index = inherited }) end,
  ["a number for all"] = function() return setmetatable({}, { __index = function() return 5 end }) end,
  ["an error for all"] = function() return setmetatable({}, { __index = function() error("nobody asks") end }) end,
}

describe("what only a metatable of the options knows is no option", function()
  for what, heir in pairs(heirs) do
    it("to a call: " .. what, function()
      local client = support.client()
      local id = support.id("memories")
      assert.are.equal("ended", assert(client.memories.stop(id, heir())).outcome)
      for _, result, message in client:each({ { "memories.stop", support.id("memories"), heir() } }) do
        assert.is_table(result, message)
      end
      client:close()
    end)

    it("to a client: " .. what, function()
      local client = mediastop.new(heir())
      local result, message, err = client.memories.stop("x", { base_url = "http://127.0.0.1:1", attempts = 1 })
      assert.is_nil(result, message)
      assert.is_true(err.kind == "credentials" or err.kind == "connect", message)
      client:close()
    end)

    it("to explain and preload: " .. what, function()
      assert.are.equal("default", mediastop.credentials.explain("memories", heir()).profile)
      mediastop.credentials.preload(heir())
    end)
  end
end)
