--- Where the host's Lua is visible (mpv, LÖVE, HAProxy), mediastop.loader still changed something: a module by the name
--- of one within a C library, which that library does not have, raised at once, and searchers behind were not asked;
--- and a library with a version behind its name (5.3 and later) could not be loaded.
local private_lua = require("spec.support.private_lua")
local support = require("spec.support")
local system = require("spec.emulator.system")

local host, library = private_lua.host, private_lua.library

-- Runs Lua source in a host of whose Lua everybody sees the symbols, behind the loader or without it. Returns what it
-- printed.
local function run(source, with_loader)
  local script = support.scratch("open.lua")
  local first = with_loader and 'assert(require("mediastop.loader").library)\n' or ""
  system.write_file(script, first .. source)
  local words = "%s LD_PRELOAD=%s %s %s %s 2>&1"
  return (system.capture(words:format(support.with_environment(), library, system.quote(host), library, script)))
end

describe("mediastop.loader, where the host's Lua is visible,", function()
  local function it_is_the_same(what, source, expected)
    it(what, function()
      if not (host and library) then
        return pending("no shared library of this Lua, or none that could be preloaded")
      elseif os.getenv("MEDIASTOP_LUA") then
        return pending("the sanitizer's runtime is to be loaded first")
      end
      assert.are.equal(expected, run(source, false))
      assert.are.equal(expected, run(source, true))
    end)
  end

  it_is_the_same("leaves what a C library does not have to the searchers behind", [[
    local searchers = package.searchers or package.loaders
    searchers[#searchers + 1] = function(wanted)
      return wanted == "cjson.nothing" and function() return "found later" end or nil
    end
    print((require("cjson.nothing")))
  ]], "found later")

  it_is_the_same("says of what nobody has that it is not found", [[
    local _, message = pcall(require, "cjson.nothing")
    print(message:match("^module 'cjson.nothing' not found"))
  ]], "module 'cjson.nothing' not found")

  if _VERSION >= "Lua 5.3" then
    local folder = support.scratch("versions." .. support.id())
    it_is_the_same("loads a library with a version behind its name", ([[
      os.execute("mkdir -p %s && cp " .. package.searchpath("cjson", package.cpath) .. " %s/cjson-v2.so")
      package.cpath = "%s/?.so;" .. package.cpath
      print(require("cjson-v2").decode("[7]")[1] == 7)
    ]]):format(folder, folder, folder), "true")
  end
end)
