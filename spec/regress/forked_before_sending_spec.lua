--- A job that was started, but that no step had sent yet, was sent twice after a fork: by the parent and by the child.
--- The fork was told by the pool of connections, which did not exist yet. (Found by spec/model_spec.lua.)
local many = require("spec.support.many")
local support = require("spec.support")

describe("a job that is started, and not sent, when the process forks", function()
  it("is the parent's alone", function()
    if not many.has_processes then
      return pending("process.so is not built")
    end
    local ids = many.ids("memories", 2)
    many.good_child([[
      local client = new_client()
      local job = assert(client:start("memories.stop", place.ids[1]))
      local pid = process.fork()
      if pid == 0 then
        assert(job:wait(5))
        local _, message, err = job:result()
        assert(err.kind == "cancelled" and err.reached == "no" and err.attempts == 0, message)
        assert(client.memories.stop(place.ids[2]))
        process.leave(7) -- what it leaves to the parent is no leak
      end
      local how, number = process.wait(pid)
      assert(how == "exit" and number == 7, how .. number)
      assert(job:wait(5))
      assert(job:result().attempts == 1)
    ]], ids)
    assert.are.equal(1, #support.emulator():requests(ids[1]))
    assert.are.equal(1, #support.emulator():requests(ids[2]))
  end)
end)
