--- A request that HTTP/2 refused goes on, on another connection; what then came on the first one, for others, was still
--- noted for it: after its end too, when its memory served the next request, or nobody.
local http2 = require("spec.support.http2")
local many = require("spec.support.many")
local raw_server = require("spec.support.raw_server")
local support = require("spec.support")

local READ = { read = "stream" }

-- Of two requests on the connection the second is refused; the first one is answered at the spec's word.
local function script(id)
  local body = ('{"code":200,"data":{"task_id":"%s"}}'):format(id)
  return {
    { tls = "h2" }, READ, READ, { send = http2.reset(3, http2.codes.REFUSED_STREAM) },
    { go = 1 }, { send = http2.head(1) .. http2.data(1, body, true) }, { hold = true },
  }
end

describe("what comes on a connection that a request has left", function()
  it("is no answer to the next request", function()
    if not raw_server.has_tls or support.older_libcurl("7.80") then
      return pending("LuaSec is not here, or libcurl is older than 7.80")
    end
    local first = support.id()
    local shared = raw_server.listen({ script(first) }, "h2")
    local mute = raw_server.listen({ { { read = true }, { hold = true } } })
    local client = support.client({ base_url = { memories = shared.origin, fastpix = mute.origin }, timeout = 10 })
    local stays = assert(client:start("memories.stop", first))
    many.step_until(client, function() return shared:requests() == 1 end)
    local moves = assert(client:start("memories.stop", support.id()))
    many.step_until(client, function() return moves:poll() end)
    assert.are.equal(2, assert(moves:result()).attempts)
    assert.are.equal(2, #shared:connections())
    local unanswered = assert(client:start("fastpix.finish", support.id(), { attempts = 1, timeout = 1 }))
    many.step_until(client, function() return mute:requests() == 1 end)
    shared:go()
    many.step_until(client, function() return stays:poll() end)
    assert(stays:result())
    many.step_until(client, function() return unanswered:poll() end)
    local _, message, err = unanswered:result()
    assert.are.equal("timeout", err.kind, message)
    assert.are.equal("maybe", err.reached, message)
    client:close()
    shared:close()
    mute:close()
  end)
end)
