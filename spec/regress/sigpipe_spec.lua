--- A connection over TLS that the server had ended while it was idle: as it was closed, libcurl 7.80 to 7.86 let
--- OpenSSL write to it, and SIGPIPE ended the host.
local many = require("spec.support.many")
local raw_server = require("spec.support.raw_server")

describe("a kept connection over TLS that the server has ended", function()
  it("does not end the process", function()
    if not raw_server.has_tls or not many.has_processes then
      return pending("LuaSec is not there for this Lua, or process.so is not built")
    end
    local ends = { { tls = "http/1.1" }, { read = true }, { answer = true }, { pause = 0.1 }, { drop = true } }
    local server = raw_server.listen({ ends, ends, ends }, "http/1.1")
    many.good_child(([[
      process.heed_pipe()
      local client = new_client({ base_url = { memories = %q } })
      for i = 1, 4 do
        assert(client.memories.stop("job" .. i))
        os.execute("sleep 0.3")
      end
      client:close()
    ]]):format(server.origin), 1)
    assert.are.equal(4, server:requests())
    server:close()
  end)
end)
