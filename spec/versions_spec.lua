--- A module built for one Lua and loaded by another: every pair of the Luas that are installed with their headers.
local support = require("spec.support")
local system = require("spec.emulator.system")

-- By the Makefile's LUA_VERSION: the interpreter. LuaJIT keeps to the binary interface of 5.1.
local interpreters = { ["5.1"] = "lua5.1", ["5.2"] = "lua5.2", ["5.3"] = "lua5.3", ["5.4"] = "lua5.4", jit = "luajit" }
local interface = { jit = "5.1" }

-- Neither the settings of the make that runs the specs, nor an interpreter that is under a checker.
local MAKE = "env -u MAKEFLAGS -u MFLAGS -u LUA -u LUA_INCDIR -u BUILD -u V make LUA_VERSION=%s %s 2>&1; echo status $?"

local function make(version, words)
  return system.capture(MAKE:format(version, words))
end

local versions, absent = {}, {}
for _, version in ipairs(support.keys(interpreters)) do
  local can_run = system.capture("command -v " .. interpreters[version]) ~= ""
  local can_build = make(version, "-s --eval='headers: ; @echo $(LUA_INCDIR)' headers"):find("^/")
  table.insert(can_run and can_build and versions or absent, version)
end

-- The folder of a module that was built for this Lua: the one under build/ if it is of these sources, else a new one.
local folders = {}
local function folder_of(version)
  if not folders[version] then
    local folder = "build/" .. version
    if not make(version, "-q all"):find("status 0$") then
      folder = support.scratch("built-" .. version)
      local said = make(version, "CFLAGS=-O0 all BUILD=" .. system.quote(folder))
      assert(said:find("status 0$"), said)
    end
    folders[version] = folder
  end
  return folders[version]
end

local source = [[
local good, module = pcall(require, "mediastop.core")
collectgarbage()
print(good, good and select(3, module.fastpix.finish("")).kind or module)
]]

-- Requires the module of a folder in the interpreter. Returns its status and what it printed on either stream.
local function load_module(interpreter, folder)
  local path = support.scratch("load.lua")
  system.write_file(path, source)
  local said = system.capture(("LUA_CPATH=%s %s %s 2>&1; echo status $?"):format(
    system.quote(folder .. "/?.so;;"), interpreter, system.quote(path)))
  local printed, status = said:match("^(.-)\n?status (%d+)$")
  return tonumber(status), printed
end

-- How a refusal reads: the loader's, where the other Lua lacks what the module asks for, or luaL_checkversion's.
local refusals = { "undefined symbol", "symbol not found", "version mismatch", "incompatible numeric types" }

local function is_refusal(text)
  for _, words in ipairs(refusals) do
    if text:lower():find(words, 1, true) then
      return true
    end
  end
end

for _, built in ipairs(versions) do
  for _, running in ipairs(versions) do
    local fits = (interface[built] or built) == (interface[running] or running)
    local what = ("a module built for %s %s %s"):format(built, fits and "works in" or "is refused by", running)

    it(what, function()
      local status, printed = load_module(interpreters[running], folder_of(built))
      assert.are.equal(0, status, printed)
      if fits then
        assert.are.equal("true\tinvalid_id", printed)
      else
        assert.are.equal("false\t", printed:sub(1, 6))
        assert.is_true(is_refusal(printed), printed)
      end
    end)
  end
end

if absent[1] then
  pending("modules of and in " .. table.concat(absent, ", ") .. ": not installed, or without headers")
end
