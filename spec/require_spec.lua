local support = require("spec.support")

-- Runs Lua in a process of its own and expects it to end well; returns what it printed.
local function run(source, environment)
  local child = support.run(source, environment)
  assert.are.equal("", child.stderr)
  assert.are.equal(0, child.status)
  return child.stdout
end

local modules = { "mediastop", "mediastop.core", "mediastop.memories", "mediastop.screenplay", "mediastop.emogg",
  "mediastop.fastpix", "mediastop.credentials" }

local requires = ('for _, name in ipairs({ "%s" }) do require(name) end\n'):format(table.concat(modules, '", "'))

-- lua-cjson is another's module: what it does is not ours.
local before = 'require("cjson.safe")\n'

describe("require", function()
  it("opens no descriptor and starts no thread", function()
    local printed = run(before .. ("local LISTING = %q\n"):format(support.scratch("listing")) .. [[
      local function list(folder)
        -- Into a file: a pipe of io.popen's would be listed or not, as it happens.
        os.execute("ls /proc/$PPID/" .. folder .. " >" .. LISTING)
        local file = io.open(LISTING)
        local names = file:read("*a")
        file:close()
        return names
      end
      local fds, threads = list("fd"), list("task")
    ]] .. requires .. [[
      print(list("fd") == fds, list("task") == threads, select(2, list("task"):gsub("%d+", "")))
    ]])
    assert.are.equal("true\ttrue\t1\n", printed)
  end)

  it("makes no global and changes none", function()
    local printed = run(before .. [[
      local globals = {}
      for name, value in pairs(_G) do globals[name] = value end
      setmetatable(_G, { __newindex = function(_, name) error("global " .. name) end })
    ]] .. requires .. [[
      for name, value in pairs(_G) do assert(globals[name] == value, name) end
      for name, value in pairs(globals) do assert(_G[name] == value, name) end
      print("good")
    ]])
    assert.are.equal("good\n", printed)
  end)

  it("asks the environment for no credential, and opens no file", function()
    local printed = run(before .. [[
      for _, name in ipairs({ "getenv", "execute", "tmpname", "remove" }) do
        os[name] = function() error("os." .. name) end
      end
      for _, name in ipairs({ "open", "popen", "lines", "input", "output" }) do
        io[name] = function() error("io." .. name) end
      end
    ]] .. requires .. 'print("good")')
    assert.are.equal("good\n", printed)
  end)

  it("changes nothing in the host's lua-cjson, and the host nothing in ours", function()
    local emulator = support.emulator()
    local id = support.id()
    emulator:faults(id, { { body = '{"success":true,"a":[[[[[[1]]]]]],"n":null}' } })
    local printed = run(([[
      local cjson = require("cjson")
      local depth = cjson.decode_max_depth()
    ]] .. requires .. [[
      assert(cjson.decode_max_depth() == depth)
      cjson.decode_max_depth(2)
      require("cjson.safe").decode_max_depth(2)
      local mediastop = require("mediastop")
      local result = assert(mediastop.fastpix.finish(%q, { base_url = %q,
        credentials = { username = "u", password = "p" } }))
      assert(result.body.n == cjson.null)
      print(result.body.a[1][1][1][1][1][1])
    ]]):format(id, emulator:base_url().fastpix))
    assert.are.equal("1\n", printed)
  end)

  it("of a provider's module gives the table that mediastop has", function()
    local mediastop = require("mediastop")
    for _, operation in ipairs(support.operations) do
      local module = require("mediastop." .. operation.provider)
      assert.are.equal(mediastop[operation.provider], module)
      assert.are.equal("function", type(module[operation.name]))
    end
  end)

  for _, operation in ipairs(support.operations) do
    it("of mediastop." .. operation.provider .. " alone is enough", function()
      local printed = run(([[
        local _, _, err = require("mediastop.%s").%s("")
        print(err.kind)
      ]]):format(operation.provider, operation.name))
      assert.are.equal("invalid_id\n", printed)
    end)
  end

  it("a second time gives the same", function()
    for _, name in ipairs(modules) do
      assert.are.equal(require(name), require(name))
    end
  end)

  it("of it all anew works, beside what was loaded before", function()
    local emulator = support.emulator()
    local one, two = support.id("fastpix"), support.id("fastpix")
    local printed = run(([[
      local options = { base_url = %q, credentials = { username = %q, password = %q } }
      local old = require("mediastop")
      assert(old.fastpix.finish(%q, options))
      for name in pairs(package.loaded) do
        if name:find("^mediastop") then package.loaded[name] = nil end
      end
      local new = require("mediastop")
      assert(new ~= old and new.null == old.null)
      assert(new.fastpix.finish(%q, options))
      local client = old.new()
      client:close()
      old = nil
      collectgarbage()
      collectgarbage()
      print(new._VERSION)
    ]]):format(emulator:base_url().fastpix, emulator.credentials.fastpix.username,
      emulator.credentials.fastpix.password, one, two))
    assert.are.equal(require("mediastop")._VERSION .. "\n", printed)
    assert.are.equal("idle", emulator:state("fastpix", two))
  end)

  it("of another copy of core in the same state works, and neither takes the other's objects for its own", function()
    local emulator = support.emulator()
    local folder = support.scratch("copy")
    os.execute(("mkdir -p %s/mediastop && cp %s %s/mediastop/core.so"):format(folder, support.module_file(), folder))
    local ids = {}
    for i = 1, 6 do
      ids[i] = support.id("fastpix")
    end
    local printed = run(([[
      local options = { base_url = { fastpix = %q } }
      local ids = { ("%s"):match("(.-),(.-),(.-),(.-),(.-),(.-),") }
      local function load()
        local mediastop = require("mediastop")
        local client = mediastop.new(options)
        local job = assert(client:start("fastpix.finish", table.remove(ids)))
        assert(client.fastpix.finish(table.remove(ids)))
        return mediastop, require("mediastop.core"), client, job
      end
      local function refuses(run, value)
        local done, message = pcall(run, value)
        assert(not done and message:find("expected", 1, true), message)
      end
      local old, old_core, old_client, old_job = load()
      for name in pairs(package.loaded) do
        if name:find("^mediastop") then package.loaded[name] = nil end
      end
      package.cpath = %q .. package.cpath
      local new, new_core, new_client, new_job = load()
      refuses(old_client.step, new_client)
      refuses(new_client.step, old_client)
      refuses(old_core.bind, new_client)
      refuses(new_core.bind, old_client)
      refuses(old_job.poll, new_job)
      refuses(new_job.poll, old_job)
      assert(tostring(old_client):find("^mediastop.client: ") and tostring(new_job):find("^mediastop.job: "))
      assert(old_client.fastpix.finish(table.remove(ids)))
      while old_client:step() + new_client:step() > 0 do end
      assert(old_job:result())
      assert(new_job:result())
      old_client:start("fastpix.finish", table.remove(ids))
      old, old_core, old_client, old_job = nil, nil, nil, nil
      collectgarbage()
      collectgarbage()
      assert(new_client:start("fastpix.finish", "left at the end"))
      print(new._VERSION)
    ]]):format(emulator:base_url().fastpix, table.concat(ids, ",") .. ",", folder .. "/?.so;"), {
      FASTPIX_USERNAME = emulator.credentials.fastpix.username,
      FASTPIX_PASSWORD = emulator.credentials.fastpix.password,
    })
    assert.are.equal(require("mediastop")._VERSION .. "\n", printed)
  end)

  it("gives core the same functions, and a version", function()
    local core, mediastop = require("mediastop.core"), require("mediastop")
    assert.is_truthy(mediastop._VERSION:find("^%d+%.%d+%.%d+"))
    assert.are.equal(core._VERSION, mediastop._VERSION)
    assert.are.equal(core.null, mediastop.null)
    for _, operation in ipairs(support.operations) do
      assert.are.equal("function", type(core[operation.provider][operation.name]))
    end
    assert.are.equal("function", type(core.new))
  end)
end)
