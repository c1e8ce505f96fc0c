--- Ctrl-C that came between two waits of a coroutine was taken for a hook that had been there before, and no later call
--- heard of it.
local many = require("spec.support.many")
local raw_server = require("spec.support.raw_server")

local bodies = {
  ["a call"] = [[
    assert(client.memories.stop("one"))
    signal()
    client.memories.stop("two")
  ]],
  ["a loop over many"] = [[
    for request in client:each({ { "memories.stop", "one" }, { "memories.stop", "two" } }, { concurrency = 1 }) do
      if request[2] == "one" then
        signal()
      end
    end
  ]],
}

describe("Ctrl-C between two waits of a coroutine ends the second:", function()
  for what, body in pairs(bodies) do
    it(what, function()
      if not many.has_processes then
        return pending("process.so is not built")
      end
      local server = raw_server.listen({ { { read = true }, { answer = true }, { close = true } },
        { { read = true }, { hold = true } } })
      local said = many.good_child(([[
        local socket = require("socket")
        local client = new_client({ base_url = { memories = %q }, credentials = { memories = { api_key = "k" } },
          timeout = 20, attempt_timeout = 20, attempts = 1 })
        local sent
        local function signal()
          sent = socket.gettime()
          process.kill(process.pid(), 2)
        end
        local good, words = coroutine.resume(coroutine.create(function()
          %s
        end))
        print(good, words, socket.gettime() - sent < 10)
      ]]):format(server.origin, body), 1)
      assert.matches("^false\t.*interrupted!\ttrue\n$", said)
      server:close()
    end)
  end
end)
