--- A worker that exits is given no timer that comes later. Where there was no socket for the pump, the jobs that
--- `later` had delayed stood still then, for as long as the worker stayed for other requests.
local nginx = require("spec.support.nginx")
local support = require("spec.support")
local system = require("spec.emulator.system")

it("a worker that stays at a reload carries delayed jobs out, though it has no socket for the pump", function()
  local emulator = support.emulator()
  local server = nginx.start({ server = "location = /stay { content_by_lua_block { ngx.sleep(12) } }" })
  local first, second = support.id("fastpix"), support.id("fastpix")
  emulator:faults(second, { { status = 503, headers = { ["Retry-After"] = "2" } } })
  for _, id in ipairs({ first, second }) do
    server:run(("require('mediastop.resty').later('fastpix.finish', %q, { %s, delay = 600 })"):format(id,
      nginx.options("fastpix")))
  end
  local staying = server:send("/stay")
  server:run([[
    local tcp = ngx.socket.tcp
    function ngx.socket.tcp()
      local function connect() return nil, "worker_connections are not enough" end
      return setmetatable({ connect = connect }, { __index = tcp() })
    end
  ]])
  local worker = server:workers()[1]
  server:signal("HUP")
  assert.is_true(system.wait_until(function()
    return emulator:state("fastpix", first) == "idle" and emulator:state("fastpix", second) == "idle"
  end, 8))
  assert.is_truthy(system.read_file("/proc/" .. worker .. "/stat"))
  staying:close()
  server:stop()
end)
