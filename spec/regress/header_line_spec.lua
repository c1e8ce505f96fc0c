--- A header line of one or two bytes was read on behind its end, in search of a line end: libcurl promises no NUL
--- there. (Found by spec/fuzz/header.c. What is read behind the end only `make asan` sees.)
local rooms = require("rooms")

describe("a header line", function()
  it("is not read behind its end, and ends the headers only where it is whole", function()
    for _, line in ipairs({ "", "x", "xy", "\r", "\n", "\r\n", "\nx", "x\n", "retry-after:", "HTTP/" }) do
      assert.are.equal(line == "\n" or line == "\r\n", rooms.ends_headers(line), ("%q"):format(line))
    end
  end)
end)
