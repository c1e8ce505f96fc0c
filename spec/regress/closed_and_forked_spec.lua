--- libcurl 7.88 closes a connection that has not come about without a word to us. Where the child of a fork had a copy
--- of it, epoll told of its end later, again and again: whatever the parent had under the number by then was replaced
--- by a dead socket, or the descriptor for event loops was readable for ever.
local leftovers = require("spec.support.leftovers")
local many = require("spec.support.many")
local support = require("spec.support")

leftovers.allow("descriptors") -- libuv's, once luv is loaded

-- A stop that comes to no connection, a child that has a copy of it and lives on, and then the end of the server.
local head = [[
  local socket = require("socket")
  local hole = assert(socket.tcp())
  assert(hole:bind("127.0.0.1", 0))
  assert(hole:listen(0))
  local _, port = hole:getsockname()
  local function knock()
    local knocker = assert(socket.tcp())
    knocker:settimeout(0)
    knocker:connect("127.0.0.1", port)
    return knocker
  end
  local fill = { knock(), knock(), knock() }
  local client = new_client({ base_url = { memories = "http://127.0.0.1:" .. port } })
  local function time_out()
    local job = assert(client:start("memories.stop", "x", { attempts = 1, timeout = 0.5 }))
    assert(not job:wait(0.1))
    local pid = process.fork()
    if pid == 0 then
      process.alarm(30)
      hole:close()
      while true do
        socket.sleep(1)
      end
    end
    local later = knock()
    job:wait()
    local _, _, err = job:result()
    assert(err.kind == "timeout", err.message)
    return function()
      hole:close()
      assert(#select(2, socket.select(nil, { later }, 10)) == 1, "the server does not end")
      return pid
    end
  end
]]

local function run(body, ids)
  if not many.has_processes then
    return pending("process.so is not built")
  end
  many.good_child(head .. body, ids or 1)
end

describe("a connection that never came about, and a fork meanwhile", function()
  it("leaves the program's own files alone", function()
    run([[
      local end_it = time_out()
      local files = {}
      for i = 1, 8 do
        files[i] = assert(io.open("/dev/null", "w"))
        files[i]:setvbuf("no")
      end
      local pid = end_it()
      local job = assert(client:start("memories.stop", "y", { attempts = 1, timeout = 0.5 }))
      job:wait()
      for i = 1, 8 do
        assert(files[i]:write("byte"))
      end
      process.kill(pid, 9)
    ]])
  end)

  it("leaves the descriptor for event loops silent, and of use", function()
    if not pcall(require, "luv") then
      return pending("luv is not there for this Lua")
    end
    local ids = many.ids("memories", 1)
    support.emulator():faults(ids[1], { { delay = 0.1 } }) -- so that the loop has to be woken
    run([[
      local uv = require("luv")
      local fd = assert(client:fd())
      local watcher, timer, woken = uv.new_poll(fd), uv.new_timer(), 0
      watcher:start("r", function()
        woken = woken + 1
      end)
      uv.run("nowait")
      local pid = time_out()()
      client:step()
      woken = 0
      uv.run("nowait")
      client:step()
      uv.run("nowait")
      assert(woken <= 1, "it is readable for ever")
      local job = assert(client:start("memories.stop", place.ids[1], { base_url = place.base_url.memories }))
      woken = 0
      while client:step() > 0 do
        timer:start(math.ceil(client:due() * 1000), 0, function() end)
        uv.run("once")
      end
      assert(job:result())
      assert(woken > 0, "it has become deaf")
      assert(client:fd() == fd)
      process.kill(pid, 9)
    ]], ids)
  end)
end)
