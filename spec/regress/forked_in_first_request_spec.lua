--- A fork while another thread's Lua state made the process's first request, which starts libcurl: the child found the
--- lock of that held for ever.
local many = require("spec.support.many")

describe("a fork while another thread starts libcurl", function()
  it("leaves the child its calls", function()
    if not many.has_processes then
      return pending("process.so is not built")
    elseif os.getenv("MEDIASTOP_LUA") then
      return pending("a sanitizer's own locks may be held at a fork")
    end
    many.good_child(("local source = %q"):format([[
      local number = ...
      local mediastop, process, socket = require("mediastop"), require("process"), require("socket")
      local place = require("cjson").decode(os.getenv("PLACE"))
      local client = mediastop.new({ base_url = place.base_url, credentials = place.credentials, proxy = "" })
      if number == 2 then
        return assert(client.memories.stop(place.ids[1]))
      end
      socket.sleep(SECONDS)
      local pid = process.fork()
      if pid == 0 then
        process.alarm(10)
        assert(client.memories.stop(place.ids[2]))
        process.leave(7)
      end
      local how, code = process.wait(pid)
      assert(how == "exit" and code == 7, how .. " " .. code)
    ]]) .. [[
      for step = 0, 20 do
        local pid = process.fork()
        if pid == 0 then
          local good, words = pcall(states.threads, 2, (source:gsub("SECONDS", step / 5000)))
          print(good or words)
          process.leave(good and 7 or 1)
        end
        local how, code = process.wait(pid)
        assert(how == "exit" and code == 7, ("a fork after %.1f ms"):format(step / 5))
      end
    ]], 2)
  end)
end)
