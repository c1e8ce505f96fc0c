--- malloc that fails at every place of a call, for our code and for libcurl. The module of `make asan` is built for it,
--- so that a leak or a wild pointer is seen as well.
local core = require("mediastop.core")
local exhausted = require("spec.support.exhausted")
local finding = require("spec.support.finding")
local json = require("cjson").new()
local mediastop = require("mediastop")
local support = require("spec.support")
local within = exhausted.malloc()

local emulator = support.emulator()

-- What a call ends in where memory is short: an error that is a failure of ours, of kinds that say it.
local honest = { connect = true, network = true, tls = true, dns = true, timeout = true, credentials = true }

local function is_honest(message, err)
  return honest[err.kind] and message == err.message or error(message)
end

describe("where malloc fails", function()
  if not within then
    return pending("the module is built without it: make asan")
  end
  local id

  local function exhaust(f, prepare, check)
    return exhausted.run(within, f, prepare, check)
  end

  -- The next call works. Over HTTP/2 it may find that the connection did not survive.
  local function assert_works(client)
    local result, message = client.memories.stop(id, { attempts = 2 })
    assert.is_table(result, message)
    assert.are.equal("ended", result.outcome)
  end

  before_each(function()
    id = support.id("memories")
  end)

  local functions = {}
  for _, operation in ipairs(support.operations) do
    functions[#functions + 1] = { operation.provider, operation.name }
    if operation.provider ~= "memories" then
      functions[#functions + 1] = { operation.provider, "status" }
    end
  end

  -- The job is gone, or never was: an answer all the same.
  local answers = { not_found = true, not_active = true }

  for _, one in ipairs(functions) do
    local provider, name = one[1], one[2]

    it(("%s.%s ends in its answer or in an error, and the next call works"):format(provider, name), function()
      local client = support.client({ attempts = 1 })
      assert_works(client)
      exhaust(function()
        local result, message, err = client[provider][name]("no-such-job")
        return result or answers[err.kind] or is_honest(message, err)
      end, nil, function()
        assert_works(client)
      end)
      client:close()
    end)
  end

  -- libcurl 7.88 frees a host's name twice where strdup fails as it keeps a TLS session.
  local function within_malloc(n, lasting, f)
    return within(n, lasting, f, true)
  end

  for _, origin in ipairs({ "http", "tls", "h2" }) do
    it("so does the first call of a client, over " .. origin, function()
      local count = exhausted.run(origin == "http" and within or within_malloc, function(client)
        local result, message, err = client.memories.stop(id)
        return result and result.outcome == "ended" or is_honest(message, err)
      end, function()
        return support.origin_client(emulator[origin], { attempts = 1 })
      end, function(client)
        assert_works(client)
        client:close()
      end)
      assert.is_true(count > 50)
    end)
  end

  it("what is said of the provider is true", function()
    exhaust(function(given)
      given.result, given.message, given.err = given.client.memories.stop(given.id)
    end, function()
      return { client = support.client({ attempts = 1 }), id = support.id() }
    end, function(given, ok)
      local count = #emulator:requests(given.id)
      local err = given.err or {}
      -- Where Lua's error came, nothing is said.
      if ok then
        assert.is_true(count <= 1)
        assert.is_true(err.reached ~= "no" or count == 0, given.message)
        assert.is_true(err.reached ~= "yes" or count == 1, given.message)
      end
      given.client:close()
    end)
  end)

  it("attempts that fail for it are repeated", function()
    local client = support.client({ attempts = 2 })
    assert_works(client)
    local once = 0
    for n = 0, 10 do
      local failed, ok, result = within(n, false, function() return client.memories.stop(id) end)
      if failed and ok and result then
        once = once + 1
        assert.are.equal("ended", result.outcome)
      end
    end
    assert.is_true(once > 0)
    client:close()
  end)

  it("one that is confirmed", function()
    local stream = support.id()
    emulator:job("fastpix", stream, "idle")
    local client = support.client({ attempts = 1, timeout = 0.12, confirm = true, ignore_ended = true })
    exhaust(function()
      local result, message, err = client.fastpix.finish(stream)
      -- Of a refusal whose body had no room, the status is what is left.
      return result and (result.state == "idle" or result.outcome == "accepted") or err.status == 400
        or is_honest(message, err)
    end)
    client:close()
  end)

  it("a job that is started, waited for and cancelled", function()
    local client = support.client({ attempts = 1 })
    exhaust(function()
      local job, message, err = client:start("memories.stop", id)
      if not job then
        return is_honest(message, err)
      end
      local other = client:start("memories.stop", id)
      job:poll()
      job:cancel()
      if other then
        other:wait(5)
        other:result()
      end
      return job:poll() or error("unfinished")
    end, nil, function()
      assert_works(client)
      collectgarbage()
      assert.are.equal(0, client:step())
    end)
    client:close()
  end)

  it("a loop of step, fd and due", function()
    exhaust(function(client)
      client:start("memories.stop", id)
      local fd, why = client:fd()
      assert(fd or why:find("not enough memory", 1, true))
      while client:step() > 0 do
        client:due()
      end
    end, function()
      return support.client({ attempts = 1 })
    end, function(client)
      assert_works(client)
      assert.is_number(client:fd())
      client:close()
    end)
  end)

  it("each, which gives out every request once or raises", function()
    local client = support.client({ attempts = 1 })
    local requests = { { "memories.stop", id }, { "no.such", id }, { "fastpix.status", "" }, { "memories.stop", id } }
    exhaust(function()
      local count = 0
      for _, result, message, err in client:each(requests, { concurrency = 2 }) do
        count = count + 1
        local refused = err and (err.kind == "misuse" or err.kind == "invalid_id")
        assert(result and result.outcome == "ended" or refused or is_honest(message, err))
      end
      return count == 4 or error("requests are lost")
    end, nil, function()
      collectgarbage()
      assert.are.equal(0, client:step())
      assert_works(client)
    end)
    client:close()
  end)

  it("a client that is made and closed", function()
    exhaust(function()
      local client = mediastop.new({ user_agent = "a/1", proxy = "", ca_file = "/x", profile = "p",
        base_url = { emogg = "https://localhost" } })
      client:close()
    end)
  end)

  it("what providers post", function()
    local body = '{"code":200,"message":"SUCCESS","task_id":"t-1","data":{"status":14}}'
    exhaust(function() return mediastop.memories.callback(body).ended or error("not read") end)
    exhaust(function() return mediastop.fastpix.webhook("{}", nil, "QUJD").probe or error("not read") end)
  end)

  it("a secret, a file, a program, a bell, a ticket", function()
    local path = finding.file(("x"):rep(5000))
    exhaust(function()
      return core.secret("fastpix", "a place", { username = "user", password = "password" }) or error("no secret")
    end)
    exhaust(function()
      local content, word = core.system.read(path, true)
      return content and #content == 5000 or error(word)
    end)
    exhaust(function()
      local content, word = core.system.run({ "cat", path }, 5)
      return content and #content == 5000 or error(word)
    end)
    exhaust(function()
      local bell, why = core.engine.bell()
      if bell then
        bell:close()
      end
      return bell or why == "Cannot allocate memory" or error(why)
    end)
    exhaust(function()
      local ticket = assert(core.tickets.issue("spec.malloc"))
      return ticket:take() or error("no ticket")
    end)
  end)

  it("a credential is found in every place", function()
    local key = finding.MARK .. "-0123456789"
    for place, environment in pairs({
      environment = { MEMORIES_API_KEY = key },
      file = { MEMORIES_API_KEY_FILE = finding.file(key) },
      credentials = finding.with_file(json.encode({ default = { memories = { api_key = key } } })),
      program = finding.with_program("echo", json.encode({ api_key = key })),
    }) do
      local child = finding.run([[
        local exhausted = require("spec.support.exhausted")
        local credentials = require("mediastop.credentials")
        exhausted.run(exhausted.malloc(), function()
          local secret, why = credentials.find("memories", nil, nil, 5, 0)
          return secret or error(why)
        end)
      ]], environment)
      assert.are.equal("", child.stderr, place)
      assert.are.equal(0, child.status, place)
    end
  end)

  -- libcurl is started by the first call of a process.
  it("the first call of a process, and the next one works", function()
    local child = finding.run(([[
      local exhausted, process = require("spec.support.exhausted"), require("process")
      local within, core = exhausted.malloc(), require("mediastop.core")
      local options = { base_url = { memories = %q }, credentials = { memories = { api_key = %q } }, proxy = "",
        attempts = 1 }
      local n, more = 0, true
      while more do
        local pid = process.fork()
        if pid == 0 then
          local failed = within(n, true, function()
            local client = core.new(options)
            client:fd()
            client:close()
          end)
          local client = core.new(options)
          local result, message = client.memories.stop(%q)
          client:close()
          if not result then
            io.stderr:write(n, ": ", message, "\n")
          end
          os.exit(failed and 1 or 0, true)
        end
        local how, status = process.wait(pid)
        assert(how == "exit" and status <= 1, status)
        n, more = n + 1, status == 1
      end
    ]]):format(emulator:base_url().memories, emulator.credentials.memories.api_key, id), {})
    assert.are.equal("", child.stderr)
    assert.are.equal(0, child.status)
  end)
end)
