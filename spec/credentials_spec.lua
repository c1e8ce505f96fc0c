local core = require("mediastop.core")
local json = require("cjson")
local finding = require("spec.support.finding")
local support = require("spec.support")
local system = require("spec.emulator.system")

local sent, fails = finding.sent, finding.fails

local emulator = support.emulator()

local good = {
  memories = emulator.credentials.memories,
  screenplay = emulator.credentials.memories,
  emogg = emulator.credentials.emogg,
  fastpix = emulator.credentials.fastpix,
}

describe("the first credential that is there wins:", function()
  local environment = { MEMORIES_API_KEY = "of-the-environment", EMOGG_API_TOKEN = "of-the-environment",
    FASTPIX_USERNAME = "environment", FASTPIX_PASSWORD = "of-the-environment" }

  it("the call's, the client's, the environment's, systemd's, the file's", function()
    local more = { new = 'credentials = { memories = { api_key = "of-the-client" } }',
      call = 'credentials = { api_key = "of-the-call" }' }
    local all = finding.with_file('{"default":{"memories":{"api_key":"of-the-file"}}}')
    all.MEMORIES_API_KEY = "of-the-environment"
    all.CREDENTIALS_DIRECTORY = finding.folder({ memories_api_key = "of-systemd" })
    assert.are.equal("of-the-call", sent("memories", all, more))
    more.call = nil
    assert.are.equal("of-the-client", sent("memories", all, more))
    more.new = nil
    assert.are.equal("of-the-environment", sent("memories", all, more))
    all.MEMORIES_API_KEY = nil
    assert.are.equal("of-systemd", sent("memories", all, more))
    all.CREDENTIALS_DIRECTORY = nil
    assert.are.equal("of-the-file", sent("memories", all, more))
  end)

  it("an empty one counts as none", function()
    local empty = { new = 'credentials = { memories = { api_key = "" } }', call = "credentials = {}" }
    assert.are.equal("of-the-environment", sent("memories", environment, empty))
    empty.new = 'credentials = { memories = { api_key = "of-the-client" } }'
    assert.are.equal("of-the-client", sent("memories", environment, empty))
  end)

  it("another provider's is none", function()
    local of_client = 'credentials = { memories = { api_key = "of-the-client" } }'
    assert.are.equal("Bearer of-the-environment", sent("emogg", environment, { new = of_client }))
  end)

  it("a program is not run where another source has one", function()
    local ran = finding.path()
    local all = finding.with_program(finding.program("touch " .. ran))
    all.MEMORIES_API_KEY = "value"
    assert.are.equal("value", sent("memories", all))
    assert.is_nil((system.read_file(ran)))
  end)

  -- What each source has of FastPix's; all of it together is a pair, but of two sources.
  local halves = {
    options = function(field) return { call = ('credentials = { %s = "secret" }'):format(field) } end,
    client = function(field) return { new = ('credentials = { fastpix = { %s = "secret" } }'):format(field) } end,
    environment = function(field) return nil, { ["FASTPIX_" .. field:upper()] = "secret" } end,
    systemd = function(field)
      return nil, { CREDENTIALS_DIRECTORY = finding.folder({ ["fastpix_" .. field] = "secret" }) }
    end,
    file = function(field)
      return nil, finding.with_file(json.encode({ default = { fastpix = { [field] = "secret" } } }))
    end,
  }

  local order = { "options", "client", "environment", "systemd", "file" }

  for index, first in ipairs(order) do
    for later = index + 1, #order do
      it(("the halves of a pair never come from two sources: %s, %s"):format(first, order[later]), function()
        for _, field in ipairs({ "username", "password" }) do
          local other = field == "username" and "password" or "username"
          local more, one = halves[first](field)
          local more_of_other, two = halves[order[later]](other)
          fails("fastpix", support.merge(one or {}, two), support.merge(more or {}, more_of_other))
        end
      end)
    end

    it("a half of a pair is made good by no other source: " .. first, function()
      local more, one = halves[first]("username")
      local file = '{"default":{"fastpix":{"username":"secret","password":"secret"}}}'
      local whole = first == "file" and one or support.merge(finding.with_file(file), one)
      assert.is_truthy(fails("fastpix", whole, more):lower():find("password", 1, true))
    end)
  end

  it("screenplay takes memories', unless it has its own", function()
    local shared = 'credentials = { memories = { api_key = "of-memories" } }'
    assert.are.equal("of-memories", sent("screenplay", {}, { new = shared }))
    local both = 'credentials = { memories = { api_key = "of-memories" }, screenplay = { api_key = "of-screenplay" } }'
    assert.are.equal("of-screenplay", sent("screenplay", {}, { new = both }))
    assert.are.equal("of-memories", sent("memories", {}, { new = both }))
    fails("memories", {}, { new = 'credentials = { screenplay = { api_key = "secret" } }' })
  end)

  it("what is changed in the table afterwards does not matter", function()
    local credentials = support.copy(emulator.credentials)
    local client = support.client({ credentials = credentials })
    credentials.memories.api_key = "changed"
    credentials.fastpix = nil
    assert(client.memories.stop(support.id("memories")))
    assert(client.fastpix.finish(support.id("fastpix")))
    client:close()
  end)

  it("none of core's is found: it has what it is given", function()
    local child = finding.run([[
      local result, message, err = require("mediastop.core").memories.stop("x")
      print(err.kind, message)
    ]], { MEMORIES_API_KEY = "secret" })
    assert.are.equal("credentials\t", child.stdout:sub(1, 12))
    assert.is_nil(child.stdout:find("secret", 1, true))
  end)
end)

