local mediastop = require("mediastop")
local core = require("mediastop.core")
local support = require("spec.support")

local emulator = support.emulator()

local nan, inf = 0 / 0, math.huge
local huge = ("x"):rep(10 * 1024 * 1024)

local client = support.client()

-- Calls and expects an error of the caller's program, which is one line and has these words.
local function raises(words, call, ...)
  local good, message = pcall(call, ...)
  assert.is_false(good, "nothing was raised")
  assert.are.equal("string", type(message))
  for _, word in ipairs(type(words) == "table" and words or { words }) do
    assert.is_truthy(message:find(word, 1, true), ("%q has no %q"):format(message:sub(1, 300), word))
  end
  assert.is_nil(message:find("%c"))
  assert.is_true(#message < 400)
  return message
end

local function nothing_arrives(what)
  before_each(function() emulator:reset() end)
  after_each(function() assert.are.same({}, emulator:requests(), what) end)
end

local credentials_of = {
  memories = { api_key = "secret-value" },
  screenplay = { api_key = "secret-value" },
  emogg = { token = "secret-value" },
  fastpix = { username = "secret-value", password = "secret-value" },
}

-- Everybody who has the four calls.
local owners = { client = client, mediastop = mediastop, core = core, ["a client of core's"] = core.new() }

teardown(function()
  client:close()
  owners["a client of core's"]:close()
end)

describe("misuse raises before anything is sent:", function()
  nothing_arrives()

  for owner, functions in pairs(owners) do
    for _, operation in ipairs(support.operations) do
      local provider, name = operation.provider, operation.name
      local call = functions[provider][name]
      local first, second = ("bad argument #1 to '%s' ("):format(name), ("bad argument #2 to '%s' ("):format(name)

      describe(operation.full .. " of " .. owner, function()
        it("an id that is no string", function()
          raises({ first, "string expected" }, call)
          for _, id in ipairs({ 42, 1.5, true, {}, print, coroutine.create(function() end), io.stdout }) do
            raises({ first, "string expected, got " .. type(id) }, call, id)
          end
          raises({ first, "string expected" }, call, nil, {})
        end)

        it("options that are no table", function()
          for _, options in ipairs({ 5, "timeout", true, print, io.stdout }) do
            raises({ second, "table expected, got " .. type(options) }, call, "id", options)
          end
        end)

        it("an unknown option, with the name that may have been meant", function()
          -- what was written, what is suggested
          local cases = {
            { "time_out", "timeout" }, { "timout", "timeout" }, { "Timeout", "timeout" }, { "attempt", "attempts" },
            { "credential", "credentials" }, { "baseurl", "base_url" }, { "base-url", "base_url" },
            { "attempt_timout", "attempt_timeout" }, { "conect_timeout", "connect_timeout" },
            { "ignore_end", "ignore_ended" }, { "onevent", "on_event" },
          }
          for _, case in ipairs(cases) do
            raises(("%sunknown option '%s'; did you mean '%s'?)"):format(second, case[1], case[2]), call, "id",
              { [case[1]] = 1 })
          end
          for _, unknown in ipairs({ "xyz", "", "retries_of_the_call" }) do
            raises(("%sunknown option '%s')"):format(second, unknown), call, "id", { [unknown] = 1 })
          end
        end)

        it("an option whose name is no string, or no name at all", function()
          for _, options in ipairs({ { 1 }, { [true] = 1 }, { [1.5] = 1 }, { ["a\nb\0c\27"] = 1 }, { [huge] = 1 },
            { ["timeout\0"] = 1 } }) do
            raises({ second, "unknown option" }, call, "id", options)
          end
        end)

        it("an option of the client's", function()
          for _, option in ipairs({ "ca_file", "proxy", "user_agent", "max_connections" }) do
            local value = option == "max_connections" and 1 or "x"
            raises({ second, "'" .. option .. "'" }, call, "id", { [option] = value })
          end
        end)

        it("seconds that are none, or not above 0", function()
          for _, option in ipairs({ "timeout", "attempt_timeout", "connect_timeout" }) do
            for _, value in ipairs({ 0, -1, -0.001, nan, inf, -inf, "5", true, {} }) do
              raises({ second, "'" .. option .. "'" }, call, "id", { [option] = value })
            end
          end
        end)

        it("attempts that are no whole number from 1", function()
          for _, value in ipairs({ 0, -1, 1.5, 0.5, nan, inf, -inf, "3", true, {} }) do
            raises({ second, "'attempts'" }, call, "id", { attempts = value })
          end
        end)

        it("an ignore_ended that is no boolean, an on_event that is no function", function()
          for _, value in ipairs({ 0, "true", {} }) do
            raises({ second, "'ignore_ended'" }, call, "id", { ignore_ended = value })
            raises({ second, "'on_event'" }, call, "id", { on_event = value })
          end
        end)

        it("a base_url that is no string", function()
          for _, value in ipairs({ 1, true, {}, { [provider] = "https://x.example" }, print }) do
            raises({ second, "'base_url'" }, call, "id", { base_url = value })
          end
        end)

        it("credentials of another form", function()
          for _, value in ipairs({ "secret-value", 1, true }) do
            local message = raises({ second, "'credentials'" }, call, "id", { credentials = value })
            assert.is_nil(message:find("secret-value", 1, true))
          end
          local field = next(credentials_of[provider])
          local tables = {
            { key = "secret-value" }, { "secret-value" }, { [field] = 1 }, { [field] = {} }, { [field] = true },
            support.merge(credentials_of[provider], { extra = "secret-value" }),
            { [provider] = credentials_of[provider] },
          }
          for _, value in ipairs(tables) do
            local message = raises(second, call, "id", { credentials = value })
            assert.is_nil(message:find("secret-value", 1, true))
          end
        end)
      end)
    end
  end

  it("and the message says where in the program", function()
    local message = raises("bad argument #1 to 'stop'", function()
      local result = client.memories.stop(42)
      return result
    end)
    assert.is_truthy(message:find("misuse_spec.lua:%d+: bad argument"))
  end)

  it("even where the id is one that cannot be sent", function()
    raises("unknown option 'time_out'", client.memories.stop, "", { time_out = 1 })
  end)

  for _, case in ipairs({
    { "another provider's credential", "memories", { token = "secret-value" } },
    { "another provider's credential", "emogg", { api_key = "secret-value" } },
    { "another provider's credential", "fastpix", { token = "secret-value" } },
    { "a third field", "fastpix", { username = "u", password = "p", token = "secret-value" } },
  }) do
    it(case[1] .. " for " .. case[2], function()
      raises("bad argument #2", support.call, client, case[2], "id", { credentials = case[3] })
    end)
  end

  it("a near miss of a credential's field, with the name", function()
    raises("did you mean 'api_key'?", client.memories.stop, "id", { credentials = { apikey = "x" } })
    raises("did you mean 'password'?", client.fastpix.finish, "id", { credentials = { pasword = "x" } })
  end)
end)

-- Base URLs that would take a credential where it does not belong, or that are none.
local bad_urls = {
  "", "x", "//x.example", "https", "https:", "https:/x.example", "https://", "https:///path", "https://:443",
  "https://?",
  "ftp://x.example", "file:///etc/passwd", "javascript:x", " https://x.example", "https ://x.example",
  "http://x.example", "http://api.fastpix.com/v1", "http://10.0.0.1", "http://169.254.169.254", "http://0.0.0.0",
  "http://127.0.0.1.evil.com", "http://127.0.0.1.evil.com:80/", "http://127.1", "http://127.0.1", "http://2130706433",
  "http://0x7f000001", "http://0x7f.0.0.1", "http://0177.0.0.1", "http://127.0.0.256", "http://127.0.0.1.1",
  "http://128.0.0.1", "http://1.127.0.0.1", "http://127.0.0.01", "http://[::2]", "http://[::]",
  "http://[::1].evil.com",
  "http://[fe80::1]", "http://localhost.evil.com", "http://localhostevil.com", "http://evil.com/localhost",
  "http://localhost:80:80", "http://evil.localhost.com",
  "https://user@x.example", "https://user:password@x.example", "http://127.0.0.1@evil.com",
  "http://localhost:80@evil.com",
  "http://evil.com@127.0.0.1", "https://x.example/@y", "https://x.example\\@y.example", "http://127.0.0.1\\.evil.com",
  "https://x.example?q=1", "https://x.example/v1?q=1", "https://x.example/v1#f", "https://x.example#f",
  "https://x.example:0", "https://x.example:65536", "https://x.example:99999999999999999999", "https://x.example:-1",
  "https://x.example:8o", "https://x.example:80x", "https://[::1", "https://[]", "https://[zz]", "https://[::1]x",
  "https://x.example/a b", "https://x.example/\n", "https://x.example/\r\nHost: y", "https://x.example\0",
  "https://x.example/\0", "http://127.0.0.1\0.evil.com", "https://x\1.example", "https://x.example/\127",
  "https://x.example/\t", "https://x\195\164.example", "https://x,y.example", "https://*.example",
  "https://{x}.example",
  huge, "https://" .. huge, "https://x.example/" .. huge,
}

local good_urls = {
  "https://x.example", "https://x.example/", "https://x.example/v1", "https://x.example:8443/a/b//",
  "HTTPS://X.EXAMPLE", "https://10.0.0.1", "https://[::1]:8443", "https://[2001:db8::1]/v1", "https://x-y_z.example",
  "http://127.0.0.1", "http://127.0.0.1:8080/v1", "http://127.255.255.254", "http://[::1]", "http://[::1]:80/v1",
  "http://localhost", "http://localhost:65535/", "http://LOCALHOST:1",
}

local function shown(url)
  return ("%q"):format(url:sub(1, 40)):gsub("\n", "n")
end

describe("base_url", function()
  nothing_arrives()

  for _, url in ipairs(bad_urls) do
    it("cannot be " .. shown(url), function()
      for _, operation in ipairs(support.operations) do
        local provider = operation.provider
        raises({ ("bad argument #2 to '%s' ("):format(operation.name), "'base_url'" }, support.call, client, provider,
          "id", { base_url = url })
        raises({ "bad argument #1 to 'new' (", "'base_url." .. provider .. "'" }, mediastop.new,
          { base_url = { [provider] = url } })
      end
    end)
  end

  for _, url in ipairs(good_urls) do
    it("can be " .. url, function()
      mediastop.new({ base_url = { memories = url, screenplay = url, emogg = url, fastpix = url } }):close()
      -- Nothing is sent: the id cannot be.
      local _, _, err = client.memories.stop("", { base_url = url })
      assert.are.equal("invalid_id", err.kind)
    end)
  end
end)

for owner, module in pairs({ mediastop = mediastop, core = core }) do
  describe(owner .. ".new raises:", function()
    nothing_arrives()

    local front = "bad argument #1 to 'new' ("

    it("options that are no table", function()
      for _, options in ipairs({ 5, "timeout", true, print }) do
        raises({ front, "table expected, got " .. type(options) }, module.new, options)
      end
    end)

    it("an unknown option, with the name that may have been meant", function()
      for wrong, right in pairs({
        time_out = "timeout", cafile = "ca_file", ["user-agent"] = "user_agent", proxys = "proxy",
        max_connection = "max_connections", credential = "credentials", base_uri = "base_url",
      }) do
        raises(("%sunknown option '%s'; did you mean '%s'?)"):format(front, wrong, right), module.new, { [wrong] = 1 })
      end
      raises(front .. "unknown option 'colour')", module.new, { colour = "red" })
      raises({ front, "unknown option" }, module.new, { 1 })
    end)

    it("strings that are none, hold control bytes or are endless", function()
      for _, option in ipairs({ "ca_file", "proxy", "user_agent" }) do
        for _, value in ipairs({ 1, true, {}, "a\nb", "a\r\nX-Injected: 1", "a\0b", "\127", huge }) do
          raises({ front, "'" .. option .. "'" }, module.new, { [option] = value })
        end
      end
    end)

    it("numbers out of range", function()
      for _, option in ipairs({ "timeout", "attempt_timeout", "connect_timeout" }) do
        for _, value in ipairs({ 0, -1, nan, inf, -inf, "5" }) do
          raises({ front, "'" .. option .. "'" }, module.new, { [option] = value })
        end
      end
      for _, option in ipairs({ "attempts", "max_connections" }) do
        for _, value in ipairs({ 0, -1, 1.5, nan, inf, -inf, "3", true }) do
          raises({ front, "'" .. option .. "'" }, module.new, { [option] = value })
        end
      end
    end)

    it("base_url and credentials that are not keyed by provider", function()
      raises({ front, "'base_url'" }, module.new, { base_url = "https://x.example" })
      raises({ front, "'credentials'" }, module.new, { credentials = "secret-value" })
      raises({ front, "'credentials'" }, module.new, { credentials = print })
      raises({ front, "base_url", "did you mean 'memories'?" }, module.new, { base_url = { memorys = "https://x" } })
      raises({ front, "credentials", "did you mean 'fastpix'?" }, module.new, { credentials = { fastpics = {} } })
      raises({ front, "credentials" }, module.new, { credentials = { { api_key = "x" } } })
      raises({ front, "credentials" }, module.new, { credentials = { api_key = "x" } })
    end)

    it("credentials with fields of other names or types, and shows none of them", function()
      local cases = {
        { memories = { token = "secret-value" } }, { memories = { api_key = 1 } }, { memories = "secret-value" },
        { screenplay = { "secret-value" } }, { emogg = { api_key = "secret-value" } }, { emogg = { token = {} } },
        { fastpix = { user = "secret-value" } }, { fastpix = { username = "x", password = 1 } }, { emogg = 1 },
      }
      for _, credentials in ipairs(cases) do
        local message = raises({ front, "credentials." .. next(credentials) }, module.new,
          { credentials = credentials })
        assert.is_nil(message:find("secret-value", 1, true))
      end
    end)
  end)
end

describe("client:close", function()
  it("raises for what is no client", function()
    raises("bad argument #1 to 'close' (client expected, got no value", client.close)
    for _, other in ipairs({ 1, "x", {}, print, io.stdout, mediastop }) do
      raises({ "bad argument #1 to 'close' (", "client expected, got " .. type(other) }, client.close, other)
    end
  end)

  it("may be called again", function()
    local other = support.client()
    other:close()
    other:close()
  end)
end)

describe("what depends on data is returned, and nothing is sent:", function()
  nothing_arrives()

  local function refused(kind, call, ...)
    local result, message, err = call(...)
    assert.is_nil(result)
    assert.are.equal(kind, err.kind)
    assert.are.equal(message, err.message)
    assert.is_nil(message:find("%c"))
    assert.is_true(#message < 1000)
    assert.are.equal("no", err.reached)
    assert.are.equal(0, err.attempts)
    assert.is_false(err.retryable)
    assert.is_nil(err.status)
    return err, message
  end

  local bad_ids = {
    "", ".", "..", "\0", "a\0b", "\1", "a\tb", "a\n", "\r\n", "a\r\nX-Injected: 1", "\31", "\27[31m", "\127", "a\127",
    ("x"):rep(256), ("\255"):rep(256), huge,
  }
  local not_utf8 = { "\128", "\255", "a\195", "\195(", "\192\175", "\237\160\128", "\244\144\128\128", "\240\159\152" }

  for owner, functions in pairs(owners) do
    for _, operation in ipairs(support.operations) do
      it(("an id that cannot be sent: %s of %s"):format(operation.full, owner), function()
        for _, id in ipairs(bad_ids) do
          local err = refused("invalid_id", functions[operation.provider][operation.name], id)
          assert.are.equal(operation.provider, err.provider)
          assert.are.equal(operation.name, err.operation)
          assert.is_true(id == err.id)
        end
      end)
    end

    it("an id that is not UTF-8, for memories: " .. owner, function()
      for _, id in ipairs(not_utf8) do
        refused("invalid_id", functions.memories.stop, id)
      end
    end)
  end

  -- provider, credentials, what the message names
  local bad_credentials = {
    { "memories", { api_key = "a\nb" }, "api_key" },
    { "memories", { api_key = "secret-value\n" }, "api_key" },
    { "memories", { api_key = "secret-value\r\nX-Injected: 1" }, "api_key" },
    { "memories", { api_key = "secret-value\0" }, "api_key" },
    { "memories", { api_key = "secret-value\127" }, "api_key" },
    { "memories", { api_key = "Bearer secret-value" }, "api_key" },
    { "screenplay", { api_key = "bearer secret-value" }, "api_key" },
    { "screenplay", { api_key = "secret-value\27" }, "api_key" },
    { "emogg", { token = "secret-value\n" }, "token" },
    { "emogg", { token = "Bearer secret-value" }, "token" },
    { "emogg", { token = ("secret-value"):rep(700) }, "token" },
    { "fastpix", { username = "secret-value" }, "password" },
    { "fastpix", { password = "secret-value" }, "username" },
    { "fastpix", { username = "", password = "secret-value" }, "username" },
    { "fastpix", { username = "secret-value", password = "" }, "password" },
    { "fastpix", { username = "secret:value", password = "secret-value" }, "username" },
    { "fastpix", { username = "secret-value\n", password = "secret-value" }, "username" },
    { "fastpix", { username = "x", password = "secret-value\r\n" }, "password" },
    { "fastpix", { username = "x", password = "secret-value\0" }, "password" },
  }

  for _, case in ipairs(bad_credentials) do
    local provider, credentials, name = case[1], case[2], case[3]
    it(("a credential that cannot be sent: %s of %s"):format(name, provider), function()
      local _, message = refused("credentials", support.call, client, provider, support.id(provider),
        { credentials = credentials })
      assert.is_truthy(message:find(name, 1, true))
      assert.is_nil(message:find("secret", 1, true))
      local keyed = support.client({ credentials = { [provider] = credentials } })
      refused("credentials", support.call, keyed, provider, support.id(provider))
      keyed:close()
    end)
  end

  it("no credential at all", function()
    local bare = core.new({ base_url = emulator:base_url() })
    for _, operation in ipairs(support.operations) do
      local field = next(credentials_of[operation.provider])
      for _, given in ipairs({ {}, { [field] = "" } }) do
        refused("credentials", support.call, bare, operation.provider, support.id(), { credentials = given })
      end
      refused("credentials", support.call, bare, operation.provider, support.id())
      refused("credentials", support.call, core, operation.provider, support.id())
    end
    bare:close()
  end)
end)

describe("options may be", function()
  it("nil, empty, or given without effect", function()
    for _, operation in ipairs(support.operations) do
      local provider = operation.provider
      assert(support.call(client, provider, support.id(provider), nil))
      assert(support.call(client, provider, support.id(provider), {}))
      assert(support.call(client, provider, support.id(provider), { timeout = 1e300, attempt_timeout = 1e9,
        connect_timeout = 0.9, attempts = 1 }))
    end
    mediastop.new():close()
    mediastop.new(nil):close()
    mediastop.new({}):close()
  end)
end)
