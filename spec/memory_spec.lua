--- Which copies of a credential a process has in its memory, read from outside. Lua's own strings hold it, and nobody
--- can wipe those; the library's copies are wiped when the request is freed. So each place where the credential stands
--- before the call may have it after the call, and no other.
local json = require("cjson")
local finding = require("spec.support.finding")
local memory = require("spec.support.memory")
local mime = require("mime")
local support = require("spec.support")

local emulator = support.emulator()
local given = emulator.credentials
local problem = memory.problem()

-- By provider: the fields; what goes over the wire, which no Lua string ever holds.
local providers = {
  memories = { fields = given.memories, wire = { "Authorization: " .. given.memories.api_key } },
  screenplay = { fields = given.memories, wire = { "Authorization: " .. given.memories.api_key } },
  emogg = { fields = given.emogg, wire = { "Bearer " .. given.emogg.token } },
  fastpix = { fields = given.fastpix, wire = { given.fastpix.username .. ":" .. given.fastpix.password,
    mime.b64(given.fastpix.username .. ":" .. given.fastpix.password) } },
}

local function needles_of(provider)
  local needles = {}
  for name, value in pairs(providers[provider].fields) do
    needles[name] = value
  end
  for index, value in ipairs(providers[provider].wire) do
    needles["wire " .. index] = value
  end
  return needles
end

