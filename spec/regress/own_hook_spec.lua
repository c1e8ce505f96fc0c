--- A hook of the program's own, by debug.sethook, was taken for Ctrl-C's, and removed, while a coroutine waited.
local many = require("spec.support.many")
local raw_server = require("spec.support.raw_server")

local hooks = {
  ["each call, return and instruction"] = [[debug.sethook(hook, "cr", 1)]],
  ["each line as well"] = [[debug.sethook(hook, "crl", 1)]],
  ["calls, from amid the wait"] = [[
    function listener()
      if main then
        return debug.sethook(main, hook, "c")
      end
      debug.sethook(hook, "c")
    end
  ]],
}

describe("a hook of the program's own does not end the wait of a coroutine, and stays:", function()
  for what, body in pairs(hooks) do
    it(what, function()
      local server = raw_server.listen({ { { read = true }, { hold = true } } })
      local said = many.good_child(([[
        local client = new_client({ base_url = { memories = %q }, credentials = { memories = { api_key = "k" } } })
        local main, calls, listener, still = coroutine.running(), 0
        local function hook()
          calls = calls + 1
        end
        %s
        local good, words = coroutine.resume(coroutine.create(function()
          local job = client:start("memories.stop", "one", { on_event = listener })
          local is_over = job:wait(1)
          still = debug.gethook() == hook
          return is_over
        end))
        still = still or debug.gethook() == hook
        debug.sethook()
        print(good, words, still, calls > 0)
      ]]):format(server.origin, body), 1)
      assert.are.equal("true\tfalse\ttrue\ttrue\n", said)
      server:close()
    end)
  end
end)
