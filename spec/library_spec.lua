--- What the module's file shows the loader, by binutils: a host has many Luas, threads and libraries beside it.
local support = require("spec.support")
local system = require("spec.emulator.system")

local has_readelf = system.capture("command -v readelf") ~= ""

local function read(option)
  return system.capture(("LC_ALL=C readelf --wide %s %s 2>&1"):format(option, system.quote(support.module_file())))
end

-- Declares a spec that needs readelf, which only ELF has.
local function case(name, run)
  it(name, function()
    if not has_readelf then
      return pending("readelf is not here")
    end
    run()
  end)
end

describe("the module's file", function()
  case("shows luaopen_mediastop_core, and no other name", function()
    local names = {}
    for line in read("--dyn-syms"):gmatch("[^\n]+") do
      local bind, section, name = line:match("^%s*%d+: %x+%s+%d+ %S+%s+(%S+)%s+%S+%s+(%S+) (%S+)")
      if bind and bind ~= "LOCAL" and section ~= "UND" then
        names[#names + 1] = name
      end
    end
    assert.are.same({ "luaopen_mediastop_core" }, names)
  end)

  case("needs libcurl, and no Lua: the host has one", function()
    local needed = {}
    for name in read("--dynamic"):gmatch("%(NEEDED%)%s+Shared library: %[([^%]]+)%]") do
      needed[#needed + 1] = name
      assert.is_nil(name:lower():find("lua", 1, true), name)
    end
    assert.is_truthy(table.concat(needed, " "):find("libcurl", 1, true))
  end)

  case("stays in memory once it was loaded", function()
    assert.is_truthy(read("--dynamic"):find("%(FLAGS_1%)%s+Flags:[^\n]*NODELETE"))
  end)
end)
