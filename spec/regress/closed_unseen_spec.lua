--- libcurl 7.88 closes a connection that has not come about without a word to us: the child of a fork closed whatever
--- had the descriptor's number by then.
local many = require("spec.support.many")
local raw_server = require("spec.support.raw_server")

describe("the child of a fork", function()
  it("closes no file that has the number of a connection that never came about", function()
    if not many.has_processes then
      return pending("process.so is not built")
    end
    local hole = raw_server.black_hole()
    many.good_child(([[
      local client = new_client()
      local _, _, err = client.memories.stop("x", { base_url = %q, attempts = 1, timeout = 0.2 })
      assert(err.kind == "timeout", err.message)
      local files = {}
      for i = 1, 8 do
        files[i] = assert(io.open("/proc/self/stat"))
        files[i]:setvbuf("no")
      end
      local pid = process.fork()
      if pid == 0 then
        assert(client.memories.stop(place.ids[1]))
        for i = 1, 8 do
          assert(files[i]:read(1), "a file is closed")
        end
        process.leave(7)
      end
      local how, number = process.wait(pid)
      assert(how == "exit" and number == 7, how .. number)
    ]]):format(hole.origin .. "/serve/api/v2"), 1)
    hole:close()
  end)
end)
