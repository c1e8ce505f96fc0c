--- A request that libcurl repeats by itself, because the kept connection was dead, counts as an attempt; of a job that
--- was cancelled meanwhile it was not counted. (Found by spec/model_spec.lua.)
local raw_server = require("spec.support.raw_server")
local support = require("spec.support")

-- Connections are kept where libcurl tells of each request.
local it_kept = support.with_libcurl("7.80", it, pending)

describe("a request that was repeated on another connection counts", function()
  local function check(finish, kind)
    local server = raw_server.listen({
      { { read = true }, { answer = true }, { read = true }, { close = true } },
      { { read = true }, { hold = true } },
    })
    local client = support.origin_client(server.origin)
    assert.are.equal("ended", client.memories.stop(support.id()).outcome)
    local job = assert(client:start("memories.stop", support.id(), { timeout = 5 }))
    server:wait(function(connections)
      job:poll()
      return connections[2] and connections[2].requests == 1
    end)
    finish(client, job)
    local _, message, err = job:result()
    assert.are.equal(kind, err.kind, message)
    assert.are.equal(2, err.attempts)
    assert.are.equal("maybe", err.reached)
    client:close()
    server:close()
  end

  it_kept("of a job that is cancelled", function()
    check(function(_, job) job:cancel() end, "cancelled")
  end)

  it_kept("of a job whose client is closed", function()
    check(function(client) client:close() end, "closed")
  end)
end)
