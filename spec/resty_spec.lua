local nginx = require("spec.support.nginx")
local support = require("spec.support")
local system = require("spec.emulator.system")

-- What every piece of Lua begins with.
local head = [[
local resty = require "mediastop.resty"
local function show(result, message, err)
  return result and result.outcome or (err and err.kind), message
end
]]

-- Lua for a call that goes to the emulator.
local function call(provider, id, more)
  return ('%s(%q, { %s%s })'):format(support.operation(provider).full, id, nginx.options(provider),
    more and ", " .. more or "")
end

describe("mediastop.resty", function()
  local server, emulator

  setup(function()
    emulator = support.emulator()
    server = nginx.start({})
  end)

  local function run(source, phase)
    return server:run(head .. source, phase)
  end

  for _, operation in ipairs(support.operations) do
    for _, phase in ipairs({ "content", "access", "rewrite" }) do
      it(("carries out %s in the phase %s"):format(operation.full, phase), function()
        local id = support.id(operation.provider)
        local expected = operation.provider == "emogg" and "accepted" or "ended"
        assert.are.equal(expected, run("return show(resty." .. call(operation.provider, id) .. ")", phase))
        assert.are.equal(1, #emulator:requests(id))
      end)
    end
  end

  it("returns the same tables as mediastop", function()
    local id = support.id("fastpix")
    assert.are.equal("fastpix finish " .. id .. " ended false 200 1 true", run(([[
      local r = resty.%s
      return r.provider, r.operation, r.id, r.outcome, r.confirmed, r.status, r.attempts, r.body.success
    ]]):format(call("fastpix", id))))
    assert.matches("^nil fastpix%.finish spec%-%d+: not_found: .* not_found yes false 404 1$", run(([[
      local r, message, err = resty.%s
      return r, message, err.kind, err.reached, err.retryable, err.status, err.attempts
    ]]):format(call("fastpix", support.id()))))
  end)

  it("yields only the light thread that calls", function()
    local connections, ids = {}, {}
    for i = 1, 4 do
      ids[i] = support.id("fastpix")
      emulator:faults(ids[i], { { delay = 1 } })
      connections[i] = server:send("/run?phase=content", head .. "return show(resty." .. call("fastpix", ids[i]) .. ")")
    end
    assert.are.equal("plain", (server:get("/plain")))
    local times = {}
    for i = 1, 4 do
      connections[i]:settimeout(0)
      local body, words = connections[i]:receive("*a")
      assert.are.equal("timeout", body or words) -- /plain was answered while they wait
      connections[i]:settimeout(30)
    end
    for i = 1, 4 do
      assert.are.equal("ended", (nginx.receive(connections[i])))
      times[i] = emulator:requests(ids[i])[1].time
    end
    table.sort(times)
    assert.is_true(times[4] - times[1] < 1, "the last was sent when the first had its answer")
  end)

  it("retries and waits without blocking", function()
    local id = support.id("emogg")
    emulator:faults(id, { { status = 503, headers = { ["Retry-After"] = "1" } } })
    local connection = server:send("/run", head .. ("local r = resty.%s return r.outcome, r.attempts"):format(
      call("emogg", id)))
    assert.are.equal("plain", (server:get("/plain")))
    assert.are.equal("accepted 2", (nginx.receive(connection)))
  end)

  it("keeps its deadline where the provider hangs", function()
    local id = support.id("fastpix")
    emulator:faults(id, { { hang = 20, times = 3 } })
    assert.matches("^timeout fastpix.finish", run("return show(resty." .. call("fastpix", id, "timeout = 0.3") .. ")"))
  end)

  it("carries a call out although its client went away", function()
    local id = support.id("fastpix")
    emulator:faults(id, { { status = 503 } })
    local connection = server:send("/run", head .. ("ngx.thread.spawn(function() resty.%s end) return 1"):format(
      call("fastpix", id)))
    connection:close()
    assert.is_true(system.wait_until(function()
      return emulator:state("fastpix", id) == "idle"
    end, 10))
  end)

  it("works in timers and in threads of one request", function()
    local one, two, three = support.id("fastpix"), support.id("memories"), support.id("screenplay")
    assert.are.equal("ended ended ended", run(([[
      local outcomes = {}
      local first = ngx.thread.spawn(function() outcomes[1] = resty.%s.outcome end)
      local second = ngx.thread.spawn(function() outcomes[2] = resty.%s.outcome end)
      local done = require "ngx.semaphore".new()
      ngx.timer.at(0, function() outcomes[3] = resty.%s.outcome done:post(1) end)
      ngx.thread.wait(first)
      ngx.thread.wait(second)
      assert(done:wait(10))
      return outcomes[1], outcomes[2], outcomes[3]
    ]]):format(call("fastpix", one), call("memories", two), call("screenplay", three))))
  end)

  it("refuses to wait within a function of C, and sends nothing", function()
    local id = support.id("fastpix")
    assert.matches("^nil fastpix.finish .* blocking no$", run(([[
      local r, message, err
      string.gsub("x", "x", function() r, message, err = resty.%s end)
      return r, message, err.kind, err.reached
    ]]):format(call("fastpix", id))))
    assert.are.equal(0, #emulator:requests(id))
  end)

  it("raises misuse where the program called", function()
    local cases = {
      ["resty.fastpix.finish(7)"] = "bad argument #1 to 'finish' (string expected, got number)",
      ["resty.emogg.stop('x', { time_out = 1 })"] =
        "bad argument #2 to 'stop' (unknown option 'time_out'; did you mean 'timeout'?)",
      ["resty.start('fastpix.stop', 'x')"] = "bad argument #1 to 'start' (unknown operation 'fastpix.stop')",
      ["resty.later('nothing', 'x')"] = "bad argument #1 to 'later' (unknown operation 'nothing')",
      ["resty.later('fastpix.finish', {})"] = "bad argument #2 to 'later' (string expected, got table)",
      ["resty.later('fastpix.finish', 'x', 1)"] = "bad argument #3 to 'later' (table expected, got number)",
      ["resty.later('fastpix.finish', 'x', { delay = '1' })"] =
        "bad argument #3 to 'later' (option 'delay' must be a number of seconds, got string)",
      ["resty.later('fastpix.finish', 'x', { delay = -1 })"] =
        "bad argument #3 to 'later' (option 'delay' must be a finite number from 0)",
      ["resty.later('fastpix.finish', 'x', { delay = 0 / 0 })"] =
        "bad argument #3 to 'later' (option 'delay' must be a finite number from 0)",
      ["resty.later('fastpix.finish', 'x', { key = 1 })"] =
        "bad argument #3 to 'later' (option 'key' must be a string, got number)",
      ["resty.later('fastpix.finish', 'x', { key = '' })"] = "bad argument #3 to 'later' (option 'key' is empty)",
      ["resty.later('fastpix.finish', 'x', { delay = 9, timeout = 'x' })"] =
        "bad argument #3 to 'later' (option 'timeout' must be a number of seconds, got string)",
      ["resty.keep()"] = "bad argument #1 to 'keep' (string expected, got nil)",
      ["resty.each(1)"] = "bad argument #1 to 'each' (list or iterator expected, got number)",
      ["resty.new(1)"] = "bad argument #1 to 'new' (table expected, got number)",
      ["resty.new { timeout = 0 }"] = "bad argument #1 to 'new' (option 'timeout' must be a finite number above 0)",
      ["resty.new().start({})"] = "bad argument #1 to 'start' (client expected, got table)",
    }
    for source, expected in pairs(cases) do
      local message = run(("local good, message = pcall(loadstring([==[\n\n%s]==], '=program'), resty) return message")
        :format("local resty = ... " .. source .. " return 1"))
      assert.are.equal("program:2: " .. expected, message)
    end
  end)

  describe("jobs", function()
    it("are started, polled, waited for and cancelled", function()
      local id = support.id("fastpix")
      emulator:faults(id, { { delay = 0.3 } })
      assert.are.equal("false pending false true ended", run(([[
        local job = assert(resty.start("fastpix.finish", %q, { %s }))
        local polled = job:poll()
        local _, word = job:result()
        local soon = job:wait(0.01)
        return polled, word, soon, job:wait(), job:result().outcome
      ]]):format(id, nginx.options("fastpix"))))
      local hanging = support.id("fastpix")
      emulator:faults(hanging, { { hang = 20 } })
      assert.are.equal("true cancelled maybe", run(([[
        local job = assert(resty.start("fastpix.finish", %q, { %s }))
        job:wait(0.3)
        job:cancel()
        local _, _, err = job:result()
        return job:wait(), err.kind, err.reached
      ]]):format(hanging, nginx.options("fastpix"))))
    end)

    it("wake all who wait for one", function()
      local id = support.id("fastpix")
      emulator:faults(id, { { delay = 0.2 } })
      assert.are.equal("true true", run(([[
        local job = assert(resty.start("fastpix.finish", %q, { %s }))
        local first = ngx.thread.spawn(function() return job:wait() end)
        local done = job:wait()
        local _, other = ngx.thread.wait(first)
        return done, other
      ]]):format(id, nginx.options("fastpix"))))
    end)

    it("check what they are given", function()
      assert.matches("^true string .*bad argument #1 to 'wait' %(number of seconds expected, got string%)",
        run(([[
        local job = assert(resty.start("fastpix.finish", "x", { %s }))
        local good, message = pcall(job.wait, job, "x")
        local poll = job.poll
        return not good, type(message), message, select(2, pcall(poll, {}))
      ]]):format(nginx.options("fastpix"))))
    end)
  end)

  it("has each, a bounded number at a time, that waits without blocking", function()
    local ids = {}
    for i = 1, 20 do
      ids[i] = support.id("fastpix")
      emulator:faults(ids[i], { { delay = 0.2 } })
    end
    local connection = server:send("/run", head .. ([[
      local ids, i = { "%s" }, 0
      local outcomes = {}
      for request, result, message, err in resty.each(function()
        i = i + 1
        return ids[i] and { "fastpix.finish", ids[i], { %s } }
      end, { concurrency = 10 }) do
        local outcome = result and result.outcome or err.kind
        outcomes[outcome] = (outcomes[outcome] or 0) + 1
      end
      for _, _, _, err in resty.each { { "nothing", "x" } } do outcomes.kind = err.kind end
      return outcomes.ended, outcomes.kind
    ]]):format(table.concat(ids, '", "'), nginx.options("fastpix")))
    assert.are.equal("plain", (server:get("/plain")))
    assert.are.equal("20 misuse", (nginx.receive(connection)))
  end)

  it("has clients with options of their own, which end their jobs as they close", function()
    local id = support.id("fastpix")
    emulator:faults(id, { { hang = 20, times = 3 } })
    local credentials = emulator.credentials.fastpix
    assert.are.equal("closed true closed 0 mediastop.client", run(([[
      local client = resty.new {
        base_url = { fastpix = %q },
        credentials = { fastpix = { username = %q, password = %q } },
      }
      local err
      local waiting = ngx.thread.spawn(function()
        local _, _, e = client.fastpix.finish(%q)
        err = e
      end)
      ngx.sleep(0.1)
      client:close()
      ngx.thread.wait(waiting)
      local _, _, after = client:start("fastpix.finish", "x")
      return err.kind, type(client:fd()) == "nil", after.kind, client:step(), tostring(client):match("^[%%a.]+")
    ]]):format(emulator:base_url().fastpix, credentials.username, credentials.password, id)))
  end)

  it("leaves no thread, no descriptor and no folder once it is idle", function()
    local worker = server:workers()[1]
    local function threads()
      return tonumber(system.capture("ls /proc/" .. worker .. "/task | wc -l"))
    end
    run("return show(resty." .. call("fastpix", support.id("fastpix")) .. ")")
    assert.is_true(system.wait_until(function()
      return threads() == 1
    end, 10))
    assert.is_true(system.wait_until(function()
      return system.capture("ls -d /tmp/mediastop-?????? 2>/dev/null") == ""
    end, 10))
    assert.is_nil(server:log():match("[^\n]*%[error%][^\n]*"))
  end)
end)
