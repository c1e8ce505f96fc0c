--- A finalizer that waited for a job, which was garbage itself by then, waited for ever: the client had let go of the
--- job, so that it was never done.
local many = require("spec.support.many")
local support = require("spec.support")

describe("a wait, within a finalizer, for a job that is garbage too", function()
  it("ends at once: the job is closed", function()
    local client = support.client({ timeout = 5 })
    local done, err
    do
      local job = assert(client:start("memories.stop", support.id("memories")))
      -- Younger than the job, and so finalised ahead of it.
      many.on_collection(function()
        done = job:wait(5)
        err = select(3, job:result())
      end)
    end
    collectgarbage()
    collectgarbage()
    assert.is_true(done)
    assert.are.equal("closed", err.kind)
    assert.is_true(err.elapsed < 5)
    client:close()
  end)
end)
