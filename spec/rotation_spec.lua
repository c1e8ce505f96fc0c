--- A credential is kept until a 401; then it is looked up once more, and the call tried once more if it changed.
local json = require("cjson")
local finding = require("spec.support.finding")
local support = require("spec.support")
local system = require("spec.emulator.system")

local emulator = support.emulator()
local key = emulator.credentials.memories.api_key
local OLD = "sk-old-0123456789"

-- How each source gives what a file holds. `text` makes the file's content of a key; `environment` names the file;
-- `options` is Lua source of the call's options.
local function entry(value)
  return json.encode({ default = { memories = { api_key = value } } })
end

local sources = {
  ["a credentials file"] = {
    text = entry,
    environment = function(path) return { MEDIASTOP_CREDENTIALS_FILE = path } end,
  },
  ["a file of the environment"] = {
    text = tostring,
    environment = function(path) return { MEMORIES_API_KEY_FILE = path } end,
  },
  ["systemd"] = {
    text = tostring,
    environment = function(path) return { CREDENTIALS_DIRECTORY = path:match("^(.*)/") } end,
  },
  ["a program"] = {
    text = function(value) return json.encode({ api_key = value }) end,
    environment = function(path) return finding.with_program("cat", path) end,
  },
  ["a function"] = {
    text = tostring,
    environment = function() return {} end,
    options = "credentials = function() local key = read() return key and { api_key = key } end",
  },
}

local prelude = [[
local mediastop = require("mediastop")
local path, base_url, asked = %q, %q, 0
local function write(text)
  if not text then
    return os.remove(path)
  end
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end
function read()
  asked = asked + 1
  local file = io.open(path)
  local text = file and file:read("*a")
  return file and file:close() and text
end
local function stop(id, options)
  options = options or {}
  options.base_url = base_url
  for name, value in pairs({ %s }) do
    options[name] = options[name] == nil and value or options[name]
  end
  local result, message, err = mediastop.memories.stop(id, options)
  print(result and result.outcome or err.kind, (result or err).attempts)
end
]]

-- Runs the source with the functions above, while the file first holds the key `first`. Returns the lines printed.
local function run(source, first, body)
  local path = finding.folder() .. "/memories_api_key"
  local environment = source.environment(path)
  system.write_file(path, source.text(first))
  os.execute("chmod 600 " .. path)
  local start = prelude:format(path, emulator:base_url().memories, source.options or "")
  local child = finding.run(start .. body, environment)
  assert.are.equal("", child.stderr)
  return child.stdout
end

-- A listener that puts another text into the file once the first request is about to go out.
local function changed(source, value)
  return ("on_event = function(event) if event.attempt == 1 then write(%s) end end")
    :format(value and ("%q"):format(source.text(value)) or "nil")
end

for what, source in pairs(sources) do
  describe("after a 401 a credential of " .. what, function()
    for _, attempts in ipairs({ 1, 3 }) do
      it(("is looked up once more, and the call tried again if it changed: attempts = %d"):format(attempts), function()
        local id, again = support.id("memories"), support.id("memories")
        local printed = run(source, OLD, ([[
          stop(%q, { attempts = %d, %s })
          stop(%q)
        ]]):format(id, attempts, changed(source, key), again))
        assert.are.equal("ended\t2\nended\t1\n", printed)
        assert.are.same({ OLD, key }, finding.authorizations(id))
        assert.are.same({ key }, finding.authorizations(again))
      end)
    end

    it("is not tried again if it did not change", function()
      local id = support.id("memories")
      assert.are.equal("unauthorized\t1\n", run(source, OLD, ("stop(%q, { attempts = 3 })"):format(id)))
      assert.are.same({ OLD }, finding.authorizations(id))
    end)

    it("is tried again once, if the new one is refused as well", function()
      local id = support.id("memories")
      local printed = run(source, OLD, ([[
        local count = 0
        stop(%q, { attempts = 3, on_event = function(event)
          if event.type == "attempt" then
            count = count + 1
            write((%q):gsub("NUMBER", tostring(count)) .. "")
          end
        end })
      ]]):format(id, source.text("sk-new-NUMBER")))
      assert.are.equal("unauthorized\t2\n", printed)
      assert.are.same({ OLD, "sk-new-1" }, finding.authorizations(id))
    end)

    it("that is gone, or cannot be sent, leaves the 401 as the error", function()
      for _, value in ipairs({ false, "bad\nkey", "" }) do
        local id = support.id("memories")
        assert.are.equal("unauthorized\t1\n",
          run(source, OLD, ("stop(%q, { %s })"):format(id, changed(source, value or nil))))
        assert.are.same({ OLD }, finding.authorizations(id))
      end
    end)

    it("is not looked up after a 403, nor after other failures", function()
      for _, status in ipairs({ 403, 402, 404, 500 }) do
        local id = support.id("memories")
        emulator:faults(id, { { status = status } })
        run(source, OLD, ("stop(%q, { attempts = 1, %s })"):format(id, changed(source, key)))
        assert.are.same({ OLD }, finding.authorizations(id))
      end
    end)

    it("may be looked up and sent again when another attempt failed before", function()
      local id = support.id("memories")
      emulator:faults(id, { { status = 503 }, { status = 401 } })
      local printed = run(source, OLD, ("stop(%q, { attempts = 2, %s })"):format(id, changed(source, key)))
      assert.are.equal("ended\t3\n", printed)
      assert.are.same({ OLD, OLD, key }, finding.authorizations(id))
    end)
  end)
