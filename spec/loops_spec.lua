--- The examples of examples/loops, each with the real loop, in a process of its own.
local leftovers = require("spec.support.leftovers")
local many = require("spec.support.many")
local support = require("spec.support")

local emulator = support.emulator()

-- libuv's, once luv is loaded; those of coxpcall, which copas needs on 5.1.
leftovers.allow("descriptors")
leftovers.allow("globals")

-- What is to be there; how the loop is run, and made to do something else meanwhile: `tick`, while there is `more()`.
local loops = {
  poll = {
    needs = "socket",
    source = [[
      require("examples.loops.poll")(client)
      ticks = 5 -- nothing else has a place in it
    ]],
  },
  cqueues = {
    needs = "cqueues",
    source = [[
      local cqueues = require("cqueues")
      local loop = cqueues.new()
      require("examples.loops.cqueues")(loop, client)
      loop:wrap(function()
        while more() do
          cqueues.sleep(0.01)
          tick()
        end
      end)
      assert(loop:loop())
    ]],
  },
  luv = {
    needs = "luv",
    source = [[
      local uv = require("luv")
      require("examples.loops.luv")(client)
      local ticker = uv.new_timer()
      ticker:start(10, 10, function()
        tick()
        if not more() then
          ticker:close()
        end
      end)
      uv.run()
    ]],
  },
  copas = {
    needs = "copas",
    source = [[
      local copas = require("copas")
      local socket = require("socket")
      local turn = require("examples.loops.copas")(client)
      -- A server, and a client of it, which talk meanwhile.
      local server = assert(socket.bind("127.0.0.1", 0))
      local _, port = server:getsockname()
      copas.addserver(server, function(peer)
        while copas.receive(peer) do
          copas.send(peer, "pong\n")
        end
      end)
      copas.addthread(function()
        local peer = assert(socket.connect("127.0.0.1", port))
        peer:settimeout(0)
        for _ = 1, 20 do
          copas.send(peer, "ping\n")
          assert(copas.receive(peer) == "pong")
          tick()
        end
      end)
      repeat until turn() == 0
    ]],
  },
}

local head = [[
local finished, steps, ticks = 0, 0, 0
local real = new_client({ timeout = 60, attempt_timeout = 30 })
-- The client, with its steps counted.
local client = { fd = function() return real:fd() end, due = function() return real:due() end }
function client.step()
  steps = steps + 1
  return real:step()
end
local function tick()
  ticks = ticks + 1
end
local function more()
  return finished < #place.ids
end
local jobs = {}
for i, id in ipairs(place.ids) do
  jobs[i] = assert(real:start("memories.stop", id, {
    attempt_timeout = i == 5 and 0.4 or nil, -- whose first answer never comes
    attempts = 20,
    on_event = function(event)
      finished = finished + (event.type == "result" and 1 or 0)
    end,
  }))
end
]]

local tail = [[
for i, job in ipairs(jobs) do
  local result, message = job:result()
  assert(result and result.id == place.ids[i], message)
end
assert(real:step() == 0)
real:close()
assert(ticks >= 2, "the loop did nothing else") -- one comes when all is over
assert(steps < 30 * #jobs, steps .. " steps: it turns rather than sleeps")
print("good", steps, ticks)
]]

for _, name in ipairs(support.keys(loops)) do
  describe("examples/loops/" .. name .. ".lua finishes what jobs meet:", function()
    for _, origin in ipairs({ "http", "tls", "h2" }) do
      it(origin, function()
        if not pcall(require, loops[name].needs) then
          return pending(loops[name].needs .. " is not there for this Lua")
        end
        local ids = many.ids("memories", 60)
        emulator:faults(ids[1], { { status = 503 } })
        emulator:faults(ids[2], { { delay = 0.2 } })
        emulator:faults(ids[3], { { drip = 0.005 } })
        emulator:faults(ids[4], { { drop = true } })
        emulator:faults(ids[5], { { hang = 1 } })
        assert.is_truthy(many.good_child(head .. loops[name].source .. tail, ids, emulator[origin]):find("good"))
      end)
    end
  end)
end
