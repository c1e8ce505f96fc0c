--- mediastop.loader, in a host that keeps its Lua to itself (spec/support/private_lua.c) and in one that does not.
local many = require("spec.support.many")
local private_lua = require("spec.support.private_lua")
local support = require("spec.support")
local system = require("spec.emulator.system")

local name, listed = private_lua.name, private_lua.library
local host = private_lua.host
host = host and system.capture("readlink -f " .. system.quote(host))

-- Runs Lua source in the host, with a Lua of its own from this file. `before` is words of the shell ahead of it.
-- Returns { status, printed }.
local function run(library, source, before)
  local script = support.scratch("private.lua")
  system.write_file(script, source)
  local status = system.capture(("%s %s %s %s %s >%s.out 2>&1; echo $?"):format(before or "",
    support.with_environment(), system.quote(host), system.quote(library), script, script))
  return { status = tonumber(status), printed = system.read_file(script .. ".out") }
end

-- A copy of the library under its own name, in a folder of its own.
local function copy()
  local folder = support.scratch("library." .. support.id())
  system.capture(("mkdir %s && cp %s %s/%s"):format(folder, listed, folder, name))
  return folder .. "/" .. name
end

local function describe_private(what, body)
  describe(what, function()
    if host and listed then
      body()
    else
      pending("no shared library of this Lua, or none that could be opened for others")
    end
  end)
end

describe_private("a host that keeps its Lua to itself", function()
  it("cannot have a C module, ours or another's, without the loader", function()
    for _, module in ipairs({ "mediastop", "mediastop.core", "cjson" }) do
      local ended = run(listed, ("require(%q)"):format(module))
      assert.are.equal(1, ended.status)
      assert.is_truthy(ended.printed:find("undefined symbol: lua", 1, true), ended.printed)
    end
  end)

  it("can with it, and a call goes through", function()
    local id = support.id("fastpix")
    local ended = run(listed, ([[
      local loader = require("mediastop.loader")
      assert(loader.library and not loader.reason, loader.reason)
      assert(require("mediastop.loader") == loader)
      local mediastop = require("mediastop")
      local result = assert(mediastop.fastpix.finish(%q, {
        base_url = %q,
        credentials = { username = %q, password = %q },
      }))
      print(loader.library, result.outcome)
    ]]):format(id, support.emulator():base_url().fastpix, support.emulator().credentials.fastpix.username,
      support.emulator().credentials.fastpix.password))
    assert.are.equal(0, ended.status, ended.printed)
    assert.is_truthy(ended.printed:find("^/%S+/lib%S+\tended\n$"), ended.printed)
    assert.are.equal("idle", support.emulator():state("fastpix", id))
  end)

  it("has no second copy of it afterwards", function()
    local path = copy()
    local ended = run(path, [[
      local function count()
        local files, number = {}, 0
        for line in io.lines("/proc/self/maps") do
          local file = line:match("/%S*liblua%S*$")
          number = number + (file and not file:find("cjson") and not files[file] and 1 or 0)
          files[file or 0] = true
        end
        return number
      end
      local before = count()
      local library = require("mediastop.loader").library
      require("mediastop")
      print(library, before, count())
    ]])
    assert.are.equal(path .. "\t1\t1\n", ended.printed)
  end)

  it("still keeps it to itself afterwards", function()
    -- A plugin with a Lua of its own (VLC's, in OBS) took the host's Lua for that, and crashed.
    local cjson = support.scratch("cjson." .. support.id())
    system.capture(("cp %s %s"):format(system.quote(package.searchpath("cjson", package.cpath)), cjson))
    local ended = run(listed, ([[
      require("mediastop.loader")
      require("mediastop")
      print(package.loadlib(%q, "luaopen_cjson"))
    ]]):format(cjson))
    assert.are.equal(0, ended.status, ended.printed)
    assert.is_truthy(ended.printed:find("undefined symbol: lua", 1, true), ended.printed)
  end)

  it("can have a module within another's file, from where it runs, and hears of one that is not there", function()
    local folder = support.scratch("relative." .. support.id())
    system.capture(("mkdir %s && cp %s %s/cjson.so && ln -s \"$PWD/lua\" %s/lua"):format(folder,
      system.quote(package.searchpath("cjson", package.cpath)), folder, folder))
    local ended = run(listed, [[
      require("mediastop.loader")
      package.cpath = "?.so"
      assert(require("cjson.safe").decode("[1]")[1] == 1)
      local good, message = pcall(require, "no-such.module")
      assert(not good and message:find("no file 'no-such/module.so'", 1, true), message)
      good, message = pcall(require, "cjson.nothing")
      assert(not good and message:find("luaopen_cjson_nothing", 1, true), message)
    ]], "cd " .. folder .. " &&")
    assert.are.equal(0, ended.status, ended.printed)
  end)

  it("leaves no file behind", function()
    local folder = support.scratch("tmp." .. support.id())
    system.capture("mkdir " .. folder)
    local ended = run(listed, ([[
      local made = 0
      os.tmpname = function() made = made + 1 return %q .. made end
      require("mediastop.loader")
      require("mediastop")
      assert(made == 2)
    ]]):format(folder .. "/"))
    assert.are.equal(0, ended.status, ended.printed)
    assert.are.equal("", system.capture("ls " .. folder))
  end)

  it("whose file was replaced while it runs is left alone", function()
    local path = copy()
    local ended = run(path, ([[
      assert(os.remove(%q))
      local loader = require("mediastop.loader")
      print(loader.library, loader.reason)
    ]]):format(path))
    assert.are.equal(0, ended.status, ended.printed)
    assert.is_truthy(ended.printed:find("^nil\tthe file has been replaced"), ended.printed)
  end)

  it("beside another copy of the same Lua never gets the wrong one", function()
    local own, other = copy(), copy()
    local ended = run(own, ([[
      package.loadlib(%q, "luaopen_base")
      local loader = require("mediastop.loader")
      print(loader.library, loader.reason)
      if loader.library then
        local object = require("mediastop").new()
        object:close()
      end
    ]]):format(other))
    assert.are.equal(0, ended.status, ended.printed)
    local expected = rawget(_G, "jit") and "^nil\tthe process has two" or "^" .. own:gsub("%p", "%%%0") .. "\tnil\n"
    assert.is_truthy(ended.printed:find(expected), ended.printed)
  end)
end)

describe("elsewhere the loader", function()
  it("does nothing, and says why", function()
    local printed = many.good_child([[
      local loader = require("mediastop.loader")
      assert(loader.library or loader.reason)
      print(require("mediastop")._VERSION)
    ]])
    assert.are.equal(require("mediastop")._VERSION .. "\n", printed)
  end)

  for what, source in pairs({
    ["without /proc"] = "io.open = function() return nil, 'no such file' end",
    ["without io"] = "io = nil",
    ["without package.loadlib"] = "package.loadlib = nil",
    ["where somebody has replaced rawget"] = "local old = rawget; rawget = function(...) return old(...) end",
  }) do
    it("does nothing and raises nothing " .. what, function()
      local child = support.run(source .. [[

        local loader = require("mediastop.loader")
        assert(loader.library == nil and type(loader.reason) == "string")
      ]])
      assert.are.equal("", child.stderr)
      assert.are.equal(0, child.status)
    end)
  end

  it("makes no global", function()
    local child = support.run([[
      setmetatable(_G, { __newindex = function(_, key) error("global " .. key) end })
      require("mediastop.loader")
    ]])
    assert.are.equal("", child.stderr)
  end)
end)
