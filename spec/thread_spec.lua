--- A client that is moved on by `step` has a thread, so that no step does what libcurl does.
local many = require("spec.support.many")
local process = require("process")
local raw_server = require("spec.support.raw_server")
local support = require("spec.support")
local socket = require("socket")

local emulator = support.emulator()
local client

before_each(function()
  client = support.origin_client(emulator.tls, { timeout = 10 })
end)

after_each(function()
  client:close()
end)

-- A job that is answered as these fault steps say.
local function start(steps, options)
  return many.start(client, steps, options)
end

describe("a client's thread", function()
  it("is there from the first step with a job on, until the client is closed or collected", function()
    start()
    client:step()
    client:close() -- a sanitizer has a thread of its own from now on
    client = support.client()
    local before = process.threads()
    client:step()
    assert.are.equal(before, process.threads())
    local job = start()
    client:step()
    assert.are.equal(before + 1, process.threads())
    many.step_until(client, function() return job:poll() end)
    assert.are.equal(before + 1, process.threads())
    client:close()
    assert.are.equal(before, process.threads())
    client = support.client()
    job = start()
    client:step()
    assert.are.equal(before + 1, process.threads())
    job, client = nil, nil
    many.collect()
    assert.are.equal(before, process.threads())
    client = support.client()
  end)

  it("is not for those who call, wait, poll or have the descriptor", function()
    local before = process.threads()
    assert(client.memories.stop(support.id("memories")))
    assert.is_true(start():wait(5))
    local job = start()
    while not job:poll() do
      socket.sleep(0.002)
    end
    client:fd()
    start()
    many.finish(client)
    assert.are.equal(before, process.threads())
  end)

  it("serves calls, waits and loops on its descriptor as well", function()
    start({ { delay = 0.3 } })
    client:step()
    local began = socket.gettime()
    local job = start({ { delay = 0.2 } })
    assert.is_false(job:wait(0.05))
    assert.is_true(socket.gettime() - began < 0.2)
    assert.is_true(job:wait(5))
    assert(client.memories.stop(support.id("memories")))
    local fd = client:fd()
    start({ { delay = 0.1 } })
    assert.is_true(many.finish(client) < 20)
    assert.is_false(many.is_readable(fd, 0))
    assert.are.equal(fd, client:fd())
  end)

  it("works on while nobody steps", function()
    local jobs = {}
    for i = 1, 40 do
      jobs[i] = start()
    end
    client:step()
    assert.is_true(many.is_readable(client:fd(), 5))
    socket.sleep(0.5)
    local steps = 1
    while client:step() > 0 do
      steps = steps + 1
      socket.sleep(0.002)
    end
    for _, job in ipairs(jobs) do
      assert(job:result())
    end
  end)

  it("tells how far a job came that is cancelled, at whatever moment", function()
    local silent = {}
    for i = 1, 40 do
      silent[i] = { { read = true }, { hold = true } }
    end
    local server = raw_server.listen(silent)
    local other = support.client({ base_url = { memories = server.origin }, timeout = 5 })
    local jobs = {}
    for i = 1, 40 do
      jobs[i] = assert(other:start("memories.stop", "task-" .. i, { attempts = 1 }))
      for _ = 1, i % 4 do
        other:step()
      end
      socket.sleep(i % 5 * 0.0005)
      jobs[i]:cancel()
    end
    socket.sleep(0.1)
    local seen = server:requests()
    local maybe = 0
    for _, job in ipairs(jobs) do
      local _, _, err = job:result()
      assert.are.equal("cancelled", err.kind)
      maybe = maybe + (err.reached == "maybe" and 1 or 0)
    end
    assert.is_true(seen <= maybe, ("%d requests came, %d may have"):format(seen, maybe))
    other:close()
    server:close()
  end)

  it("ends an attempt whose time is over", function()
    local job, id = start({ { hang = 5, times = 9 } }, { attempt_timeout = 0.3, attempts = 2, timeout = 4 })
    many.step_until(client, function() return job:poll() end)
    local _, _, err = job:result()
    assert.are.equal("timeout", err.kind)
    assert.are.equal("maybe", err.reached)
    assert.are.equal(2, err.attempts)
    assert.are.equal(2, #emulator:requests(id))
  end)

  -- A step while there is room for the connection, and none for what a thread needs.
  local short_of_descriptors = [[
    local socket = require("socket")
    local client = new_client()
    local job = assert(client:start("memories.stop", place.ids[1]))
    local before, held = process.threads(), {}
    process.limit(process.descriptors() + 8)
    for file in function() return (io.open("/dev/null")) end do
      held[#held + 1] = file
    end
    table.remove(held):close()
    client:step()
    process.limit(100)
    assert(process.threads() == before, "a thread")
  ]]

  it("is done without where there are no descriptors for one", function()
    local printed = many.good_child(short_of_descriptors .. [[
      repeat
        socket.sleep(0.002)
      until client:step() == 0
      assert(job:result())
      print("good")
    ]])
    assert.are.equal("good\n", printed)
  end)

  it("with few descriptors is tried for again once there are more", function()
    local printed = many.good_child(short_of_descriptors .. [[
      local ends = socket.gettime() + 10
      while process.threads() == before and socket.gettime() < ends do
        if client:step() == 0 then
          assert(client:start("memories.stop", place.ids[1]))
        end
        socket.sleep(0.002)
      end
      assert(process.threads() == before + 1, "no thread")
      print("good")
    ]])
    assert.are.equal("good\n", printed)
  end)
end)

describe("a process whose clients have threads", function()
  it("forks at any moment: the child has its own calls, and the parent's jobs go on", function()
    local printed = many.good_child([[
      local socket = require("socket")
      local client, jobs = new_client({ timeout = 20 }), {}
      local function begin(count)
        for _ = 1, count do
          jobs[#jobs + 1] = assert(client:start("memories.stop", table.remove(place.ids)))
        end
      end
      for round = 1, 20 do
        begin(8)
        client:step()
        socket.sleep(round % 7 * 0.0007)
        local pid = process.fork()
        if pid == 0 then
          process.alarm(20)
          assert(jobs[#jobs]:wait(5))
          assert(client.memories.stop(place.ids[1]))
          assert(client:start("memories.stop", place.ids[1]))
          while client:step() > 0 do
            socket.sleep(0.001)
          end
          client:close()
          process.leave(7)
        end
        local how, status = process.wait(pid)
        assert(how == "exit" and status == 7, how .. status)
      end
      while client:step() > 0 do
        socket.sleep(0.001)
      end
      for _, job in ipairs(jobs) do
        assert(job:result())
      end
      print("good")
    ]], 170, emulator.tls)
    assert.are.equal("good\n", printed)
  end)

  -- With the first call only as the fork is under way, nothing keeps the thread out of OpenSSL.
  local call = "assert(new_client().memories.stop(place.ids[1]))"
  for when, how in pairs({ first = { "http", "" }, later = { "tls", call } }) do
    it("forks while a thread begins, with a " .. when .. " call: its child exits, and calls", function()
      if os.getenv("MEDIASTOP_LUA") then
        return pending("a sanitizer calls what the child leaves to its parent a leak")
      end
      local printed = many.good_child(([[
        %s
        states.while_forking([=[
          local place = require("cjson").decode(os.getenv("PLACE"))
          local client = require("mediastop").new({ base_url = place.base_url, credentials = place.credentials,
            ca_file = place.ca_file, proxy = "" })
          local jobs = {}
          function start()
            jobs[#jobs + 1] = assert(client:start("memories.stop", place.ids[#jobs + 1]))
          end
          start()
          client:step()
          function finish(first)
            while client:step() > 0 do
              require("socket").sleep(0.001)
            end
            for i = first, #jobs do
              assert(jobs[i]:result())
            end
          end
        ]=])
        local pid = process.fork()
        if pid == 0 then
          process.alarm(20)
          local grandchild = process.fork()
          if grandchild == 0 then
            process.alarm(20)
            os.exit(6)
          end
          local how, status = process.wait(grandchild)
          assert(how == "exit" and status == 6, how .. status)
          assert(new_client().memories.stop(place.ids[3]))
          states.go_on("start() finish(2)") -- the first job is the parent's
          os.exit(7)
        end
        local how, status = process.wait(pid)
        assert(how == "exit" and status == 7, how .. status)
        states.go_on("start() finish(1)")
        print("good")
      ]]):format(how[2]), 3, emulator[how[1]])
      assert.are.equal("good\n", printed)
    end)
  end

  it("exits at any moment, with the Lua state open or closed", function()
    for i = 1, 24 do
      local ended = many.child(([[
        local socket = require("socket")
        local client, jobs = new_client({ timeout = 20 }), {}
        for i, id in ipairs(place.ids) do
          jobs[i] = assert(client:start("memories.stop", id))
        end
        client:step()
        socket.sleep(%g)
        os.exit(3, %s)
      ]]):format(i % 8 * 0.001, tostring(i % 2 == 0)), 30, emulator.tls)
      assert.are.same({ 3, "" }, { ended.status, ended.stderr })
    end
  end)
end)
