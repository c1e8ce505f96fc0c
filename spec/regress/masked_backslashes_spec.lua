--- A secret with two backslashes in a row that an answer echoes as it is, beside something that is escaped: the first
--- was taken for the escape of the second, and the secret stayed in what the caller got. (Found by spec/fuzz/text.c.)
local rooms = require("rooms")
local support = require("spec.support")

describe("a secret with backslashes is masked", function()
  local secret = 'pass\\\\word/"1'

  it("as it is, and as JSON escapes it", function()
    assert.are.equal("so *** it is", (rooms.mask("so " .. secret .. " it is", secret)))
    assert.are.equal('\\n***', (rooms.mask("\\n" .. secret, secret)))
    assert.are.equal('"***"', (rooms.mask('"pass\\\\\\\\word\\/\\"1"', secret)))
    assert.are.equal('"***"', (rooms.mask('"pass\\u005c\\u005Cword\\u002f\\u00221"', secret)))
  end)

  it("in an error's text and table", function()
    local client = support.client({ credentials = { fastpix = { username = "user-0123", password = secret } } })
    local fault = { status = 403, body = "no " .. secret .. ' \\"' }
    local _, message, err = select(2, support.answered(client, "fastpix", fault))
    assert.are.equal('no *** \\"', err.raw)
    assert.is_nil(message:find(secret, 1, true))
    client:close()
  end)
end)
