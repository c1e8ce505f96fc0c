--- A proxy that refused to connect, or a handshake within its tunnel that failed, was taken for a request that was sent
--- with libcurl before 7.80: `reached` was "maybe", and a refusal of the next attempt "already_ended".
local raw_server = require("spec.support.raw_server")
local support = require("spec.support")

describe("a request that a proxy keeps from the provider", function()
  local deeds = {
    ["by a refusal"] = { send = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" },
    ["by a tunnel without an end"] = { send = "HTTP/1.1 200 Established\r\n\r\n" },
  }

  for what, deed in pairs(deeds) do
    it("was not sent: " .. what, function()
      local server = raw_server.listen({ { { read = true }, deed, { close = true } } })
      local client = support.client({ proxy = server.origin, attempts = 1, timeout = 10 })
      local _, message, err = client.emogg.stop(support.id(), { base_url = "https://127.0.0.1:9/v1" })
      client:close()
      server:close()
      assert.are.equal("no", err.reached, message)
    end)
  end
end)