describe("where none is found", function()
  it("the error names each place and why it gave nothing", function()
    local path, folder = finding.path(), finding.folder()
    fails("memories", { CREDENTIALS_DIRECTORY = folder, MEDIASTOP_CREDENTIALS_FILE = path }, nil, {
      "options.credentials (not given)", "the client's credentials (not given)",
      "the environment (unset: MEMORIES_API_KEY, MEMORIES_AI_API_KEY, MAVI_API_KEY)",
      "$CREDENTIALS_DIRECTORY (" .. folder .. " has no memories_api_key)",
      "the credentials file (" .. path .. " does not exist)",
    })
    fails("emogg", {}, nil, { "EMOGG_API_TOKEN", "$CREDENTIALS_DIRECTORY (unset)" })
    fails("emogg", {}, { call = "credentials = {}", new = "credentials = { emogg = function() end }" },
      { "options.credentials (empty)", "the client's credentials (the function gave none)" })
  end)

  it("it is one line, whatever the names", function()
    local message = fails("memories", { CREDENTIALS_DIRECTORY = "/a\nb", MEDIASTOP_CREDENTIALS_FILE = "/c\27[31m\rd" },
      { call = 'profile = "e f"' })
    assert.is_nil(message:gsub("\n$", ""):find("%c"))
  end)
end)

describe("a credential that was found", function()
  local environment = { MEMORIES_API_KEY = "secret", EMOGG_API_TOKEN = "secret", FASTPIX_USERNAME = "secret-name",
    FASTPIX_PASSWORD = "secret" }

  for _, operation in ipairs(support.operations) do
    it("does not go to another base_url, and the error says what to do: " .. operation.full, function()
      for _, address in ipairs({ "https://mediastop-spec.invalid/v1", "https://127.0.0.1.mediastop-spec.invalid",
        "https://localhost.mediastop-spec.invalid", "https://api.fastpix.com.mediastop-spec.invalid/v1",
        "https://api.emogg.com/v2", "https://0x7f.0.0.1", "https://2130706433" }) do
        fails(operation.provider, environment, { base_url = address },
          { address, "options.credentials", '"base_url"', "credentials file", "the environment (" })
      end
    end)

    it("goes to the provider's own address, however it is written: " .. operation.full, function()
      local addresses = { emogg = "https://api.emogg.com/v1", fastpix = "https://api.fastpix.com/v1" }
      local address = addresses[operation.provider] or "https://mavi-backend.memories.ai/serve/api/v2"
      for _, option in ipairs({ "nil", ("%q"):format(address), ("%q"):format(address .. "/") }) do
        local child = finding.run(([[
          local job, message = require("mediastop").start(%q, "x", { base_url = %s })
          print(job and "started" or message)
          if job then job:cancel() end
        ]]):format(operation.full, option), environment)
        assert.are.equal("started\n", child.stdout, option)
      end
    end)
  end

  it("goes where a client's base_url points at this machine", function()
    local new = ("base_url = { memories = %q }"):format(emulator:base_url().memories)
    assert.are.equal("secret", (sent("memories", environment, { new = new, call = "base_url = nil" })))
  end)

  it("that is given goes anywhere", function()
    local given = 'credentials = { api_key = "secret" }'
    local _, printed = sent("memories", {}, { base_url = "https://mediastop-spec.invalid", call = given })
    assert.are.equal("dns ", printed:sub(1, 4))
  end)
end)

