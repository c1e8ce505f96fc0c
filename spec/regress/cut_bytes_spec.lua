--- Bytes that are no UTF-8 are cut where they are to be: a letter in front of four stray continuation bytes was dropped
--- with them. (Found by spec/fuzz/text.c.)
local rooms = require("rooms")

describe("a cut of bytes that are no UTF-8", function()
  it("loses at most the bytes that could be a character's", function()
    assert.are.equal("ses\180\180\180...", rooms.line(6, "ses\180\180\180\180ecret"))
    assert.are.equal("ab...", rooms.line(3, "ab\240\159\152\128"))
    assert.are.equal("ab...", rooms.line(5, "ab\240\159\152\128"))
    assert.are.equal("ab\240\159\152\128", rooms.line(6, "ab\240\159\152\128"))
  end)
end)
