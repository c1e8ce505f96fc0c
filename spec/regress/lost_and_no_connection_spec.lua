--- A request that was lost on a kept connection, and that libcurl got no connection to repeat on, as the provider was
--- starting anew: it was taken for one that was never sent, and nobody remembered that it may have ended the job.
local raw_server = require("spec.support.raw_server")
local support = require("spec.support")

-- Connections are kept where libcurl tells of each request.
local it_kept = support.with_libcurl("7.80", it, pending)

local function answer(status, body)
  return { send = ("HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s"):format(status, #body, body) }
end

local OVER = answer("400 No", '{"error":true,"status":400,"message":"The session is not active."}')

describe("a request that was lost, and no connection to repeat it on,", function()
  it_kept("may have ended the job: the address refuses", function()
    local server = raw_server.listen({
      { { read = true }, answer("200 OK", '{"state":"finished"}'), { read = true }, { hold = true } },
    })
    local client, origin = support.origin_client(server.origin), server.origin
    assert.are.equal("ended", client.emogg.stop(support.id()).outcome)
    local kinds, again = {}, nil
    local job = assert(client:start("emogg.stop", support.id(), { on_event = function(event)
      if event.type == "retry" then
        kinds[#kinds + 1] = event.kind
        again = again or raw_server.listen({ { { read = true }, OVER, { hold = true } } }, nil,
          tonumber(origin:match("%d+$")))
      end
    end }))
    repeat
      job:poll()
    until server:requests() == 2
    server:close()
    assert.is_true(job:wait())
    local result, message = job:result()
    assert.is_table(result, message)
    assert.are.equal("already_ended", result.outcome)
    assert.are.equal("network", kinds[1])
    client:close()
    again:close()
  end)

  it_kept("is tried again: the handshake is cut", function()
    if not raw_server.has_tls then
      return pending("LuaSec is not here")
    end
    local server = raw_server.listen({
      { { tls = "http/1.1" }, { read = true }, answer("200 OK", '{"state":"finished"}'), { read = true },
        { close = true } },
      { { read = 64 }, { close = true } },
      { { tls = "http/1.1" }, { read = true }, OVER, { hold = true } },
    }, "http/1.1")
    local client = support.origin_client(server.origin)
    assert.are.equal("ended", client.emogg.stop(support.id()).outcome)
    local result, message = client.emogg.stop(support.id())
    assert.is_table(result, message)
    assert.are.equal("already_ended", result.outcome)
    client:close()
    server:close()
  end)
end)
