--- mediastop.resty where nginx is short of timers or of threads, and where light threads that wait are killed.
local nginx = require("spec.support.nginx")
local support = require("spec.support")
local system = require("spec.emulator.system")

local emulator = support.emulator()

local head = [[
local resty = require "mediastop.resty"
local function show(result, message, err)
  return result and result.outcome or (err and err.kind), message
end
]]

-- Lua for the arguments of a job of FastPix that goes to the emulator.
local function arguments(id, more)
  return ("%q, { %s%s }"):format(id, nginx.options("fastpix"), more and ", " .. more or "")
end

local function finish(id, more)
  return "resty.fastpix.finish(" .. arguments(id, more) .. ")"
end

local function later(id, more)
  return "resty.later('fastpix.finish', " .. arguments(id, more) .. ")"
end

local function slow(delay)
  local id = support.id("fastpix")
  emulator:faults(id, { { delay = delay } })
  return id
end

local function is_sent(id)
  return #emulator:requests(id) > 0
end

local server

local function start(config)
  server = nginx.start(config or {})
end

local function run(source)
  return server:run(head .. source)
end

after_each(function()
  assert.is_nil(server:log():match("[^\n]*signal 11[^\n]*"))
  assert.is_nil(server:log():match("[^\n]*attempt to [^\n]*"))
  server:stop()
end)

