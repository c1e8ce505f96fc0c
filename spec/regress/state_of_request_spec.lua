--- With `lua_code_cache off` init_by_lua runs in the Lua state of each request too. Where it loaded the module, as for
--- `preload`, a job of `later` left a timer that kept the state for ever, and after some hundreds nginx had no timers.
local nginx = require("spec.support.nginx")
local support = require("spec.support")
local system = require("spec.emulator.system")

it("with lua_code_cache off no timer is left of a job of later, though init_by_lua loads the module", function()
  local emulator = support.emulator()
  local server = nginx.start({
    http = "lua_code_cache off;",
    init = "require('mediastop.resty').credentials.preload()",
  })
  for _ = 1, 5 do
    local id = support.id("fastpix")
    local source = "return require('mediastop.resty').later('fastpix.finish', %q, { %s })"
    assert.are.equal("true", server:run(source:format(id, nginx.options("fastpix"))))
    assert.is_true(system.wait_until(function() return emulator:state("fastpix", id) == "idle" end, 10))
  end
  assert.is_true(system.wait_until(function()
    return server:run("return ngx.timer.pending_count() + ngx.timer.running_count()") == "0"
  end, 10))
  server:stop()
end)
