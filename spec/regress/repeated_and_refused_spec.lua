--- A request that libcurl repeated by itself, because the kept connection was dead, and whose repeat was refused for
--- its credential: with the next one the job was not active any more, and nobody remembered who may have ended it.
local raw_server = require("spec.support.raw_server")
local support = require("spec.support")

-- Connections are kept where libcurl tells of each request.
local it_kept = support.with_libcurl("7.80", it, pending)

local function answer(status, body)
  return { send = ("HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s"):format(status, #body, body) }
end

describe("a request that was lost, repeated and refused", function()
  it_kept("may have ended the job", function()
    local server = raw_server.listen({
      { { read = true }, answer("200 OK", '{"state":"finished"}'), { read = true }, { close = true } },
      { { read = true }, answer("401 No", '{"message":"no"}'), { read = true },
        answer("400 No", '{"error":true,"status":400,"message":"The session is not active."}'), { hold = true } },
    })
    local client, asked = support.origin_client(server.origin), 0
    assert.are.equal("ended", client.emogg.stop(support.id()).outcome)
    local result, message = client.emogg.stop(support.id(), { credentials = function()
      asked = asked + 1
      return { token = "token-" .. asked }
    end })
    assert.is_table(result, message)
    assert.are.equal("already_ended", result.outcome)
    assert.are.equal(3, result.attempts)
    assert.are.equal(2, asked)
    client:close()
    server:close()
  end)

  it_kept("of which one attempt was allowed tells of a lost connection", function()
    local server = raw_server.listen({
      { { read = true }, answer("200 OK", '{"state":"finished"}'), { read = true }, { close = true } },
      { { hold = true } },
    })
    local client = support.origin_client(server.origin)
    assert.are.equal("ended", client.emogg.stop(support.id()).outcome)
    local _, message, err = client.emogg.stop(support.id(), { attempts = 1 })
    assert.are.equal("network", err.kind)
    assert.are.equal("maybe", err.reached)
    assert.is_truthy(message:find("the connection was lost", 1, true), message)
    client:close()
    server:close()
  end)
end)