end

describe("a credential that was found is kept", function()
  local file = sources["a credentials file"]

  it("whatever becomes of the file, until a 401", function()
    local ids = { support.id("memories"), support.id("memories"), support.id("memories") }
    emulator:faults(ids[2], { { status = 403 } })
    local printed = run(file, key, ([[
      stop(%q) write(%q) stop(%q) write(nil) stop(%q)
    ]]):format(ids[1], entry("sk-other"), ids[2], ids[3]))
    assert.are.equal("ended\t1\nforbidden\t1\nended\t1\n", printed)
    for _, id in ipairs(ids) do
      assert.are.same({ key }, finding.authorizations(id))
    end
  end)

  it("by provider and profile", function()
    local path = finding.file(json.encode({
      default = { memories = { api_key = "one" }, emogg = { token = "two" } },
      other = { memories = { api_key = "three" } },
    }))
    local ids = { support.id(), support.id(), support.id() }
    local child = finding.run(([[
      local mediastop = require("mediastop")
      local client = mediastop.new({ base_url = { memories = %q, emogg = %q } })
      client.memories.stop(%q)
      client.emogg.stop(%q)
      client.memories.stop(%q, { profile = "other" })
    ]]):format(emulator:base_url().memories, emulator:base_url().emogg, ids[1], ids[2], ids[3]),
      { MEDIASTOP_CREDENTIALS_FILE = path })
    assert.are.equal("", child.stderr)
    assert.are.same({ "one" }, finding.authorizations(ids[1]))
    assert.are.same({ "Bearer two" }, finding.authorizations(ids[2]))
    assert.are.same({ "three" }, finding.authorizations(ids[3]))
  end)

  it("a program is run once for many calls, and once more for a 401", function()
    local log, id = finding.path(), support.id("memories")
    local helper = finding.program(('echo run >>%s; echo \'{"api_key":"%s"}\''):format(log, key))
    emulator:faults(id, { { status = 401 } })
    local child = finding.run(([[
      local mediastop = require("mediastop")
      for _, id in ipairs({ %q, %q, %q }) do
        mediastop.memories.stop(id, { base_url = %q })
      end
    ]]):format(support.id("memories"), support.id("memories"), id, emulator:base_url().memories),
      finding.with_program(helper))
    assert.are.equal("", child.stderr)
    assert.are.equal("run\nrun\n", system.read_file(log))
  end)

  it("a program is run once more for all jobs that were refused together", function()
    for _, fails in ipairs({ "", "[ $(wc -l <LOG) = 1 ] || exit 1;" }) do
      local log = finding.path()
      local helper = finding.program(('echo run >>LOG; sleep 0.1; %s echo \'{"api_key":"%s"}\''):format(fails, OLD)
        :gsub("LOG", log) .. "")
      local child = finding.run(([[
        local mediastop = require("mediastop")
        local client = mediastop.new({ base_url = { memories = %q } })
        local requests = {}
        for i = 1, 16 do
          requests[i] = { "memories.stop", "x" .. i }
        end
        local refused = 0
        for _, result, message, err in client:each(requests, { concurrency = 16 }) do
          refused = refused + (err.kind == "unauthorized" and 1 or 0)
        end
        print(refused)
      ]]):format(emulator:base_url().memories), finding.with_program(helper))
      assert.are.equal("", child.stderr)
      assert.are.equal("16\n", child.stdout)
      local _, runs = system.read_file(log):gsub("run", "")
      assert.is_true(runs <= 8, runs .. " runs") -- not 17; one more for those that were sent after the one before
    end
  end)

  it("a program that hangs after a 401 is ended in time, and the 401 stays", function()
    local flag = finding.path()
    local script = 'test -e %s && sleep 30; touch %s; echo \'{"api_key":"%s"}\''
    local helper = finding.program(script:format(flag, flag, OLD))
    local child = finding.run(([[
      local socket = require("socket")
      local start = socket.gettime()
      local _, _, err = require("mediastop").memories.stop(%q, { base_url = %q, timeout = 1 })
      print(err.kind, socket.gettime() - start)
    ]]):format(support.id("memories"), emulator:base_url().memories), finding.with_program(helper))
    local kind, seconds = child.stdout:match("^(%S+)\t(%S+)")
    assert.are.equal("unauthorized", kind)
    assert.is_true(tonumber(seconds) < 2.5, seconds)
  end)

  it("a table that was given is not asked again", function()
    local id = support.id("memories")
    local client = support.client({ credentials = { memories = { api_key = OLD } } })
    local _, _, err = client.memories.stop(id)
    client:close()
    assert.are.equal("unauthorized", err.kind)
    assert.are.same({ OLD }, finding.authorizations(id))
  end)

  it("jobs that were started are renewed as calls are", function()
    local id = support.id("memories")
    local printed = run(file, OLD, ([[
      local job = assert(mediastop.start("memories.stop", %q, { base_url = base_url }))
      write(%q)
      job:wait(10)
      print(job:result().outcome)
    ]]):format(id, entry(key)))
    assert.are.equal("ended\n", printed)
    assert.are.same({ OLD, key }, finding.authorizations(id))
  end)
end)

