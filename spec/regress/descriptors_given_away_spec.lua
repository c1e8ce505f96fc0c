--- The child of a fork that had closed all descriptors, as a daemon does, lost files that it had opened since: its
--- first call closed what had the numbers of the parent's epoll, of the two ends by which a thread is woken, and of
--- the bell.
local many = require("spec.support.many")

local before = {
  ["a call"] = "assert(client.memories.stop(place.ids[1]))",
  ["steps"] = "step()",
  ["a bell that rings"] = [[
    local bell = assert(engine.bell())
    local unix = require("socket.unix")
    host = assert((type(unix) == "table" and unix.stream or unix)()) -- a global: kept
    assert(host:connect(bell:path()) and bell:accept() and bell:add(client))
    step()
    on_close = function() bell:close() end
  ]],
}

local opened = {
  files = [[
    local file = assert(io.open("/proc/self/stat"))
    file:setvbuf("no")
    return function() return file:read(1) end
  ]],
  sockets = [[
    local udp = assert((socket.udp4 or socket.udp)())
    return function() return udp:setsockname("127.0.0.1", 0) end
  ]],
}

describe("the child of a fork that has closed all descriptors, after", function()
  if not many.has_processes or not pcall(require, "socket.unix") then
    return pending("process.so is not built, or LuaSocket has no unix sockets")
  end

  for what, source in pairs(before) do
    for kind, open in pairs(opened) do
      it(what .. ", keeps its own " .. kind .. " through its calls", function()
        local printed = many.good_child(([[
          local socket = require("socket")
          local engine = require("mediastop.core").engine
          local client = new_client()
          local function step()
            assert(client:start("memories.stop", place.ids[1]))
            while client:step() > 0 do
              socket.sleep(0.001)
            end
          end
          local function open()
            %s
          end
          %s
          local pid = process.fork()
          if pid == 0 then
            process.alarm(20)
            process.close(3, 255)
            local works = {}
            for i = 1, 16 do
              works[i] = open()
            end
            assert(client.memories.stop(place.ids[1]))
            step()
            if on_close then
              on_close()
            end
            client:close()
            for i = 1, 16 do
              assert(works[i](), "descriptor " .. i .. " is closed")
            end
            process.leave(7)
          end
          local how, number = process.wait(pid)
          assert(how == "exit" and number == 7, how .. number)
          assert(client.memories.stop(place.ids[1]))
          print("good")
        ]]):format(open, source))
        assert.are.equal("good\n", printed)
      end)
    end
  end
end)
