--- A credential that was found and cannot be sent was kept: the call said what was wrong with it, and went on saying so
--- once it was mended. `explain` called it found.
local finding = require("spec.support.finding")
local support = require("spec.support")

local source = [[
local mediastop = require("mediastop")
local path = %q
local function write(text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end
local function stop()
  local result, message, err = mediastop.memories.stop(%q, { base_url = %q })
  print(result and "result" or err.kind .. " " .. message)
end
write("sk-secret-0123\n\n")
stop()
local explanation = mediastop.credentials.explain("memories")
print(explanation.found, (tostring(explanation):gsub("\n", "|")))
write("sk-secret-0123\n")
stop()
]]

describe("a credential that was found and cannot be sent", function()
  it("is not kept, and explain says what is wrong with it", function()
    local path, id = finding.file("x"), support.id("memories")
    local child = finding.run(source:format(path, id, support.emulator():base_url().memories),
      { MEMORIES_API_KEY_FILE = path })
    local first, explained, second = child.stdout:match("^(.-)\n(.-)\n(.-)\n$")
    assert.are.equal("", child.stderr)
    assert.is_truthy(first:find("^credentials .*'api_key' holds a control byte"), child.stdout)
    assert.is_truthy(explained:find("^false\t.*- .*'api_key' holds a control byte"), child.stdout)
    assert.is_truthy(second:find("^unauthorized "), child.stdout)
    assert.are.same({ "sk-secret-0123" }, finding.authorizations(id))
    assert.is_nil(child.stdout:find(finding.MARK, 1, true))
  end)
end)
