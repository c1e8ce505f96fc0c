--- ngx_lua leaves the freed request of init_worker_by_lua and exit_worker_by_lua in the Lua state. At a fast stop
--- delayed jobs are carried out as that state ends: a listener that called ngx.log crashed the worker, and nothing was
--- sent.
local nginx = require("spec.support.nginx")
local support = require("spec.support")

describe("a delayed job whose listener logs", function()
  local emulator = support.emulator()

  local function later(id, delay)
    return ([[require("mediastop.resty").later("fastpix.finish", %q, { %s, delay = %d, on_event = function(event)
      ngx.log(ngx.WARN, "event ", event.type, " of ", event.id)
    end }) ]]):format(id, nginx.options("fastpix"), delay)
  end

  local function assert_carried_out(server, signal, id)
    assert.is_true(server:quit(signal, 10))
    assert.are.equal("idle", emulator:state("fastpix", id))
    assert.is_truthy(server:log():find("event result of " .. id, 1, true))
    assert.is_nil(server:log():match("[^\n]*exited on signal[^\n]*"))
    server:stop()
  end

  for _, signal in ipairs({ "TERM", "QUIT" }) do
    for _, phase in ipairs({ "init_worker", "exit_worker" }) do
      it("is carried out at " .. signal .. " where there is a " .. phase .. "_by_lua", function()
        local id = support.id("fastpix")
        local server = nginx.start({ http = phase .. "_by_lua_block { local x = 1 }",
          environment = "MALLOC_PERTURB_=165" })
        server:run(later(id, 600))
        assert_carried_out(server, signal, id)
      end)
    end

    for _, delay in ipairs({ 0, 5 }) do
      it(("is carried out at %s where exit_worker delays it by %d"):format(signal, delay), function()
        local id = support.id("fastpix")
        local server = nginx.start({ http = "exit_worker_by_lua_block { " .. later(id, delay) .. " }",
          environment = "MALLOC_PERTURB_=165" })
        server:run("return 1") -- the worker is there
        assert_carried_out(server, signal, id)
      end)
    end
  end
end)
