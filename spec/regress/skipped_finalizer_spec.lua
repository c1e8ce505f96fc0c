--- Where memory is short Lua frees what it could not finalise: it skips finalizers that it has no room to call. A
--- client went on with the jobs that were dropped at that moment, in memory that was somebody else's. (Found by
--- `make asan` with COLLECT.)
local many = require("spec.support.many")

local skip_finalizers = [[
  local shortage = require("shortage")
  -- Collects when there is no memory at all, at every depth at which Lua may have room for a call or not.
  local function skip_finalizers(drop)
    for n = 0, 40 do
      collectgarbage("stop")
      drop()
      shortage.within(n, true, coroutine.wrap(function() collectgarbage() end))
      collectgarbage("restart")
      collectgarbage()
    end
  end
  -- Others take the memory.
  local taken = {}
  local function take_memory()
    for size = 64, 4096, 16 do
      for i = 1, 8 do
        taken[#taken + 1] = ("\255"):rep(size - i)
      end
    end
  end
]]

local function check(source)
  if rawget(_G, "jit") or not many.has_processes then
    return pending("LuaJIT takes no other allocator, or process.so is not built")
  end
  -- It leaves without a look at what is lost: what Lua has not finalised is.
  many.good_child(skip_finalizers .. source .. "process.leave(0)", 2)
end

describe("a finalizer that Lua has no memory to call does not harm", function()
  it("a client whose job was dropped", function()
    check([[
      local client = new_client({ max_connections = 1 })
      skip_finalizers(function()
        client:start("memories.stop", place.ids[1])
      end)
      take_memory()
      while client:step() > 0 do
        require("socket").sleep(0.001)
      end
      assert(client.memories.stop(place.ids[2]))
      client:close()
    ]])
  end)

  it("a client that is dropped with its job", function()
    check([[
      skip_finalizers(function()
        new_client({ max_connections = 1 }):start("memories.stop", place.ids[1])
      end)
      take_memory()
      local client = new_client()
      assert(client.memories.stop(place.ids[2]))
      client:close()
    ]])
  end)

  it("a client that has used a job again", function()
    check([[
      skip_finalizers(function()
        local client = new_client()
        assert(client.memories.stop(place.ids[1], { ignore_ended = true }))
        assert(client.memories.stop(place.ids[1], { ignore_ended = true }))
        for _, result in client:each({ { "memories.stop", place.ids[1], { ignore_ended = true } } }) do
          assert(result)
        end
      end)
      take_memory()
      collectgarbage()
    ]])
  end)
end)
