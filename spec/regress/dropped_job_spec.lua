--- A job that nobody holds any more is gone from Lua's weak tables a while before its finalizer runs: in LuaJIT and 5.1
--- a whole sweep. A loop must not be told meanwhile that a job is unfinished, with nothing to wait for.
local many = require("spec.support.many")
local support = require("spec.support")

local emulator = support.emulator()

-- Collects up to where the weak table has lost its value, and no further.
local function collect_until_lost(weak)
  local steps = 0
  repeat
    collectgarbage("step", 0)
    steps = steps + 1
    assert(steps < 1000000, "the job is never collected")
  until weak[1] == nil
  collectgarbage("stop")
end

describe("a dropped job, before its finalizer has run, does not leave a loop asleep:", function()
  if os.getenv("COLLECT") then
    return pending("the collector is to be stopped in the middle")
  end
  after_each(function()
    collectgarbage("restart")
  end)

  local function check(client, weak, before)
    collect_until_lost(weak)
    if before then
      before()
    end
    many.finish(client, 5)
    assert.are.equal(0, client:step())
    client:close()
  end

  it("at the gate", function()
    local client = support.client({ max_connections = 1, timeout = 20 })
    local first = support.id()
    emulator:faults(first, { { hang = 20 } })
    local job = assert(client:start("memories.stop", first))
    many.step_until(client, function() return #emulator:requests(first) > 0 end)
    local weak = setmetatable({ (assert(client:start("memories.stop", support.id("memories")))) }, { __mode = "v" })
    check(client, weak, function() job:cancel() end)
  end)

  it("at the gate until its time is over", function()
    local client = support.client({ max_connections = 1, timeout = 20 })
    local first = support.id()
    emulator:faults(first, { { hang = 2 } })
    local job = assert(client:start("memories.stop", first, { timeout = 1.5, attempts = 1 }))
    many.step_until(client, function() return #emulator:requests(first) > 0 end)
    local weak = setmetatable({ (assert(client:start("memories.stop", support.id("memories"), { timeout = 0.8 }))) },
      { __mode = "v" })
    check(client, weak)
    assert.is_true(job:poll())
  end)

  it("at the gate, when the client closes", function()
    local client = support.client({ max_connections = 1, timeout = 20 })
    local first = support.id()
    emulator:faults(first, { { hang = 20 } })
    local job = assert(client:start("memories.stop", first))
    local weak = setmetatable({ (assert(client:start("memories.stop", support.id("memories")))) }, { __mode = "v" })
    collect_until_lost(weak)
    client:close()
    assert.are.equal("closed", select(3, job:result()).kind)
    assert.are.equal(0, client:step())
  end)

  it("under way", function()
    local client, id = support.client(), support.id()
    emulator:faults(id, { { delay = 1 } })
    local weak = setmetatable({ (assert(client:start("memories.stop", id))) }, { __mode = "v" })
    many.step_until(client, function() return #emulator:requests(id) > 0 end)
    check(client, weak)
  end)

  it("between two attempts", function()
    local client, id = support.client(), support.id()
    emulator:faults(id, { { status = 503, headers = { ["Retry-After"] = "1" } } })
    local waits = false
    local weak = setmetatable({ (assert(client:start("memories.stop", id, {
      on_event = function(event) waits = waits or event.type == "retry" end,
    }))) }, { __mode = "v" })
    many.step_until(client, function() return waits end)
    check(client, weak)
  end)
end)
