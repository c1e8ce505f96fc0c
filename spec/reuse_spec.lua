--- A call takes over the job of the one before it: nothing of that one may show.
local support = require("spec.support")

local emulator = support.emulator()

describe("a job that is used again", function()
  local client

  setup(function() client = support.client({ attempts = 1 }) end)
  teardown(function() client:close() end)

  local function stop(options)
    return client.memories.stop(support.id("memories"), options)
  end

  it("leaves earlier results as they were", function()
    local ids, results = {}, {}
    for i = 1, 5 do
      ids[i] = support.id("memories")
      results[i] = assert(client.memories.stop(ids[i]))
    end
    for i = 1, 5 do
      assert.are.equal(ids[i], results[i].id)
      assert.are.equal(ids[i], results[i].body.data.task_id)
    end
  end)

  it("forgets a failure, its words and its attempts", function()
    local _, message, err = client.memories.stop("nobody-has-this")
    assert.are.equal("not_found", err.kind, message)
    local result = assert(stop())
    assert.are.equal("ended", result.outcome)
    assert.are.equal(1, result.attempts)
    _, _, err = client.memories.stop("nobody-has-this")
    assert.are.equal("not_found", err.kind)
    assert.are.equal(1, err.attempts)
  end)

  it("forgets the options", function()
    local id, heard = support.id("emogg"), 0
    assert(client.emogg.stop(id))
    assert(client.emogg.stop(id, { ignore_ended = true }))
    local _, _, err = client.emogg.stop(id)
    assert.are.equal("not_active", err.kind)
    assert(stop({ on_event = function() heard = heard + 1 end }))
    local before = heard
    assert(stop())
    assert.is_true(before > 0)
    assert.are.equal(before, heard)
  end)

  it("sends the credential of its own call", function()
    local good = emulator.credentials.memories
    local asked = 0
    assert(stop())
    local _, _, err = stop({ credentials = { api_key = "another-key-that-is-refused" } })
    assert.are.equal("unauthorized", err.kind)
    assert(stop())
    assert(stop({ credentials = function()
      asked = asked + 1
      return good
    end }))
    assert(stop())
    assert.are.equal(1, asked)
  end)

  it("serves a call within a call", function()
    local inner = {}
    local outer = assert(stop({ on_event = function(event)
      if event.type ~= "retry" then
        local result = assert(stop())
        inner[#inner + 1] = result
      end
    end }))
    assert.are.equal(2, #inner)
    for _, result in ipairs(inner) do
      assert.are_not.equal(outer.id, result.id)
      assert.are.equal(result.id, result.body.data.task_id)
    end
    assert.are.equal(outer.id, outer.body.data.task_id)
  end)

  it("is as good as new after one whose answer was large", function()
    local words = ("x"):rep(200000)
    local id = support.id("memories")
    emulator:faults(id, { { body = ('{"code":200,"message":"%s","data":{"task_id":"%s"}}'):format(words, id) } })
    assert.are.equal(words, assert(client.memories.stop(id)).body.message)
    assert.are.equal("ended", assert(stop()).outcome)
  end)

  it("of each has the options of its own request", function()
    local requests, seen = {}, {}
    for i = 1, 40 do
      local id = support.id("emogg")
      assert(client.emogg.stop(id))
      requests[i] = { "emogg.stop", id, i % 2 == 0 and { ignore_ended = true } or nil }
    end
    for request, result, _, err in client:each(requests, { concurrency = 3 }) do
      seen[request[2]] = true
      assert.are.equal(request[2], (result or err).id)
      assert.are.equal(request[3] and "already_ended" or "not_active", result and result.outcome or err.kind)
    end
    assert.are.equal(40, #support.keys(seen))
  end)
end)

describe("a listener that takes its time", function()
  it("does not lengthen the call", function()
    local client = support.client({ attempts = 1 })
    local id = support.id("memories")
    emulator:faults(id, { { delay = 5 } })
    local socket = require("socket")
    local began = socket.gettime()
    local _, _, err = client.memories.stop(id, { timeout = 1, on_event = function(event)
      if event.type == "attempt" then
        socket.sleep(0.7)
      end
    end })
    assert.are.equal("timeout", err.kind)
    assert.is_true(socket.gettime() - began < 1.6, "it took " .. socket.gettime() - began)
    client:close()
  end)
end)
