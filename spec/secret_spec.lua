--- The object that holds a credential that was found: nobody can open it.
local cjson = require("cjson")
local core = require("mediastop.core")
local finding = require("spec.support.finding")
local support = require("spec.support")

local VALUE = "secret-0123456789"

local function new()
  return core.secret("fastpix", "the vault", { username = VALUE, password = VALUE })
end

describe("a secret", function()
  it("shows its provider and its source, and nothing else, as a string", function()
    assert.are.equal("credential for fastpix from the vault", tostring(new()))
    assert.are.equal("credential for memories from x", tostring(core.secret("memories", "x", { api_key = VALUE })))
  end)

  it("is userdata without fields", function()
    local secret = new()
    assert.are.equal("userdata", type(secret))
    for _, name in ipairs({ "username", "password", "part", "source", "provider", 1, "__index" }) do
      assert.is_false((pcall(function() return secret[name] end)))
      assert.is_false((pcall(function() secret[name] = "x" end)))
    end
    assert.is_false((pcall(function() return secret() end)))
    assert.is_false((pcall(function() return #secret end)))
    assert.is_false((pcall(function() return secret .. "" end)))
  end)

  it("cannot be walked, nor encoded", function()
    for _, walk in ipairs({ pairs, ipairs, next, rawlen or function() error() end }) do
      assert.is_false((pcall(function()
        for key in walk(new()) do
          error({ key })
        end
      end)))
    end
    for _, value in ipairs({ new(), { new() }, { secret = new() } }) do
      local fine, words = pcall(cjson.encode, value)
      assert.is_false(fine)
      assert.is_nil(words:find(VALUE, 1, true))
    end
    assert.is_false((pcall(string.format, "%d", new())))
    assert.is_false((pcall(table.concat, { new() })))
  end)

  it("gives its metatable to nobody", function()
    assert.is_false(getmetatable(new()))
    assert.is_false((pcall(setmetatable, new(), {})))
  end)

  it("is no more open to the debug library", function()
    local secret = new()
    local function check(value, depth)
      if type(value) == "string" then
        assert.is_nil(value:find(VALUE, 1, true))
      elseif type(value) == "table" and depth < 4 then
        for key, item in pairs(value) do
          check(key, depth + 1)
          check(item, depth + 1)
        end
      end
    end
    local uservalue = debug.getuservalue or debug.getfenv
    for index = 1, 3 do
      check(uservalue(secret, index), 0)
    end
    check(debug.getmetatable(secret), 0)
    assert.is_nil(debug.getmetatable(secret).__index)
  end)

  it("is equal to no other of the same value", function()
    assert.are_not.equal(new(), new())
    assert.is_false(new() == new())
  end)

  it("is what `find` returns, and nobody sees the value in what is kept", function()
    local child = finding.run([[
            local secret = require("mediastop.credentials").find("memories")
      print(type(secret), tostring(secret))
      local seen = {}
      local function show(value)
        if seen[value] then
          return
        end
        seen[value] = true
        if type(value) == "table" then
          for key, item in pairs(value) do
            show(key)
            show(item)
          end
        elseif type(value) == "function" then
          for index = 1, 60 do
            local name, item = debug.getupvalue(value, index)
            if name == nil then
              break
            elseif item ~= nil then
              show(item)
            end
          end
        elseif type(value) == "string" or type(value) == "userdata" then
          print(tostring(value))
        end
      end
      -- All that the library's own modules hold; the environment is the host's.
      for name, module in pairs(package.loaded) do
        if name:find("^mediastop") then
          show(module)
        end
      end
    ]], { MEMORIES_API_KEY = VALUE })
    assert.are.equal("", child.stderr)
    local first = "userdata\tcredential for memories from the environment (MEMORIES_API_KEY)\n"
    assert.are.equal(first, child.stdout:sub(1, #first))
    assert.is_truthy(child.stdout:find("credential for memories from the environment", #first, true))
    assert.is_nil(child.stdout:find(VALUE, 1, true))
  end)

  it("has a string of its own, also once it was collected by hand", function()
    local secret = new()
    local collect = debug.getmetatable(secret).__gc
    collect(secret)
    collect(secret)
    assert.is_false((pcall(tostring, secret)))
  end)

  local refused = {
    { "unknown field 'token'", "memories", "x", { token = VALUE } },
    { "field 'api_key' is no string", "memories", "x", { api_key = 5 } },
    { "field 'api_key' is no string", "memories", "x", { api_key = { VALUE } } },
    { "unknown field '?'", "memories", "x", { VALUE } },
    { "unknown field '?'", "memories", "x", { [true] = VALUE } },
  }

  for _, case in ipairs(refused) do
    it("is not made of other fields: " .. case[1], function()
      local secret, words = core.secret(case[2], case[3], case[4])
      assert.is_nil(secret)
      assert.are.equal(case[1], words)
    end)
  end

  it("is not made by misuse, and the error holds no value", function()
    for _, arguments in ipairs({ {}, { "memories" }, { "memories", "x" }, { "memories", "x", VALUE },
      { "no provider", "x", { api_key = VALUE } }, { 5, {}, {} } }) do
      local fine, words = pcall(core.secret, arguments[1], arguments[2], arguments[3])
      assert.is_false(fine)
      assert.is_nil(words:find(VALUE, 1, true))
    end
  end)

  it("of one provider is never sent to another", function()
    local id = support.id("memories")
    local constructed = core.constructor(function() return core.secret("emogg", "x", { token = VALUE }) end, {})
    local _, result, message = pcall(constructed({ proxy = "" }).memories.stop, id,
      { base_url = support.emulator():base_url().memories })
    assert.are_not.equal("table", type(result))
    assert.is_nil(tostring(message or result):find(VALUE, 1, true))
    assert.are.same({}, finding.authorizations(id))
  end)
end)
