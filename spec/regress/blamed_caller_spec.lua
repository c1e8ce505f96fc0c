--- What an iterator raised that blames its caller, by level 2, or as coroutine.wrap and functions of C do, had a line
--- of each.lua in front.
local mediastop = require("mediastop")

describe("the error of an iterator", function()
  local closed = assert(io.open("/dev/null"))
  local lines = closed:lines()
  closed:close()
  local finished = coroutine.wrap(function() end)
  finished()

  local cases = {
    ["that blames its caller"] = { function() error("the iterator's", 2) end, "^the iterator's$" },
    ["that blames nobody"] = { function() error("the iterator's", 0) end, "^the iterator's$" },
    ["that tells where it is"] = {
      function() error("the iterator's") end, "^[^:]*blamed_caller_spec.lua:%d+: the iterator's$",
    },
    ["of a table that is called"] = {
      setmetatable({}, { __call = function() error("the iterator's", 2) end }), "^the iterator's$",
    },
    ["of a coroutine"] = { coroutine.wrap(function() error("the iterator's", 0) end), "^the iterator's$" },
    ["of a coroutine that is over"] = { finished, "^cannot resume dead coroutine$" },
    ["of a file that is closed"] = { lines, "^[%a ]*closed[%a ]*$" },
  }
  for what, case in pairs(cases) do
    it(what .. " is what it raised", function()
      local client = mediastop.new()
      local good, message = pcall(client:each(case[1]))
      assert.is_false(good)
      assert.is_truthy(message:find(case[2]), message)
      client:close()
    end)
  end
end)
