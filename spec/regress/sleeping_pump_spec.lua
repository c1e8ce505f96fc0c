--- Where a job ended without the pump of nginx's worker, by client:close(), job:cancel() or at once, the pump slept on,
--- with its thread, and a worker that was told to quit did not.
local nginx = require("spec.support.nginx")
local support = require("spec.support")
local system = require("spec.emulator.system")

describe("a worker of nginx", function()
  local emulator = support.emulator()

  local function hanging(more)
    local id = support.id("fastpix")
    emulator:faults(id, { { hang = 30, times = 9 } })
    return ("'fastpix.finish', %q, { %s, timeout = 60, attempt_timeout = 60%s }"):format(id,
      nginx.options("fastpix"), more or "")
  end

  for name, source in pairs({
    ["a client was closed"] = function()
      return ("local client = resty.new() client:start(%s) ngx.sleep(0.2) client:close()"):format(hanging())
    end,
    ["a client was closed at once"] = function()
      return ("local client = resty.new() client:start(%s) client:close()"):format(hanging())
    end,
    ["a job was cancelled"] = function()
      return ("local job = resty.start(%s) ngx.sleep(0.2) job:cancel()"):format(hanging())
    end,
    ["a job had no time"] = function()
      return ("local job = resty.start(%s) job:cancel() ngx.sleep(0.2) resty.start(%s)"):format(hanging(),
        hanging(", timeout = 1e-9"))
    end,
    ["a job was dropped"] = function()
      return ("resty.start(%s) ngx.sleep(0.2) collectgarbage() collectgarbage()"):format(hanging())
    end,
  }) do
    it("has no thread left, and quits, after " .. name, function()
      local server = nginx.start({})
      server:run("local resty = require 'mediastop.resty' " .. source())
      local worker = server:workers()[1]
      assert.is_true(system.wait_until(function()
        return system.capture("ls /proc/" .. worker .. "/task | wc -l") == "1"
      end, 10))
      assert.is_true(server:quit("QUIT", 10))
      server:stop()
    end)

    it("quits at once after " .. name, function()
      local server = nginx.start({})
      server:run("local resty = require 'mediastop.resty' " .. source())
      assert.is_true(server:quit("QUIT", 10))
      server:stop()
    end)
  end

  it("quits where a client is closed as it does", function()
    local server = nginx.start({ init = "BEGAN = false" })
    local connection = server:send("/run", ("local client = require('mediastop.resty').new() "
      .. "client:start(%s) BEGAN = true ngx.sleep(1) client:close() return 'closed'"):format(hanging()))
    assert.is_true(system.wait_until(function() return server:run("return BEGAN") == "true" end, 10))
    server:signal("QUIT")
    assert.are.equal("closed", (nginx.receive(connection)))
    assert.is_true(server:quit("QUIT", 10))
    server:stop()
  end)
end)
