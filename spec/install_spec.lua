--- `make install`: which program runs the command, and where. (What is installed: spec/cli_spec.lua.)
local support = require("spec.support")
local system = require("spec.emulator.system")

local version = rawget(_G, "jit") and "jit" or _VERSION:match("%d.%d")
local build = support.module_file():match("^(.*)/mediastop/")

-- Runs make for this Lua, with what was built already. `words` are the shell's. Returns what it said, and its status.
local function make(words, before)
  local said = system.capture(("%s env -u MAKEFLAGS -u MFLAGS -u LUA make -s LUA_VERSION=%s BUILD=%s %s 2>&1; echo $?")
    :format(before or "", version, system.quote(build), words))
  local lines, status = said:match("^(.-)\n?(%d+)$")
  return lines, tonumber(status)
end

local function folder()
  local path = support.scratch("install." .. support.id())
  system.capture("mkdir " .. path)
  return path
end

describe("make", function()
  it("takes the program that is this Lua, whatever of the usual names it has", function()
    if version == "jit" then
      return pending("LuaJIT has one name")
    end
    local programs = folder()
    local digits = version:gsub("%.", "")
    -- Another Lua under the first name, this one under the third.
    system.write_file(programs .. "/lua" .. version, "#!/bin/sh\necho Lua 1.0\n")
    system.capture(("chmod +x %s/*; ln -s %s %s/lua%s"):format(programs, support.interpreter(), programs, digits))
    local said = make("--eval='which: ; @echo $(LUA)' which", ('PATH="%s:$PATH"'):format(programs))
    assert.are.equal("lua" .. digits, said)
  end)
end)

describe("make install", function()
  it("without a program of this Lua leaves the command alone that is there, and says so", function()
    local prefix = folder()
    system.capture(("mkdir %s/bin && echo older >%s/bin/mediastop"):format(prefix, prefix))
    local said, status = make(("install LUA=no-such-lua PREFIX=%s"):format(prefix))
    assert.are.equal(0, status, said)
    assert.is_truthy(said:find("no-such-lua is not found", 1, true), said)
    assert.are.equal("older\n", system.read_file(prefix .. "/bin/mediastop"))
    assert.is_truthy(system.read_file(prefix .. ("/share/lua/%s/mediastop/init.lua"):format(_VERSION:match("%d.%d"))))
  end)

  it("writes a command that finds its modules whatever the folder is called", function()
    local prefix = folder() .. "/R&D|it's one"
    local said, status = make(("install LUA=%s PREFIX=%s"):format(support.interpreter(), system.quote(prefix)))
    assert.are.equal(0, status, said)
    local program = system.quote(prefix .. "/bin/mediastop")
    local printed = system.capture(("cd / && env -i %s --version 2>&1"):format(program))
    assert.are.equal("mediastop " .. require("mediastop")._VERSION, printed)
  end)
end)