-- Lua source of the fields, in which they stand backwards.
local function source_of(fields)
  local parts = {}
  for name, value in pairs(fields) do
    parts[#parts + 1] = ("%s = (%q):reverse()"):format(name, value:reverse())
  end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

local body = [[
local mediastop = require("mediastop")
local base_url, ca_file, operation, id, credentials = %q, %q, %q, %q, %s
pause("before")
do
  local client = mediastop.new({ ca_file = ca_file, proxy = "", credentials = { [%q] = credentials } })
  local provider, name = operation:match("(%%a+)%%.(%%a+)")
  for number = 1, %d do
    local result, message = client[provider][name](id .. number, { base_url = base_url, %s })
    print(result and result.outcome or message)
  end
  pause("after the call")
  client:close()
end
pause("after close")
]]

-- Calls `count` times, credentials given in `options`, and returns what was found at each pause.
local function watch(provider, origin, count, more)
  local base = support.id()
  local faults = more and more.faults
  for number = 1, count do
    if not faults then
      emulator:job(provider, base .. number)
    else
      emulator:faults(base .. number, faults)
    end
  end
  local source = body:format(emulator:base_url(origin)[provider], emulator.ca_file,
    support.operation(provider).full, base, source_of(providers[provider].fields), provider, count,
    more and more.options or "")
  return memory.watch(source, needles_of(provider))
end

-- Fails if a needle stands where it did not at the pause before.
local function assert_nothing_new(found, pause)
  for name, addresses in pairs(found[pause]) do
    local new = memory.count(addresses, found.before[name])
    assert.are.equal(0, new, ("%d new copies of %s %s"):format(new, name, pause))
  end
end

-- Declares a spec, or leaves it pending where memory cannot be read.
local function case(name, run)
  it(name, function()
    if problem then
      pending(problem)
      return
    end
    run()
  end)
end

describe("the memory of a process", function()
  case("is searched where a credential is: a string, and one in C", function()
    local key = given.memories.api_key
    local found = memory.watch(([[
      pause("none")
      local key = (%q):reverse()
      pause("string")
      local core = require("mediastop.core")
      local secret = core.secret("memories", "nowhere", { api_key = key })
      pause("secret")
      local kept = tostring(secret)
      secret = nil
      pause("collected")
    ]]):format(key:reverse()), { key = key })
    assert.are.equal(0, memory.count(found.none.key))
    assert.is_true(memory.count(found.string.key) >= 1)
    assert.are.equal(1, memory.count(found.secret.key, found.string.key))
    assert.are.equal(0, memory.count(found.collected.key, found.string.key))
  end)

  for _, operation in ipairs(support.operations) do
    local provider = operation.provider

    for _, origin in ipairs({ "http", "tls" }) do
      case(("has no copy after a call and the client's end: %s, %s"):format(operation.full, origin), function()
        local found, printed = watch(provider, emulator[origin], 1)
        assert.are.equal("", (printed:gsub("%a+ended\n", ""):gsub("ended\n", ""):gsub("accepted\n", "")), printed)
        assert_nothing_new(found, "after close")
      end)

      case(("has no copy of ours after a call: %s, %s"):format(operation.full, origin), function()
        local found = watch(provider, emulator[origin], 1)
        assert_nothing_new(found, "after the call")
      end)
    end

    case("has no copy after many calls: " .. operation.full, function()
      local found = watch(provider, emulator.http, 20)
      assert_nothing_new(found, "after close")
    end)

    -- What goes wrong, and the call's options.
    local failures = {
      ["a 401"] = { faults = { { status = 401 } } },
      ["retries"] = { faults = { { status = 503 }, { drop = true }, { status = 503 } }, options = "attempts = 3" },
      ["a timeout"] = { faults = { { hang = 5 } }, options = "timeout = 0.3" },
      ["an echo"] = { faults = { { status = 400, body = '{"msg":"bad key ' .. providers[provider].wire[1]
        .. '","more":"' .. providers[provider].wire[#providers[provider].wire] .. '"}' } } },
    }

    for what, more in pairs(failures) do
      case(("has no copy after %s: %s"):format(what, operation.full), function()
        assert_nothing_new(watch(provider, emulator.http, 1, more), "after close")
      end)
    end
  end

  case("has no copy of the wire's after HTTP/2: only libraries' of the value", function()
    local found = watch("memories", emulator.h2, 1)
    assert.are.equal(0, memory.count(found["after close"]["wire 1"]))
  end)

  case("has no copy after jobs that were cancelled, dropped, or closed under way", function()
    local key = given.memories.api_key
    local ids = { support.id(), support.id(), support.id() }
    for _, id in ipairs(ids) do
      emulator:faults(id, { { hang = 5 } })
    end
    local found = memory.watch(([[
      local mediastop = require("mediastop")
      local credentials = { api_key = (%q):reverse() }
      pause("before")
      do
        local client = mediastop.new({ base_url = { memories = %q }, proxy = "" })
        local jobs = {}
        for index, id in ipairs({ %q, %q, %q }) do
          jobs[index] = assert(client:start("memories.stop", id, { credentials = credentials }))
          jobs[index]:wait(0.1)
        end
        jobs[1]:cancel()
        jobs[2] = nil
        collectgarbage()
        client:close()
      end
      pause("after close")
    ]]):format(key:reverse(), emulator:base_url().memories, ids[1], ids[2], ids[3]),
      { key = key, wire = "Authorization: " .. key })
    assert_nothing_new(found, "after close")
  end)

  -- The source's reading leaves Lua's strings; the call adds nothing to them and to the copy that is kept.
  for what, environment in pairs({
    ["a file of the environment"] = function(key) return { MEMORIES_API_KEY_FILE = finding.file(key .. "\n") } end,
    ["a credentials file"] = function(key)
      return finding.with_file(json.encode({ default = { memories = { api_key = key } } }))
    end,
    ["a program"] = function(key)
      return finding.with_program("cat", finding.file(json.encode({ api_key = key })))
    end,
  }) do
    case("has one copy that is kept, and no more after a call, of what is found in " .. what, function()
      local key = given.memories.api_key
      local found, printed = memory.watch(([[
        local mediastop = require("mediastop")
        pause("none")
        mediastop.credentials.preload()
        pause("before")
        do
          local client = mediastop.new({ base_url = { memories = %q }, proxy = "" })
          print(assert(client.memories.stop(%q)).outcome)
          client:close()
        end
        pause("after close")
      ]]):format(emulator:base_url().memories, support.id("memories")),
        { key = key, wire = "Authorization: " .. key }, environment(key))
      assert.are.equal("ended\n", printed)
      assert.are.equal(0, memory.count(found.none.key))
      assert.is_true(memory.count(found.before.key) >= 1)
      assert_nothing_new(found, "after close")
    end)
  end

  case("keeps no copy in C of a file that was read", function()
    local key = given.memories.api_key
    local found = memory.watch(([[
      local system = require("mediastop.core").system
      pause("none")
      do
        local content = system.read(%q, true)
        pause("read")
      end
      do
        local content = system.run({ "cat", %q }, 5)
        pause("run")
      end
    ]]):format(finding.file(key), finding.file(key)), { key = key })
    assert.are.equal(0, memory.count(found.none.key))
    assert.are.equal(1, memory.count(found.read.key))
    assert.is_true(memory.count(found.run.key) <= 2)
  end)
end)
