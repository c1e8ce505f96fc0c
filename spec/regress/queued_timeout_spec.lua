--- A transfer that waited in libcurl's own queue for a connection did not notice that its time was over: it ended with
--- whatever held the connection, or never.
local fault = require("spec.support.fault")
local many = require("spec.support.many")
local support = require("spec.support")

describe("an attempt that libcurl has no connection for ends in its time:", function()
  -- Over TLS nobody knows before the first answer whether the jobs can share the one connection.
  for what, options in pairs({
    ["the attempt's"] = { attempt_timeout = 0.4, attempts = 1 },
    ["the call's"] = { timeout = 0.4 },
  }) do
    it(what, function()
      local client = support.origin_client(support.emulator().tls, { max_connections = 1 })
      local holder = support.id("fastpix")
      support.emulator():faults(holder, { { hang = 30 } })
      local first = assert(client:start("fastpix.finish", holder, { timeout = 20, attempt_timeout = 20 }))
      local jobs = {}
      for i = 1, 5 do
        jobs[i] = assert(client:start("fastpix.finish", support.id("fastpix"), options))
      end
      many.step_until(client, function() return client:step() <= 1 end, 0.4 + fault.ROOM)
      assert.is_false(first:poll())
      for _, job in ipairs(jobs) do
        local _, message, err = job:result()
        assert.are.equal("timeout", err.kind, message)
        assert.are.equal("no", err.reached, message)
        assert.is_true(err.elapsed >= 0.4 and err.elapsed < 0.4 + fault.ROOM, message)
      end
      first:cancel()
      -- The connection is free, or there is another.
      local _, message = assert(client.fastpix.finish(support.id("fastpix"), { timeout = 5 }))
      assert.is_nil(message)
      client:close()
    end)
  end
end)
