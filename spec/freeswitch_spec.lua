--- examples/freeswitch outside of FreeSWITCH: what it gives to a script, `argv` and `freeswitch`, is made up here.
local support = require("spec.support")

local emulator = support.emulator()

-- Runs the script as `luarun end-job.lua …` would. What it logs comes to standard output, with the level before it.
local function run(provider, ...)
  local words = {}
  for i, word in ipairs({ ... }) do
    words[i] = ("%q"):format(word)
  end
  return support.run(([[
    argv = { %s }
    freeswitch = { consoleLog = function(level, text) io.write("[", level, "] ", text) end }
    dofile("examples/freeswitch/end-job.lua")
  ]]):format(table.concat(words, ", ")), support.merge(support.variables(), {
    MEDIASTOP_BASE_URL = emulator:base_url()[provider],
  }))
end

describe("examples/freeswitch", function()
  for _, operation in ipairs(support.operations) do
    it("ends the job and logs that: " .. operation.full, function()
      local id = support.id(operation.provider)
      local ended = run(operation.provider, operation.full, id)
      assert.are.equal(0, ended.status, ended.stderr)
      local words = "[info] mediastop: " .. operation.full .. " " .. id .. ": "
      assert.is_truthy(ended.stdout:find(words, 1, true), ended.stdout)
      assert.are.equal(1, #emulator:requests(id))
    end)
  end

  it("logs why it could not", function()
    local ended = run("fastpix", "fastpix.finish", "nobody")
    assert.are.equal(0, ended.status, ended.stderr)
    assert.is_truthy(ended.stdout:find("^%[err%] mediastop: fastpix.finish nobody: not_found: "), ended.stdout)
    ended = run("fastpix", "fastpix.finish")
    assert.is_truthy(ended.stdout:find("^%[err%] mediastop: fastpix.finish : invalid_id: "), ended.stdout)
  end)

  it("raises at an operation that there is not, which FreeSWITCH logs", function()
    local ended = run("fastpix", "fastpix.stop", "x")
    assert.are.equal(1, ended.status)
    assert.is_truthy(ended.stderr:find("unknown operation 'fastpix.stop'", 1, true), ended.stderr)
    assert.are.equal("", ended.stdout)
  end)
end)
