--- The unix socket by which clients tell a host whose loop can wait for sockets only.
local core = require("mediastop.core")
local many = require("spec.support.many")
local process = require("process")
local socket = require("socket")
local support = require("spec.support")
local system = require("spec.emulator.system")
local has_unix, unix = pcall(require, "socket.unix")

local engine = core.engine

if not has_unix then
  describe("a bell", function()
    pending("needs LuaSocket's unix sockets")
  end)
  return
end

-- A bell, and the host's end of its connection.
local function connected()
  local bell = assert(engine.bell())
  local host = assert((type(unix) == "table" and unix.stream or unix)())
  assert(host:connect(bell:path()))
  assert(bell:accept())
  return bell, host
end

-- Whether a byte is there within some time, and takes it.
local function rings(host, seconds)
  host:settimeout(seconds)
  return host:receive(1) ~= nil
end

describe("a bell", function()
  local client

  before_each(function()
    client = support.client({ timeout = 10 })
  end)

  after_each(function()
    client:close()
  end)

  -- A job that the emulator answers as these fault steps say, sent.
  local function send(steps)
    local job = many.start(client, steps)
    engine.send(client)
    return job
  end

  it("listens in a folder that nobody else can enter, which goes with it, or once the host has come", function()
    local bell = engine.bell()
    local path = bell:path()
    local folder = path:match("^(.*)/[^/]*$")
    assert.are.equal("700 socket", system.capture(("stat -c %%a %s; stat -c %%F %s"):format(folder,
      path)):gsub("\n", " "))
    bell:close()
    assert.are.equal("", system.capture("ls -d " .. folder .. " 2>/dev/null"))
    local host
    bell, host = connected()
    assert.are.equal("", bell:path())
    bell:close()
    assert.are.equal("closed", select(2, host:receive(1)))
    host:close()
  end)

  it("rings once an exchange is over, and not again before that was looked at", function()
    local bell, host = connected()
    assert.is_true(bell:add(client))
    local jobs = { send({ { delay = 0.2 } }), send({ { delay = 0.3 } }) }
    assert.is_false(rings(host, 0.1))
    assert.is_true(rings(host, 5))
    assert.is_false(rings(host, 0.3))
    while client:step() > 0 do
      rings(host, 5)
    end
    assert.is_true(jobs[1]:poll() and jobs[2]:poll())
    send({ {} })
    assert.is_true(rings(host, 5))
    bell:close()
    host:close()
  end)

  it("rings when a moment has come, and not for one that was replaced", function()
    local bell, host = connected()
    bell:add(client)
    engine.ring_at(client, 0.05)
    assert.is_true(rings(host, 5))
    assert.is_false(rings(host, 0.1))
    engine.ring_at(client, 0.3)
    engine.ring_at(client, nil)
    assert.is_false(rings(host, 0.5))
    engine.ring_at(client, 60)
    engine.ring_at(client, 0.05, true)
    engine.ring_at(client, 60, true)
    assert.is_true(rings(host, 5))
    engine.ring_at(client, 0)
    assert.is_true(rings(host, 5))
    bell:ring()
    assert.is_true(rings(host, 5))
    bell:close()
    host:close()
  end)

  it("gives a client a thread, which ends by silence, by close or by the collector", function()
    local bell, host = connected()
    local before = process.threads()
    bell:add(client)
    assert.are.equal(before + 1, process.threads())
    local job = send({ { delay = 0.1 } })
    engine.silence(client)
    engine.silence(client)
    assert.are.equal(before, process.threads())
    assert.is_true(job:wait(5)) -- it goes on without
    assert.is_false(rings(host, 0))
    bell:add(client)
    assert.are.equal(before + 1, process.threads())
    client:close()
    assert.are.equal(before, process.threads())
    assert.is_false(bell:add(client))
    local other = support.client()
    bell:add(other)
    assert.are.equal(before + 1, process.threads())
    other = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.are.equal(before, process.threads())
    bell:close()
    host:close()
  end)

  it("tells of every exchange while others begin, and while servers end connections that these would use", function()
    local bell, host = connected()
    bell:add(client)
    local jobs, done = {}, 0
    local function look()
      done = 0
      client:step()
      for _, job in ipairs(jobs) do
        done = done + (job:poll() and 1 or 0)
      end
    end
    for i = 1, 300 do
      local step = { delay = i % 5 / 1000 }
      if i % 7 == 0 then
        step.keepalive, step.hold = false, i % 3 / 1000
      end
      jobs[i] = send({ step })
      if i % 4 == 0 then
        rings(host, 0.001)
        look()
      end
    end
    local deadline = socket.gettime() + 20
    while done < #jobs do
      assert(socket.gettime() < deadline, "the bell is silent")
      rings(host, 5)
      look()
    end
    for _, job in ipairs(jobs) do
      local result, message = job:result()
      assert(result, message)
    end
    bell:close()
    host:close()
  end)

  it("does not mind a host that reads nothing, or that has gone", function()
    local bell, host = connected()
    bell:add(client)
    for _ = 1, 2000 do
      bell:ring()
      engine.ring_at(client, 0)
    end
    host:close()
    bell:ring()
    local job = send({ {} })
    assert.is_true(job:wait(5))
    bell:close()
  end)

  it("says what is wrong", function()
    local bell = engine.bell()
    assert.is_false(bell:add(client)) -- nobody has connected
    local accepted, words = bell:accept()
    assert.is_nil(accepted)
    assert.is_string(words)
    bell:close()
    bell:close()
    for _, name in ipairs({ "path", "accept", "add", "ring" }) do
      assert.has_error(function() bell[name](bell, client) end, "an open bell expected")
      assert.has_error(function() bell[name]({}, client) end, "an open bell expected")
    end
    for _, name in ipairs({ "ring_at", "silence" }) do
      assert.has_error(function() engine[name]({}) end)
    end
    assert.is_false(getmetatable(bell))
  end)

  it("is the parent's after a fork: the child can close its copy, and the parent's goes on", function()
    local bell, host = connected()
    bell:add(client)
    local pid = process.fork()
    if pid == 0 then
      bell:close()
      client:close()
      process.leave(0)
    end
    assert.are.same({ "exit", 0 }, { process.wait(pid) })
    engine.ring_at(client, 0.01)
    assert.is_true(rings(host, 5))
    bell:close()
    host:close()
  end)

  it("knows whether the host still has its end", function()
    local bell, host = connected()
    assert.is_true(bell:is_heard())
    bell:ring()
    assert.is_true(bell:is_heard())
    host:close() -- with a byte that nobody has read
    assert.is_false(bell:is_heard())
    assert.is_false(engine.bell():is_heard())
  end)
end)
