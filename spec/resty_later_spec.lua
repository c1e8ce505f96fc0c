local nginx = require("spec.support.nginx")
local process = require("spec.emulator.process")
local support = require("spec.support")
local system = require("spec.emulator.system")

local head = 'local resty = require "mediastop.resty"\n'

-- Lua for a job of `later` that goes to the emulator.
local function later(id, more, provider)
  provider = provider or "fastpix"
  return ("resty.later(%q, %q, { %s%s })"):format(support.operation(provider).full, id, nginx.options(provider),
    more and ", " .. more or "")
end

local function keep(key)
  return ("resty.keep(%q)"):format(key)
end

describe("mediastop.resty.later", function()
  local emulator, server

  setup(function()
    emulator = support.emulator()
    server = nginx.start({ workers = 4 })
  end)

  teardown(function()
    server:stop()
  end)

  local function run(source, on)
    return (on or server):run(head .. "return " .. source)
  end

  local function ended(id, provider)
    return system.wait_until(function()
      return #emulator:requests(id) > 0 and emulator:state(provider or "fastpix", id) ~= "active"
    end, 10)
  end

  -- How many tickets stand for delayed jobs of a server.
  local function tickets(of)
    local script = "find /dev/shm/mediastop-$(id -u)/*-%d-* -type f 2>/dev/null | wc -l"
    return system.capture(script:format((of or server).pid))
  end

  it("starts a job that nobody waits for, and returns at once", function()
    local id = support.id("fastpix")
    assert.are.equal("true", run(later(id)))
    assert.is_true(ended(id))
  end)

  it("returns what cannot be sent, delayed or not", function()
    for _, more in ipairs({ "delay = 0", "delay = 60", "delay = 60, key = 'bad'" }) do
      assert.matches("^nil fastpix.finish .*invalid_id", run(later("", more)))
      assert.matches("^nil fastpix.finish x: credentials:", run(
        ("resty.later('fastpix.finish', 'x', { base_url = %q, %s })"):format("https://localhost:1/v1", more)))
    end
    assert.are.equal("0", tickets())
  end)

  it("waits for the delay", function()
    local id = support.id("fastpix")
    local began = system.capture("date +%s.%N")
    assert.are.equal("true", run(later(id, "delay = 0.5")))
    assert.are.equal(0, #emulator:requests(id))
    assert.is_true(ended(id))
    assert.is_true(tonumber(system.capture("date +%s.%N")) - tonumber(began) >= 0.5)
  end)

  it("is called off by its key, whichever worker has the job and whichever calls", function()
    local one, two, other = support.id("fastpix"), support.id("memories"), support.id("fastpix")
    assert.are.equal("true", run(later(one, "delay = 1, key = 'stream'")))
    assert.are.equal("true", run(later(two, "delay = 1, key = 'stream'", "memories")))
    assert.are.equal("true", run(later(other, "delay = 1, key = 'streams'")))
    assert.are.equal("3", tickets())
    assert.are.equal("true false", run(keep("stream") .. ", " .. keep("stream")))
    assert.are.equal("false false", run(keep("strea") .. ", " .. keep("stream\0")))
    assert.is_true(ended(other))
    assert.are.same({ 0, 0 }, { #emulator:requests(one), #emulator:requests(two) })
    assert.are.equal("0", tickets())
  end)

  it("takes any key", function()
    local long = ("long"):rep(1000)
    for _, key in ipairs({ "../../etc/passwd", "/", ".", "..", "\0", "%n", "käse", long, long .. "!" }) do
      local id = support.id("fastpix")
      assert.are.equal("true true", run(later(id, ("delay = 60, key = %q"):format(key)) .. ", " .. keep(key)))
      assert.are.equal(0, #emulator:requests(id))
    end
    assert.are.equal("0", tickets())
  end)

  it("can be delayed again after it was called off", function()
    local id = support.id("fastpix")
    assert.are.equal("true true true", run(table.concat({
      later(id, "delay = 60, key = 'again'"), keep("again"), later(id, "delay = 0.1, key = 'again'"),
    }, ", ")))
    assert.is_true(ended(id))
    assert.are.equal(1, #emulator:requests(id))
  end)

  it("carries thousands of delayed jobs out, each once", function()
    local ids = {}
    for i = 1, 3000 do
      ids[i] = support.id()
    end
    emulator:job("fastpix", ids)
    server:get("/run", head .. ([[
      local ids = { "%s" }
      for i, id in ipairs(ids) do
        assert(resty.later("fastpix.finish", id, { delay = 0.2 + i / 10000, key = id, %s }))
      end
      return resty.keep(ids[7])
    ]]):format(table.concat(ids, '", "'), nginx.options("fastpix")))
    assert.is_true(system.wait_until(function()
      return emulator:state("fastpix", ids[3000]) == "idle" and emulator:state("fastpix", ids[1]) == "idle"
        and emulator:state("fastpix", ids[1500]) == "idle"
    end, 20))
    assert.is_true(system.wait_until(function()
      local sent = {}
      for _, request in ipairs(emulator:requests()) do
        sent[request.id] = (sent[request.id] or 0) + 1
      end
      for i, id in ipairs(ids) do
        if (sent[id] or 0) ~= (i == 7 and 0 or 1) then
          return false
        end
      end
      return true
    end, 20))
    assert.are.equal("0", tickets())
  end)

  it("says in the log what failed, and tells on_event", function()
    local id = support.id()
    assert.are.equal("true", run(later(id, "on_event = function(event) if event.type == 'result' then "
      .. "ngx.log(ngx.WARN, 'event of ', event.id, ' ', event.error.kind) end end")))
    assert.is_true(system.wait_until(function()
      local log = server:log()
      return log:find("%[error%][^\n]*mediastop: fastpix.finish " .. id:gsub("%-", "%%-") .. ": not_found") ~= nil
        and log:find("event of " .. id .. " not_found", 1, true) ~= nil
    end, 10))
  end)

  it("is carried out when the worker exits at a reload", function()
    local pending = nginx.start({ workers = 2 })
    local ids = {}
    for i = 1, 6 do
      ids[i] = support.id("fastpix")
      emulator:faults(ids[i], { { status = 503 } }) -- and is tried again
      run(later(ids[i], i % 2 == 0 and "delay = 600" or "delay = 600, key = 'reload'"), pending)
    end
    assert.is_true(pending:reload())
    for i = 1, 6 do
      assert.are.equal("idle", emulator:state("fastpix", ids[i]))
    end
    assert.are.equal("false", run(keep("reload"), pending))
    assert.are.equal("true", run(later(support.id("fastpix")), pending))
    assert.are.equal("0", tickets(pending))
    assert.is_nil(pending:log():match("[^\n]*signal 11[^\n]*"))
    pending:stop()
  end)

  it("is carried out when nginx quits, or is told to stop at once", function()
    for _, name in ipairs({ "QUIT", "TERM", "INT" }) do
      local pending = nginx.start({ workers = 2 })
      local ids = {}
      for i = 1, 4 do
        ids[i] = support.id("fastpix")
        run(later(ids[i], i % 2 == 0 and "delay = 600" or "delay = 600, key = 'quit'"), pending)
      end
      assert.is_true(pending:quit(name))
      for i = 1, 4 do
        assert.are.equal("idle", emulator:state("fastpix", ids[i]), name)
      end
      assert.are.equal("0", tickets(pending))
      assert.is_nil(pending:log():match("[^\n]*signal 11[^\n]*"))
      pending:stop()
    end
  end)

  it("does not let a provider that hangs hold a fast stop up", function()
    local pending = nginx.start({})
    local id = support.id("fastpix")
    emulator:faults(id, { { hang = 30, times = 9 } })
    run(later(id, "delay = 600"), pending)
    assert.is_true(pending:quit("TERM", 5))
    assert.are.equal(1, #emulator:requests(id))
    pending:stop()
  end)

  it("says in the log what came of each job at a fast stop", function()
    local pending = nginx.start({})
    local good, bad, hanging, begun = support.id("fastpix"), support.id(), support.id("fastpix"), support.id()
    emulator:faults(hanging, { { hang = 30, times = 9 } })
    emulator:faults(begun, { { delay = 0.3 } })
    for _, id in ipairs({ good, bad, hanging }) do
      run(later(id, "delay = 600"), pending)
    end
    run(later(begun), pending)
    assert.is_true(pending:quit("TERM", 5))
    for id, words in pairs({
      [good] = "ended", [bad] = "not_found:", [begun] = "not_found:", [hanging] = "cancelled:",
    }) do
      assert.is_truthy(pending:log():find(("mediastop: fastpix.finish %s: %s"):format(id, words), 1, true), words)
    end
    pending:stop()
  end)

  it("goes on in other workers where one is killed, whose delayed jobs are lost", function()
    local crashing = nginx.start({ workers = 2 })
    local id = support.id("fastpix")
    local victim = run("ngx.worker.pid()", crashing)
    repeat
      local pid, done = run(("ngx.worker.pid(), tostring(ngx.worker.pid()) == %q and %s"):format(victim,
        later(id, "delay = 600, key = 'crash'")), crashing):match("^(%d+) (.*)$")
    until pid == victim and done == "true"
    local started = process.start_time(victim)
    system.signal(victim, "KILL")
    assert.is_true(system.wait_until(function()
      return process.start_time(victim) ~= started and #crashing:workers() == 2
    end, 10))
    assert.are.equal("false", run(keep("crash"), crashing)) -- there is nobody who would carry it out
    for _ = 1, 8 do
      assert.are.equal("ended", run(("resty.fastpix.finish(%q, { %s }).outcome"):format(support.id("fastpix"),
        nginx.options("fastpix")), crashing))
    end
    assert.are.equal("0", tickets(crashing))
    crashing:stop()
  end)

  it("works with lua_code_cache off, where each request has a Lua state of its own", function()
    local uncached = nginx.start({ http = "lua_code_cache off;" })
    local ids = { support.id("fastpix"), support.id("fastpix"), support.id("fastpix") }
    assert.are.equal("ended", run(("resty.fastpix.finish(%q, { %s }).outcome"):format(ids[1], nginx.options("fastpix")),
      uncached))
    assert.are.equal("true", run(later(ids[2], "delay = 0.5, key = 'one'"), uncached))
    assert.are.equal("true", run(later(ids[3], "delay = 600, key = 'two'"), uncached))
    assert.are.equal("true", run(keep("two"), uncached))
    assert.is_true(ended(ids[2]))
    -- No thread outlives its Lua state.
    local worker = uncached:workers()[1]
    assert.is_true(system.wait_until(function()
      return system.capture("ls /proc/" .. worker .. "/task | wc -l") == "1"
    end, 10))
    assert.are.equal(0, #emulator:requests(ids[3]))
    uncached:stop()
  end)

  it("works in four workers at once", function()
    local seen, distinct = {}, 0
    for _ = 1, 400 do
      local pid, outcome = run(("ngx.worker.pid(), resty.fastpix.finish(%q, { %s }).outcome"):format(
        support.id("fastpix"), nginx.options("fastpix"))):match("^(%d+) (.*)$")
      assert.are.equal("ended", outcome)
      if not seen[pid] then
        seen[pid], distinct = true, distinct + 1
      end
      if distinct == 4 then
        break
      end
    end
    assert.are.equal(4, distinct)
  end)
end)

describe("mediastop.resty at a reload", function()
  it("loses no call that is under way", function()
    local emulator = support.emulator()
    local server = nginx.start({ workers = 2 })
    local connections, ids = {}, {}
    for i = 1, 50 do
      ids[i] = support.id("fastpix")
      emulator:faults(ids[i], { { delay = 0.5 } })
      connections[i] = server:send("/run", head .. ("return resty.fastpix.finish(%q, { %s }).outcome"):format(ids[i],
        nginx.options("fastpix")))
      if i % 15 == 0 then
        server:signal("HUP")
        system.wait_until(function() return false end, 0.1)
      end
    end
    for i = 1, 50 do
      assert.are.equal("ended", (nginx.receive(connections[i])))
    end
    assert.is_true(server:quit("QUIT"))
    assert.is_nil(server:log():match("[^\n]*signal %d+ [^\n]*core[^\n]*"))
    assert.is_nil(server:log():match("[^\n]*exited on signal[^\n]*"))
    server:stop()
  end)
end)
