--- Delays of `later` went by the date: when that was put forward, jobs were carried out at once, and when it was put
--- back, so much later.
local nginx = require("spec.support.nginx")
local support = require("spec.support")
local system = require("spec.emulator.system")

describe("where the date jumps", function()
  local emulator = support.emulator()

  local function later(id, delay)
    return ("require('mediastop.resty').later('fastpix.finish', %q, { %s, delay = %g })"):format(id,
      nginx.options("fastpix"), delay)
  end

  local function is_sent(id)
    return #emulator:requests(id) > 0
  end

  -- nginx, and how its date jumps.
  local function start()
    local server = nginx.start({ init = [[
      local now, jump = ngx.now, 0
      function ngx.now() return now() + jump end
      function JUMP(seconds) jump = seconds end
      require "mediastop.resty"
    ]] })
    return server, function(seconds) server:run(("JUMP(%d)"):format(seconds)) end
  end

  it("forward, no job of later is carried out before its delay", function()
    local server, jump = start()
    local long, short, last = support.id("fastpix"), support.id("fastpix"), support.id("fastpix")
    server:run(later(long, 60) .. later(short, 0.3))
    jump(3600)
    assert.is_true(system.wait_until(function() return is_sent(short) end, 10))
    server:run(later(last, 0.1))
    assert.is_true(system.wait_until(function() return is_sent(last) end, 10))
    assert.is_false(is_sent(long))
    server:stop()
  end)

  it("back, none is late, and a wait is not longer", function()
    local server, jump = start()
    local id, hanging = support.id("fastpix"), support.id("fastpix")
    emulator:faults(hanging, { { hang = 30, times = 9 } })
    server:run(later(id, 1) .. ([[
      JOB = require("mediastop.resty").start("fastpix.finish", %q, { %s, timeout = 60, attempt_timeout = 60 })
      WAITED = ""
      ngx.timer.at(0, function() WAITED = tostring(JOB:wait(0.5)) end)
    ]]):format(hanging, nginx.options("fastpix")))
    jump(-3600)
    assert.is_true(system.wait_until(function() return is_sent(id) end, 10))
    assert.is_true(system.wait_until(function() return server:run("return WAITED") == "false" end, 10))
    server:run("JOB:cancel()")
    server:stop()
  end)
end)
