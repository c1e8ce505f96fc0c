--- The rock: LuaRocks builds, installs and tests it, without a network, with lua-cjson and argparse as they are here.
local support = require("spec.support")
local system = require("spec.emulator.system")

local quote = system.quote
local version = rawget(_G, "jit") and "jit" or _VERSION:match("%d.%d")
local interface = _VERSION:match("%d.%d")
local rockspec = "rockspec/mediastop-scm-1.rockspec"

-- Runs a script of the shell without the specs' own environment. Returns whether it succeeded, and what it printed.
local function run(script)
  local words = "env -i PATH=%s HOME=%s sh -c %s 2>&1 </dev/null; echo status $?"
  local said = system.capture(words:format(quote(os.getenv("PATH")), quote(support.scratch("home")), quote(script)))
  local printed, status = said:match("^(.-)\n?status (%d+)$")
  return status == "0", printed
end

local function succeeds(script)
  local good, printed = run(script)
  assert.is_true(good, script .. "\n" .. printed)
  return printed
end

local has_luarocks = run("command -v luarocks")

-- Declares a spec that needs LuaRocks.
local function case(name, body)
  it(name, function()
    if not has_luarocks then
      return pending("luarocks is not here")
    end
    body()
  end)
end

local lines = {
  'rocks_provided = { ["lua-cjson"] = "2.1.0-1", argparse = "0.7.1-1" }',
  "rocks_servers = {}",
}
if version == "jit" then
  lines[#lines + 1] = 'lua_interpreter = "luajit"'
  lines[#lines + 1] = ("variables = { LUA_INCDIR = %q }"):format(succeeds(
    "make -s LUA_VERSION=jit --eval='print:; @echo $(LUA_INCDIR)' print"))
end

-- Runs LuaRocks for this Lua, with a tree of this run. Returns what `run` does, and the tree.
local function luarocks(words)
  local config, tree = support.scratch("luarocks.lua"), support.scratch("rocks")
  system.write_file(config, table.concat(lines, "\n") .. "\n")
  local good, printed = run(("LUAROCKS_CONFIG=%s luarocks --lua-version=%s --tree=%s %s"):format(quote(config),
    interface, quote(tree), words))
  return good, printed, tree
end

local function field(path, name)
  return system.read_file(path):match("\n%s*" .. name .. ' = "([^"]*)"')
end

describe("the rock", function()
  case("passes luarocks lint", function()
    succeeds("luarocks lint " .. rockspec)
  end)

  case("of a release differs by version and tag, which the C header has", function()
    local path = succeeds("make -s rockspec")
    local number = system.read_file("csrc/mediastop.h"):match('MEDIASTOP_VERSION "([^"]+)"')
    assert.are.equal(number, require("mediastop")._VERSION)
    assert.are.equal("build/mediastop-" .. number .. "-1.rockspec", path)
    assert.are.equal(number .. "-1", field(path, "version"))
    assert.are.equal("v" .. number, field(path, "tag"))
    assert.is_nil(field(path, "branch"))
    succeeds("luarocks lint " .. path)
  end)

  case("is made from the root of the sources; module and command work from the tree, wherever one stands", function()
    local good, printed, tree = luarocks("make CFLAGS='-O0 -fPIC'")
    assert.is_true(good, printed)
    local emulator = support.emulator()
    local id = support.id("fastpix")
    local program = support.scratch("rock.lua")
    system.write_file(program, ([[
      local client = require("mediastop").new {
        base_url = { fastpix = %q }, proxy = "", credentials = { fastpix = { username = %q, password = %q } },
      }
      print(package.searchpath and package.searchpath("mediastop.core", package.cpath) or "")
      print(assert(client.fastpix.finish(%q)).outcome)
    ]]):format(emulator:base_url().fastpix, emulator.credentials.fastpix.username,
      emulator.credentials.fastpix.password, id))
    local share, lib = ("%s/share/lua/%s/"):format(tree, interface), ("%s/lib/lua/%s/"):format(tree, interface)
    local where, outcome = succeeds(("cd / && LUA_PATH='%s?.lua;%s?/init.lua;;' LUA_CPATH='%s?.so;;' %s %s"):format(
      share, share, lib, quote(support.interpreter()), quote(program)))
      :match("^(.-)\n(.*)$")
    assert.are.equal("ended", outcome)
    if where ~= "" then
      assert.are.equal(lib .. "mediastop/core.so", where)
    end
    assert.is_truthy(succeeds("cd / && " .. quote(tree .. "/bin/mediastop") .. " --version")
      :find(require("mediastop")._VERSION, 1, true))
  end)

  case("names the variable to set where libcurl is not found", function()
    local good, printed = luarocks("make CURL_DIR=/nonexistent")
    assert.is_false(good)
    assert.is_truthy(printed:find("pass CURL_DIR or CURL_LIBDIR", 1, true), printed)
  end)

  case("is tested by luarocks test, in its Lua", function()
    local good, printed = luarocks("test -- spec/library_spec.lua")
    assert.is_true(good, printed)
  end)
end)

describe("make names the variable to set where", function()
  local function fails(words)
    local build = quote(support.scratch("bare"))
    local good, printed = run(("make %s LUA_VERSION=%s BUILD=%s"):format(words, version, build))
    assert.is_false(good)
    return printed
  end

  it("lua.h is not found", function()
    assert.is_truthy(fails("LUA_INCDIR=/nonexistent"):find("lua.h is not found.*LUA_INCDIR=/folder"))
  end)

  it("curl/curl.h is not found", function()
    assert.is_truthy(fails("CURL_CFLAGS=-nostdinc"):find("curl/curl.h is not found.*CURL_INCDIR=/folder"))
  end)
end)