describe("mediastop.resty", function()
  it("wakes everybody else where a light thread that waits is killed", function()
    start({ http = "lua_check_client_abort on;", init = "JOBS = {}" })
    local aborting, calls = {}, {}
    for i = 1, 6 do
      aborting[i] = server:send("/run", head .. "local job = resty.start('fastpix.finish', "
        .. arguments(slow(1.2)) .. ") JOBS[#JOBS + 1] = job while not job:wait(0.05) do end return 'waited'")
      calls[i] = server:send("/run", head .. "return show(" .. finish(slow(1.2), "timeout = 5") .. ")")
    end
    system.wait_until(function() return false end, 0.5)
    for i = 1, 6 do
      aborting[i]:close()
    end
    for i = 1, 6 do
      assert.are.equal("ended", (nginx.receive(calls[i])))
    end
    assert.are.equal("ended", run("return show(" .. finish(support.id("fastpix")) .. ")"))
  end)

  it("waits for a job over and over in the same memory, and wakes all who do", function()
    start()
    local id = slow(1.5)
    assert.are.equal("true true true", run(([[
      local job = resty.start("fastpix.finish", %s)
      local other = ngx.thread.spawn(function() return job:wait() end)
      collectgarbage() collectgarbage()
      local before = collectgarbage("count")
      for _ = 1, 20000 do job:wait(0) end
      collectgarbage() collectgarbage()
      local small = collectgarbage("count") - before < 500
      local done = job:wait(10)
      local _, waited = ngx.thread.wait(other)
      return small, done, waited
    ]]):format(arguments(id))))
  end)

  for _, running in ipairs({ 1, 4 }) do
    it("keeps its timeouts, and recovers, where only so many timers may run: " .. running, function()
      start({ http = ("lua_max_running_timers %d;"):format(running), init = "ENDED = 0" })
      run(([[
        for i = 1, %d do
          assert(ngx.timer.at(0, function()
            resty.fastpix.finish(%s)
            ENDED = ENDED + 1
          end))
        end
      ]]):format(running, arguments(slow(0.2), "timeout = 5")))
      assert.are.equal("ended", run("return show(" .. finish(support.id("fastpix"), "timeout = 5") .. ")"))
      assert.is_true(system.wait_until(function() return run("return ENDED") == tostring(running) end, 8))
      assert.is_true(server:quit("QUIT", 10))
    end)
  end

  it("calls where there is no socket for the pump", function()
    -- Enough for the requests, and none for a bell.
    start({ main = "env TMPDIR=/nonexistent;", init = [[
      require("mediastop.core").engine.bell = function() return nil, "no folder" end
    ]] })
    assert.are.equal("ended", run("return show(" .. finish(support.id("fastpix"), "timeout = 5") .. ")"))
    local id = slow(0.3)
    assert.are.equal("ended", run("return show(" .. finish(id, "timeout = 5") .. ")"))
    assert.matches("^timeout", run("return show(" .. finish(slow(5), "timeout = 0.3") .. ")"))
    assert.is_truthy(server:log():find("calls poll: no folder", 1, true))
  end)

  it("calls where a client has no thread and the pump has been idle", function()
    start()
    assert.are.equal("ended", run("return show(" .. finish(support.id("fastpix")) .. ")"))
    assert.are.equal("ended", run(([[
      local client = resty.new { %s }
      client:fd()
      return show(client.fastpix.finish(%q, { timeout = 5 }))
    ]]):format(nginx.options("fastpix"):gsub("base_url = (%b\"\")", "base_url = { fastpix = %1 }")
      :gsub("credentials = (%b{})", "credentials = { fastpix = %1 }"), slow(0.2))))
  end)

  it("refuses to start a job in init_by_lua", function()
    local id = support.id("fastpix")
    start({ init = head .. "STARTED = { show(resty.start('fastpix.finish', "
      .. arguments(id, "allow_blocking = true") .. ")) }" })
    assert.matches("^blocking fastpix.finish", run("return STARTED[1], STARTED[2]"))
    assert.are.equal(0, #emulator:requests(id))
  end)
end)

describe("mediastop.resty.later", function()
  it("takes a timer or two for many delays", function()
    start()
    assert.are.equal("true", run(([[
      %s
      for i = 1, 200 do
        resty.later("fastpix.finish", "never", { %s, delay = 0.001, key = "key" .. i })
        resty.keep("key" .. i)
        ngx.sleep(0.003)
      end
      return ngx.timer.pending_count() < 10
    ]]):format(later(support.id("fastpix"), "delay = 3600, key = 'long'"), nginx.options("fastpix"))))
    assert.are.equal("true", run("return resty.keep('long')"))
  end)

  it("goes on where nginx dropped a timer", function()
    start({ http = "lua_max_running_timers 2;" })
    local first, second, third = support.id("fastpix"), support.id("fastpix"), support.id("fastpix")
    run("for _ = 1, 2 do ngx.timer.at(0, function() ngx.sleep(1.5) end) end " .. later(first, "delay = 0.5"))
    system.wait_until(function() return false end, 2.5)
    run(later(second, "delay = 0.1"))
    assert.is_true(system.wait_until(function() return is_sent(first) and is_sent(second) end, 10))
    run(later(third, "delay = 0.2"))
    assert.is_true(system.wait_until(function() return is_sent(third) end, 10))
  end)

  -- Where init_by_lua has loaded the module.
  local function start_loaded(http)
    start({ http = http, init = "require 'mediastop.resty'" })
  end

  it("needs no other call where nginx dropped a timer", function()
    start_loaded("lua_max_running_timers 2;")
    local delayed, repeated = support.id("fastpix"), support.id("fastpix")
    emulator:faults(repeated, { { status = 503 } })
    run("for _ = 1, 2 do ngx.timer.at(0, function() ngx.sleep(1.5) end) end ngx.sleep(0.01) "
      .. later(delayed, "delay = 0.5") .. later(repeated))
    assert.is_true(system.wait_until(function()
      return emulator:state("fastpix", delayed) == "idle" and emulator:state("fastpix", repeated) == "idle"
    end, 10))
    assert.is_true(server:quit("QUIT", 10))
  end)

  it("needs but another call where nginx refused a timer", function()
    start_loaded("lua_max_pending_timers 2;")
    local delayed = support.id("fastpix")
    run("for _ = 1, 2 do ngx.timer.at(1, function() end) end " .. later(delayed, "delay = 0.5"))
    system.wait_until(function() return false end, 2)
    assert.are.equal("ended", run("return show(" .. finish(support.id("fastpix")) .. ")"))
    assert.is_true(system.wait_until(function() return is_sent(delayed) end, 10))
    assert.is_true(server:quit("QUIT", 10))
  end)

  it("takes any finite delay", function()
    start()
    for _, delay in ipairs({ "9.3e15", "1.8e16", "1e300" }) do
      assert.are.equal("true", run("return " .. later(support.id("fastpix"), "delay = " .. delay)))
      assert.are.equal("plain", (server:get("/plain")))
    end
    local id = support.id("fastpix")
    run(later(id, "delay = 0.1"))
    assert.is_true(system.wait_until(function() return is_sent(id) end, 10))
  end)

  it("carries a delayed job of exit_worker out", function()
    for _, name in ipairs({ "QUIT", "TERM" }) do
      local id = support.id("fastpix")
      start({ http = "exit_worker_by_lua_block { " .. head .. later(id, "delay = 5") .. " }" })
      assert.is_true(server:quit(name, 10))
      assert.are.equal("idle", emulator:state("fastpix", id), name)
    end
  end)

  it("does not let one client's provider that hangs keep those of others from a fast stop", function()
    start()
    local ids = { support.id("fastpix"), support.id("fastpix"), support.id("fastpix") }
    emulator:faults(ids[1], { { hang = 30, times = 9 } })
    for _, id in ipairs(ids) do
      run(("local client = resty.new { timeout = 30 } return client:later('fastpix.finish', %s)"):format(
        arguments(id, "delay = 600")))
    end
    assert.is_true(server:quit("TERM", 5))
    assert.are.equal("idle idle", emulator:state("fastpix", ids[2]) .. " " .. emulator:state("fastpix", ids[3]))
  end)

  it("tries a job again that had begun after its delay when a fast stop comes", function()
    start()
    local id = support.id("fastpix")
    emulator:faults(id, { { status = 503, headers = { ["Retry-After"] = "0" }, delay = 0.3 } })
    run(later(id, "delay = 0.1"))
    assert.is_true(system.wait_until(function() return is_sent(id) end, 5))
    assert.is_true(server:quit("TERM", 5))
    assert.are.equal("idle", emulator:state("fastpix", id))
  end)

  it("tells the jobs of a key apart, though each request has a Lua state of its own", function()
    start({ http = "lua_code_cache off;" })
    local first, second, third = support.id("fastpix"), support.id("fastpix"), support.id("fastpix")
    run(later(first, "delay = 600, key = 'k'"))
    run(later(second, "delay = 600, key = 'k'"))
    assert.are.equal("true", run("return resty.keep('k')"))
    run(later(third, "delay = 0.5, key = 'k'"))
    assert.is_true(system.wait_until(function() return is_sent(third) end, 10))
    assert.is_true(server:quit("QUIT", 10))
    assert.are.same({ 0, 0 }, { #emulator:requests(first), #emulator:requests(second) })
    assert.is_nil(server:log():find("cannot be called off", 1, true))
  end)
end)
