--- A 400 says by its body what is wrong. One whose body was lost counted as "not active", and under `ignore_ended` as
--- an end of the job.
local raw_server = require("spec.support.raw_server")
local support = require("spec.support")

describe("a 400 whose body is cut", function()
  for _, provider in ipairs({ "emogg", "screenplay", "fastpix" }) do
    it("is a lost answer, and no end of the job: " .. provider, function()
      local cut = { { read = true }, { send = 'HTTP/1.1 400 Bad Request\r\nContent-Length: 60\r\n\r\n{"er' },
        { close = true } }
      local server = raw_server.listen({ cut })
      local client = support.client({ base_url = { [provider] = server.origin }, timeout = 5 })
      local result, message, err = support.call(client, provider, support.id(), { ignore_ended = true, attempts = 1 })
      assert.is_nil(result)
      assert.are.equal("network", err.kind, message)
      assert.are.equal("yes", err.reached)
      assert.is_true(err.retryable)
      client:close()
      server:close()
    end)
  end
end)