describe("preload", function()
  it("looks all of them up and keeps them", function()
    local path = finding.file(json.encode({ default = { memories = { api_key = key }, emogg = { token = "two" } } }))
    local ids = { support.id("memories"), support.id() }
    local child = finding.run(([[
      local mediastop = require("mediastop")
      print(select("#", mediastop.credentials.preload()))
      os.remove(%q)
      assert(mediastop.memories.stop(%q, { base_url = %q }))
      mediastop.emogg.stop(%q, { base_url = %q })
      local _, _, err = mediastop.fastpix.finish("x")
      print(err.kind)
    ]]):format(path, ids[1], emulator:base_url().memories, ids[2], emulator:base_url().emogg),
      { MEDIASTOP_CREDENTIALS_FILE = path })
    assert.are.equal("", child.stderr)
    assert.are.equal("0\ncredentials\n", child.stdout)
    assert.are.same({ key }, finding.authorizations(ids[1]))
    assert.are.same({ "Bearer two" }, finding.authorizations(ids[2]))
  end)

  it("takes a profile", function()
    local path = finding.file(json.encode({ other = { memories = { api_key = key } } }))
    local child = finding.run(([[
      local mediastop = require("mediastop")
      mediastop.credentials.preload({ profile = "other" })
      os.remove(%q)
      assert(mediastop.memories.stop(%q, { base_url = %q, profile = "other" }))
    ]]):format(path, support.id("memories"), emulator:base_url().memories), { MEDIASTOP_CREDENTIALS_FILE = path })
    assert.are.equal("", child.stderr)
  end)

  it("looks anew each time", function()
    local path = finding.file(entry(OLD))
    local id = support.id("memories")
    local child = finding.run(([[
      local mediastop = require("mediastop")
      mediastop.credentials.preload()
      local file = io.open(%q, "w")
      file:write(%q)
      file:close()
      mediastop.credentials.preload()
      assert(mediastop.memories.stop(%q, { base_url = %q }))
    ]]):format(path, entry(key), id, emulator:base_url().memories), { MEDIASTOP_CREDENTIALS_FILE = path })
    assert.are.equal("", child.stderr)
    assert.are.same({ key }, finding.authorizations(id))
  end)
end)

