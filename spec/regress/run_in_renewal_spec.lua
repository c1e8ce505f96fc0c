--- A function that was asked for another credential ran the client, which settled the refusal meanwhile: the new
--- credential was dropped. One that closed the client, asked for the first, did not keep the job from being sent; and
--- one that forked had the child send it as well.
local many = require("spec.support.many")
local support = require("spec.support")

local emulator = support.emulator()
local good = emulator.credentials.memories

-- What such a function may do with the client, and an id of another job.
local deeds = {
  ["calls"] = function(client, id) assert(client.memories.stop(id, { credentials = good })) end,
  ["steps"] = function(client) client:step() end,
  ["waits for another job"] = function(client, id)
    assert(assert(client:start("memories.stop", id, { credentials = good })):wait(5))
  end,
  ["waits for each of some"] = function(client, id)
    for _, result, message in client:each({ { "memories.stop", id, { credentials = good } } }) do
      assert(result, message)
    end
  end,
}

describe("a function that is asked for a credential once more and", function()
  for what, deed in pairs(deeds) do
    it(what .. " gives one that is used", function()
      local client, asked = support.client(), 0
      local id, other = support.id("memories"), support.id("memories")
      local result, message = client.memories.stop(id, { credentials = function()
        asked = asked + 1
        if asked == 2 then
          deed(client, other)
        end
        return asked == 1 and { api_key = "a key of yesterday" } or good
      end })
      assert.is_table(result, message)
      assert.are.equal("ended", result.outcome)
      assert.are.equal(2, asked)
      assert.are.equal(2, #emulator:requests(id))
      client:close()
    end)
  end

  it("raises, raises where the client is run, and the call is then refused", function()
    local client, asked = support.client(), 0
    local job = assert(client:start("memories.stop", support.id("memories"), { credentials = function()
      asked = asked + 1
      return asked == 1 and { api_key = "a key of yesterday" } or error("no such key")
    end }))
    local ok, words = pcall(function() while not job:poll() do job:wait(1) end end)
    assert.is_true(ok or words:find("no such key", 1, true) ~= nil, tostring(words))
    job:wait(1)
    assert.are.equal("unauthorized", select(3, job:result()).kind)
    client:close()
  end)

  for _, deed in ipairs({ "close", "cancel" }) do
    it("ends the job by " .. deed, function()
      local client, asked, job = support.client(), 0, nil
      local id = support.id("memories")
      job = assert(client:start("memories.stop", id, { credentials = function()
        asked = asked + 1
        if asked == 2 then
          (deed == "close" and client or job)[deed](deed == "close" and client or job)
        end
        return asked == 1 and { api_key = "a key of yesterday" } or good
      end }))
      job:wait(5)
      assert.are.equal(deed == "close" and "closed" or "cancelled", select(3, job:result()).kind)
      assert.are.equal(1, #emulator:requests(id))
      client:close()
    end)
  end

  for what, uses in pairs({ ["forks"] = false, ["forks, and uses the client in the child,"] = true }) do
    it(what .. " leaves the job to the parent", function()
      if not many.has_processes then
        return pending("process.so is not built")
      end
      local ids = many.ids("memories", 2)
      many.good_child(([[
        local client, asked, pid = new_client(), 0, nil
        local result, message, err = client.memories.stop(place.ids[1], { credentials = function()
          asked = asked + 1
          if asked == 2 then
            pid = process.fork()
            if pid == 0 and %s then
              assert(client.memories.stop(place.ids[2]))
            end
          end
          return asked == 1 and { api_key = "a key of yesterday" } or place.credentials.memories
        end })
        if pid == 0 then
          process.leave(err and err.kind == "cancelled" and 7 or 8)
        end
        local how, number = process.wait(pid)
        assert(how == "exit" and number == 7, how .. number)
        assert(result, message)
      ]]):format(tostring(uses)), ids)
      assert.are.equal(2, #emulator:requests(ids[1]))
      assert.are.equal(uses and 1 or 0, #emulator:requests(ids[2]))
    end)
  end
end)

describe("a function that is asked for the first credential and closes the client", function()
  it("keeps the job from being sent", function()
    local client
    client = support.client({ credentials = { memories = function()
      client:close()
      return good
    end } })
    local id = support.id("memories")
    for _, call in ipairs({ client.memories.stop, function(...) return client:start("memories.stop", ...) end }) do
      local result, _, err = call(id)
      assert.is_nil(result)
      assert.are.equal("closed", err.kind)
      assert.are.equal("no", err.reached)
    end
    assert.are.equal(0, #emulator:requests(id))
  end)
end)
