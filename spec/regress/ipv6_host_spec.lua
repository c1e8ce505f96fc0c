--- A base URL whose host only looks like an IPv6 address was taken, and each call failed in libcurl with an error that
--- said to try again. (Found by spec/fuzz/request.c.)
local mediastop = require("mediastop")
local rooms = require("rooms")

describe("an IPv6 host of a base URL", function()
  it("is an address", function()
    for _, host in ipairs({ "::1", "::", "2001:db8::1", "2001:DB8:0:0:0:0:0:1", "::ffff:127.0.0.1" }) do
      assert.is_nil(rooms.address_problem(("https://[%s]:8443/v1"):format(host)), host)
    end
  end)

  it("or is refused", function()
    for _, host in ipairs({ "", ":", ":::2", "1::2::3", "12345::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "127.0.0.1",
      "::1.2.3", "::ffff:256.0.0.1", ("0"):rep(46) .. "::" }) do
      assert.are.equal("has no valid host", rooms.address_problem(("https://[%s]/v1"):format(host)), host)
    end
    assert.has_error(function()
      mediastop.new({ base_url = { emogg = "https://[:::2]/v1" } })
    end, "bad argument #1 to 'new' (option 'base_url.emogg' has no valid host)")
  end)
end)