describe("explain", function()
  local explain = require("mediastop").credentials.explain
  local preload = require("mediastop").credentials.preload

  it("says what was looked at and what won", function()
    local environment = { EMOGG_API_TOKEN = "secret", CREDENTIALS_DIRECTORY = finding.folder({
      memories_api_key = "secret" }) }
    assert.are.equal("emogg, profile 'default': found\n  + the environment (EMOGG_API_TOKEN)\n",
      finding.explained("emogg", environment))
    for _, provider in ipairs({ "memories", "screenplay" }) do
      local text = finding.explained(provider, environment, '{ profile = "other" }')
      assert.is_truthy(text:find("^" .. provider .. ", profile 'other': found\n"))
      assert.is_truthy(text:find("\n  - the environment (unset: MEMORIES_API_KEY,", 1, true))
      assert.is_truthy(text:find("\n  + $CREDENTIALS_DIRECTORY (", 1, true))
      assert.is_nil(text:find("credentials file", 1, true))
    end
    local text = finding.explained("fastpix", environment)
    assert.is_truthy(text:find("^fastpix, profile 'default': none found\n  %- .*\n  %- .*\n  %- .*\n$"))
  end)

  it("stops at a fault, and says it", function()
    local text = finding.explained("emogg", { EMOGG_API_TOKEN = "secret", EMOGG_API_TOKEN_FILE = "/x",
      CREDENTIALS_DIRECTORY = finding.folder({ emogg_api_token = "secret" }) })
    local place = "the environment (EMOGG_API_TOKEN and EMOGG_API_TOKEN_FILE are both set)"
    assert.are.equal("emogg, profile 'default': none found\n  - " .. place .. "\n", text)
  end)

  it("has a line for each place, whatever its name", function()
    local text = finding.explained("emogg", { CREDENTIALS_DIRECTORY = "/a\nb", MEDIASTOP_CREDENTIALS_FILE = "/c\rd" })
    assert.is_truthy(text:find("^[^%c]*\n  %- [^%c]*\n  %- [^%c]*\n  %- [^%c]*\n$"), text)
  end)

  it("has provider, profile, found, source, looked", function()
    local child = finding.run([[
      local explanation = require("mediastop").credentials.explain("emogg")
      print(explanation.provider, explanation.profile, explanation.found, explanation.source, #explanation.looked)
      print(explanation.looked[1].found, explanation.looked[1].place)
    ]], { EMOGG_API_TOKEN = "secret" })
    assert.are.equal("emogg\tdefault\ttrue\tthe environment (EMOGG_API_TOKEN)\t1\n"
      .. "true\tthe environment (EMOGG_API_TOKEN)\n", child.stdout)
  end)

  it("changes nothing of what is kept", function()
    local path = finding.file(entry(key))
    local child = finding.run(([[
      local mediastop = require("mediastop")
      mediastop.credentials.preload()
      os.remove(%q)
      print(mediastop.credentials.explain("memories").found)
      assert(mediastop.memories.stop(%q, { base_url = %q }))
    ]]):format(path, support.id("memories"), emulator:base_url().memories), { MEDIASTOP_CREDENTIALS_FILE = path })
    assert.are.equal("", child.stderr)
    assert.are.equal("false\n", child.stdout)
  end)

  local misuses = {
    { explain, "bad argument #1 to 'explain' (string expected, got no value)", "explain()" },
    { explain, "bad argument #1 to 'explain' (string expected, got number)", "a number", 5 },
    { explain, "bad argument #1 to 'explain' (unknown provider 'memory'", "a wrong provider", "memory" },
    { explain, "bad argument #2 to 'explain' (table expected, got string)", "no table", "emogg", "default" },
    { explain, "bad argument #2 to 'explain' (unknown option 'profil'", "a wrong option", "emogg", { profil = "x" } },
    { explain, "bad argument #2 to 'explain' (option 'profile' must be a string, got number)", "a wrong profile",
      "emogg", { profile = 5 } },
    { preload, "bad argument #1 to 'preload' (table expected, got string)", "no table for preload", "default" },
    { preload, "bad argument #1 to 'preload' (unknown option 'x'", "preload's wrong option", { x = 1 } },
    { preload, "bad argument #1 to 'preload' (option 'profile' must be a string, got boolean)",
      "preload's wrong profile", { profile = true } },
  }

  for _, case in ipairs(misuses) do
    it("raises on misuse: " .. case[3], function()
      local fine, message = pcall(case[1], case[4], case[5])
      assert.is_false(fine)
      message = message:gsub("got nil", "got no value")
      assert.is_truthy(message:find(case[2], 1, true), message)
    end)
  end
end)