describe("credentials by a function", function()
  local client

  setup(function() client = core.new({ base_url = emulator:base_url(), proxy = "", attempts = 2 }) end)
  teardown(function() client:close() end)

  for _, operation in ipairs(support.operations) do
    local provider = operation.provider

    it("are what it returns, asked once a call: " .. operation.full, function()
      local asked = 0
      local function give()
        asked = asked + 1
        return good[provider]
      end
      assert(support.call(client, provider, support.id(provider), { credentials = give }))
      assert.are.equal(1, asked)
      local id = support.id(provider)
      emulator:faults(id, { { status = 503 } })
      assert.are.equal(2, assert(support.call(client, provider, id, { credentials = give })).attempts)
      assert.are.equal(2, asked)
    end)

    it("can be the client's: " .. operation.full, function()
      local given = support.client({ credentials = { [provider] = function() return good[provider] end } })
      assert(support.call(given, provider, support.id(provider)))
      given:close()
    end)

    it("are an error when it fails, and nothing is sent: " .. operation.full, function()
      local failing = {
        function() error("the vault is sealed") end,
        function() error({}) end,
        function() error() end,
        function() return nil, "the vault is sealed" end,
        function() return nil end,
        function() end,
        function() return false end,
        function() return "secret" end,
        function() return {} end,
        function() return { wrong = "secret" } end,
        function() return { "secret" } end,
        function() return { [next(good[provider])] = 5 } end,
        function() return { [next(good[provider])] = "secret\n" } end,
      }
      for index, give in ipairs(failing) do
        local id = support.id(provider)
        local result, message, err = support.call(client, provider, id, { credentials = give })
        assert.is_nil(result)
        assert.are.equal("credentials", err.kind, index)
        assert.are.equal("no", err.reached)
        assert.are.equal(0, err.attempts)
        assert.is_nil(message:find("secret", 1, true))
        assert.is_nil(message:find("%c"))
        assert.are.same({}, emulator:requests(id))
      end
      local _, message = support.call(client, provider, support.id(), { credentials = failing[4] })
      assert.is_truthy(message:find("the vault is sealed", 1, true))
    end)
  end

  it("are not overruled by the next source when it fails", function()
    local result, _, err = support.client().memories.stop(support.id("memories"),
      { credentials = function() return nil, "no" end })
    assert.is_nil(result)
    assert.are.equal("credentials", err.kind)
  end)

  it("may call the library themselves", function()
    local other = support.client()
    local inner
    local result = assert(client.memories.stop(support.id("memories"), { credentials = function()
      inner = assert(other.fastpix.finish(support.id("fastpix")))
      return good.memories
    end }))
    other:close()
    assert.are.equal("fastpix", inner.provider)
    assert.are.equal("memories", result.provider)
  end)

  it("keep no word of an error that has several lines", function()
    local _, message = client.memories.stop("x", { credentials = function() error("one\ntwo\0three\27", 0) end })
    assert.is_nil(message:find("%c"))
  end)
end)
