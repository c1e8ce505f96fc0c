--- A finalizer that closed the client as a job was about to start did not keep the job from being sent: `start` gave
--- it, though the client was closed by then, and the next step made connections for it.
local many = require("spec.support.many")
local support = require("spec.support")

-- The collector begins to work, and so runs the finalizer, with what Lua makes next after the function has returned.
local source = [[
collectgarbage("setpause", 0)
collectgarbage("setstepmul", 1000000)
local client = new_client()
collectgarbage()
collectgarbage()
collectgarbage("stop")
local control, key, closed = collectgarbage, place.credentials.memories, false
local function close()
  closed = true
  client:close()
end
local function listen() end
local job, _, err = client:start("memories.stop", place.ids[1], { on_event = LISTENER, credentials = function()
  on_collection(close)
  control("restart")
  return key
end })
if job and not closed then
  collectgarbage()
end
assert(closed, "the finalizer did not run")
if job then
  job:wait(5)
  err = select(3, job:result())
end
print(err and err.kind, client:step())
]]

describe("a finalizer that closes the client as a job starts", function()
  for what, listener in pairs({ ["with a listener"] = "listen", ["without one"] = "nil" }) do
    it("keeps the job from being sent, " .. what, function()
      local ids = many.ids("memories", 1)
      assert.are.equal("closed\t0\n", many.good_child((source:gsub("LISTENER", listener)), ids))
      assert.are.equal(0, #support.emulator():requests(ids[1]))
    end)
  end
end)
