--- A function in an option that called ngx.exit ended the pump of nginx's worker without a word to it: every call after
--- that waited for ever, whatever its timeout.
local nginx = require("spec.support.nginx")
local support = require("spec.support")
local system = require("spec.emulator.system")

describe("ngx.exit", function()
  local emulator = support.emulator()
  local server

  before_each(function()
    server = nginx.start({ init = "ASKED = 0" })
  end)

  after_each(function()
    server:stop()
  end)

  local function run(source)
    return server:run("local resty = require 'mediastop.resty' " .. source)
  end

  local function call(id)
    return run(([[
      local result, _, err = resty.fastpix.finish(%q, { %s, timeout = 5 })
      return result and result.outcome or err.kind
    ]]):format(id, nginx.options("fastpix")))
  end

  local function assert_goes_on()
    for _ = 1, 2 do
      local id = support.id("fastpix")
      emulator:faults(id, { { delay = 0.1 } })
      assert.are.equal("ended", call(id))
    end
    assert.is_true(system.wait_until(function()
      return server:log():find("has called ngx.exit", 1, true) ~= nil
    end, 10))
    assert.is_true(server:quit("QUIT", 10))
  end

  it("in on_event holds no other call up", function()
    local id = support.id("fastpix")
    emulator:faults(id, { { delay = 0.1 } })
    run(([[resty.later("fastpix.finish", %q, { %s, on_event = function(event)
      if event.type == "result" then ngx.exit(ngx.OK) end
    end })]]):format(id, nginx.options("fastpix")))
    assert.is_true(system.wait_until(function() return emulator:state("fastpix", id) == "idle" end, 10))
    assert_goes_on()
  end)

  it("in a credentials function holds no other call up", function()
    local id = support.id("fastpix")
    emulator:faults(id, { { status = 401, times = 9 } })
    assert.are.equal("unauthorized", run(([[
      local _, _, err = resty.fastpix.finish(%q, { %s, timeout = 5, credentials = function()
        ASKED = ASKED + 1
        if ASKED > 1 then ngx.exit(503) end
        return { username = "user", password = "password" }
      end })
      return err.kind
    ]]):format(id, nginx.options("fastpix"):gsub(", credentials = .*$", ""))))
    assert_goes_on()
  end)
end)
