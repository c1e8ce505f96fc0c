local core = require("mediastop.core")
local process = require("process")
local socket = require("socket")
local support = require("spec.support")
local system = require("spec.emulator.system")
local has_unix, unix = pcall(require, "socket.unix")

local has_watcher, problem = core.engine.watcher()
if not has_watcher then
  describe("a watcher", function()
    pending("is not to be had here: " .. problem)
  end)
  return
end
has_watcher:close()

local function threads()
  return tonumber(system.capture("ls /proc/$PPID/task | wc -l"))
end

-- A watcher, and the host's end of its connection.
local function connected()
  local watcher = core.engine.watcher()
  local host = assert((type(unix) == "table" and unix.stream or unix)())
  assert(host:connect(watcher:path()))
  assert(watcher:accept())
  host:settimeout(5)
  return watcher, host
end

-- Two ends of a connection.
local function pair()
  local listener = assert(socket.bind("127.0.0.1", 0))
  local address, port = listener:getsockname()
  local client = assert(socket.connect(address, port))
  local server = assert(listener:accept())
  listener:close()
  return client, server
end

-- Whether a byte is there within some time, and takes it.
local function rings(host, seconds)
  host:settimeout(seconds)
  return host:receive(1) ~= nil
end

describe("a watcher", function()
  if not has_unix then
    pending("needs LuaSocket's unix sockets")
    return
  end

  it("listens in a folder that nobody else can enter, which goes with it, or once the host has come", function()
    local watcher = core.engine.watcher()
    local path = watcher:path()
    local folder = path:match("^(.*)/[^/]*$")
    assert.are.equal("700 socket", system.capture(("stat -c %%a %s; stat -c %%F %s"):format(folder,
      path)):gsub("\n", " "))
    watcher:close()
    assert.are.equal("", system.capture("ls -d " .. folder .. " 2>/dev/null"))
    local host
    watcher, host = connected()
    assert.are.equal("", watcher:path())
    watcher:close()
    assert.are.equal("closed", select(2, host:receive(1)))
    host:close()
  end)

  it("rings once for a descriptor that is readable, and again when it is watched anew", function()
    local watcher, host = connected()
    local client, server = pair()
    assert.is_true(watcher:watch(server:getfd()))
    assert.is_false(rings(host, 0.1))
    client:send("x")
    assert.is_true(rings(host, 5))
    assert.is_false(rings(host, 0.1)) -- it is still readable
    watcher:watch(server:getfd())
    assert.is_true(rings(host, 5))
    server:receive(1)
    watcher:watch(server:getfd())
    assert.is_false(rings(host, 0.1))
    client:close()
    assert.is_true(rings(host, 5))
    server:close()
    watcher:close()
    host:close()
  end)

  it("rings when a moment has come, and not for one that was replaced", function()
    local watcher, host = connected()
    watcher:set_due(0.05)
    assert.is_true(rings(host, 5))
    assert.is_false(rings(host, 0.1))
    watcher:set_due(0.3)
    watcher:set_due(nil)
    assert.is_false(rings(host, 0.5))
    watcher:set_due(60)
    watcher:hasten(0.05)
    watcher:hasten(60)
    assert.is_true(rings(host, 5))
    watcher:set_due(0)
    assert.is_true(rings(host, 5))
    watcher:close()
    host:close()
  end)

  it("has a thread once the host has come, which ends with it, by close or by the collector", function()
    local before = threads()
    local watcher, host = connected()
    assert.are.equal(before + 1, threads())
    watcher:close()
    assert.are.equal(before, threads())
    watcher:close()
    host:close()
    watcher, host = connected()
    watcher:set_due(60)
    watcher = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.are.equal(before, threads())
    host:close()
  end)

  it("does not mind a host that reads nothing, or that has gone", function()
    local watcher, host = connected()
    for _ = 1, 2000 do
      watcher:set_due(0)
    end
    host:close()
    watcher:set_due(0)
    socket.sleep(0.05)
    watcher:close()
  end)

  it("says what is wrong", function()
    local watcher = core.engine.watcher()
    local accepted, words = watcher:accept() -- nobody has connected
    assert.is_nil(accepted)
    assert.is_string(words)
    assert.is_false(watcher:watch(-1))
    watcher:close()
    for _, name in ipairs({ "path", "accept", "watch", "set_due", "hasten" }) do
      assert.has_error(function() watcher[name](watcher, 1) end, "an open watcher expected")
      assert.has_error(function() watcher[name]({}, 1) end, "an open watcher expected")
    end
    assert.is_false(getmetatable(watcher))
  end)

  it("is the parent's after a fork: the child can close its copy, and the parent's goes on", function()
    local watcher, host = connected()
    local pid = process.fork()
    if pid == 0 then
      watcher:close()
      process.leave(0)
    end
    assert.are.same({ "exit", 0 }, { process.wait(pid) })
    watcher:set_due(0.01)
    assert.is_true(rings(host, 5))
    watcher:close()
    host:close()
  end)
end)

describe("tickets", function()
  local tickets = core.tickets
  local number = 100000

  local function issue(key)
    number = number + 1
    return assert(tickets.issue(key, number))
  end

  it("are taken once, by their owner or by whoever calls them off", function()
    local ticket = issue("one")
    assert.is_true(ticket:take())
    assert.is_false(ticket:take())
    local first, second, other = issue("one"), issue("one"), issue("on")
    assert.are.equal(2, tickets.call_off("one"))
    assert.are.equal(0, tickets.call_off("one"))
    assert.is_false(first:take())
    assert.is_false(second:take())
    assert.is_true(other:take())
  end)

  it("go with the collector", function()
    issue("collected")
    collectgarbage()
    collectgarbage()
    assert.are.equal(0, tickets.call_off("collected"))
  end)

  it("are called off by another process of the same parent, which counts none of the dead", function()
    local script = support.scratch("ticket.lua")
    system.write_file(script, [[
      local tickets, process = require("mediastop.core").tickets, require("process")
      local mine = assert(tickets.issue("shared", 1))
      local dead = process.fork()
      if dead == 0 then
        assert(tickets.issue("dead", 1))
        process.kill(process.pid(), 9)
      end
      process.wait(dead)
      local sibling = process.fork()
      if sibling == 0 then process.leave(tickets.call_off("shared")) end
      assert(select(2, process.wait(sibling)) == 0) -- a child's parent is another: it has other keys
      assert(mine:take())
      tickets.sweep()
      print("good")
    ]])
    local ended = support.run(system.read_file(script))
    assert.are.equal("good\n", ended.stdout .. ended.stderr)
  end)

  it("refuse a key that is too long, and a folder that is not ours alone", function()
    local ticket, words = tickets.issue(("x"):rep(101), 1)
    assert.is_nil(ticket)
    assert.is_string(words)
    assert.are.equal(0, tickets.call_off(("x"):rep(101)))
    issue(("\255"):rep(100)):take()
  end)
end)
