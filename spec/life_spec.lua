--- The end of jobs, clients, states and processes, in children of the specs.
local many = require("spec.support.many")
local raw_server = require("spec.support.raw_server")
local support = require("spec.support")

local emulator = support.emulator()
local server

-- Whose first request is never answered.
before_each(function()
  server = raw_server.listen({ { { read = true }, { hold = true } } })
end)

after_each(function()
  server:close()
end)

-- Ahead of a source: jobs that hang in flight, and one in every other state.
local jobs = ([[
local SERVER = %q
local function hang(client)
  local job = assert(client:start("memories.stop", "mute", { base_url = SERVER .. "/x", timeout = 50,
    attempt_timeout = 50 }))
  job:wait(0.05)
  return job
end
local function begin(client)
  return assert(client:start("memories.stop", place.ids[1]))
end
local function done(client)
  local job = begin(client)
  assert(job:wait())
  assert(job:result())
  return job
end
local function collect()
  for _ = 1, 3 do
    collectgarbage()
  end
end
]])

local function child(source, ids, origin)
  return many.child(jobs:format(server.origin) .. source, ids or 1, origin)
end

-- Fails unless the child says "good", and ends well.
local function good(source, ids, origin)
  local ended = child(source, ids, origin)
  assert.are.same({ 0, "", "good" }, { ended.status, ended.stderr, ended.stdout:match("good") }, ended.stdout)
  return ended.stdout
end

local function check_mute_is_closed()
  server:wait(function(connections) return connections[1] and connections[1].over end)
end

describe("jobs and clients dropped in any order:", function()
  local orders = {
    ["the jobs, then the client"] = "a = nil b = nil c = nil collect() client = nil collect()",
    ["the client, then the jobs"] = "client = nil collect() a = nil collect() b = nil c = nil collect()",
    ["all at once"] = "client, a, b, c = nil, nil, nil, nil collect()",
    ["by turns"] = "a = nil collect() client = nil collect() c = nil collect() b = nil collect()",
    ["the client closed, then dropped"] = "client:close() client = nil collect() a = nil collect()",
    ["the jobs cancelled, then dropped"] = "a:cancel() b:cancel() c:cancel() a = nil collect() client = nil collect()",
    ["in the midst of another's wait"] = [[
      a = nil
      collectgarbage("setpause", 0)
      collectgarbage("setstepmul", 10000)
      local other = assert(client:start("memories.stop", place.ids[1], { on_event = function() collect() end }))
      b = nil
      assert(other:wait() and other:result())
    ]],
  }
  for _, name in ipairs(support.keys(orders)) do
    it(name, function()
      good([[
        local client = new_client()
        local a, b, c = hang(client), begin(client), done(client)
      ]] .. orders[name] .. [[
        collect()
        assert(new_client().memories.stop(place.ids[1]))
        print("good")
      ]])
      check_mute_is_closed()
    end)
  end

  it("a thousand clients, each with jobs, dropped as they are", function()
    good([[
      local before
      for i = 1, 1000 do
        local client = new_client()
        begin(client)
        begin(client):poll()
        if i % 3 == 0 then
          done(client)
        end
      end
      collect()
      print("good")
    ]])
  end)
end)

describe("the end of the state with jobs in flight:", function()
  local head = [[
    local client, other = new_client(), new_client({ max_connections = 1 })
    JOBS = { hang(client), begin(client), done(client), begin(other), done(other), begin(other) }
    local refused = mediastop.start("memories.stop", "")
    print("good")
    io.stdout:flush()
  ]]
  local ends = {
    ["the program's end"] = "",
    ["os.exit(0)"] = "os.exit(0)",
    ["os.exit(0, true)"] = "os.exit(0, true)",
    ["os.exit(0, true), after a step"] = "client:step() os.exit(0, true)",
    ["os.exit in a listener"] = [[
      client:start("memories.stop", place.ids[1], { on_event = function() os.exit(0, true) end }):wait()
      os.exit(3)
    ]],
    ["os.exit in the body of each"] = [[
      for _ in client:each({ { "memories.stop", place.ids[1] }, { "memories.stop", place.ids[1] } }) do
        os.exit(0, true)
      end
    ]],
    ["the end of a coroutine that waits"] = [[
      coroutine.wrap(function()
        for _ in client:each({ { "memories.stop", place.ids[1] }, { "memories.stop", place.ids[1] } }) do
          coroutine.yield()
        end
      end)()
    ]],
  }
  for _, name in ipairs(support.keys(ends)) do
    it(name, function()
      good(head .. ends[name])
      check_mute_is_closed()
    end)
  end

  it("an error", function()
    local ended = child(head .. "error('the program')")
    assert.are.equal(1, ended.status)
    assert.is_truthy(ended.stderr:find("the program", 1, true))
  end)

  -- Finalizers that come before and after those of jobs and clients, which are then gone.
  local uses = {
    poll = "JOB:poll()",
    wait = "return count == 0 or JOB:wait()", -- at first it would wait for the answer
    ["wait a moment"] = "JOB:wait(0.01)",
    result = "JOB:result()",
    cancel = "JOB:cancel() JOB:cancel() JOB:poll() JOB:result()",
    step = "CLIENT:step()",
    due = "CLIENT:due()",
    fd = "CLIENT:fd()",
    start = [[
      local job, _, err = CLIENT:start("memories.stop", place.ids[1])
      assert(job or err.kind == "closed")
    ]],
    call = [[
      local result, _, err = CLIENT.memories.stop(place.ids[1])
      assert(result or err.kind == "closed")
    ]],
    close = "CLIENT:close() CLIENT:close()",
    each = [[
      for _, result, _, err in CLIENT:each({ { "memories.stop", place.ids[1] } }) do
        assert(result or err.kind == "closed")
      end
    ]],
  }
  for _, name in ipairs(support.keys(uses)) do
    it("a finalizer that comes to " .. name, function()
      good(([[
        process = process or { alarm = function() end }
        process.alarm(30) -- the job itself would hang for longer
        local function finalizer(run)
          if newproxy then
            local proxy = newproxy(true)
            getmetatable(proxy).__gc = run
            return proxy
          end
          return setmetatable({}, { __gc = run })
        end
        local count = 0
        local function run()
          local good, message = pcall(function()
            %s
          end)
          if not good then
            io.stderr:write(tostring(message), "\n")
          end
          count = count + 1
          if count == 2 then
            print("good")
          end
        end
        BEFORE = finalizer(run)
        CLIENT = new_client({ timeout = 5 })
        JOB = hang(CLIENT)
        AFTER = finalizer(run)
      ]]):format(uses[name]))
    end)
  end
end)

describe("a fork with a warm connection", function()
  for _, origin in ipairs({ "http", "tls", "h2" }) do
    it("gives parent and child each their own answers: " .. origin, function()
      if not many.has_processes then
        return pending("process.so is not built")
      end
      local out = good([[
        local client = new_client()
        local function stop(from, to)
          for i = from, to do
            local result = assert(client.memories.stop(place.ids[i]))
            assert(result.id == place.ids[i] and result.attempts == 1)
          end
        end
        local function stop_each(from, to)
          local list, seen = {}, 0
          for i = from, to do
            list[#list + 1] = { "memories.stop", place.ids[i] }
          end
          for request, result, message in client:each(list, { concurrency = 10 }) do
            assert(result, message)
            assert(result.id == request[2])
            seen = seen + 1
          end
          assert(seen == #list)
        end
        stop(1, 1)
        local pid = process.fork()
        if pid == 0 then
          stop(2, 20)
          stop_each(21, 60)
          os.exit(7, true)
        end
        stop(61, 80)
        stop_each(81, 120)
        local how, number = process.wait(pid)
        assert(how == "exit" and number == 7, how .. number)
        -- What the child closed was not ours.
        stop(121, 125)
        print("good " .. place.ids[1] .. " " .. place.ids[125] .. " " .. place.ids[2])
      ]], 125, emulator[origin])
      local connection = {}
      for id in out:gmatch("spec%-%d+") do
        local requests = emulator:requests(id)
        assert.are.equal(1, #requests)
        connection[#connection + 1] = requests[1].connection
      end
      assert.are_not.equal(connection[1], connection[3])
      if origin == "h2" and not support.older_libcurl("7.80") then
        assert.are.equal(connection[1], connection[2])
      end
    end)
  end

  it("ends the child's jobs from before, and leaves them to the parent", function()
    if not many.has_processes then
      return pending("process.so is not built")
    end
    good([[
      local client = new_client({ max_connections = 1 })
      local finished, hanging = done(client), hang(client)
      local waiting = assert(client:start("memories.stop", place.ids[2]))
      local queued = assert(client:start("memories.stop", place.ids[3]))
      local told = 0
      local heard = assert(client:start("memories.stop", place.ids[4], { on_event = function(event)
        told = told + (event.type == "result" and 1 or 0)
      end }))
      waiting:poll()
      local pid = process.fork()
      if pid == 0 then
        -- A loop would sleep as long as due says.
        assert(client:due() == 0, "due is " .. tostring(client:due()))
        assert(client:fd())
        repeat
          local left = client:step()
        until left == 0 or client:due() ~= 0
        assert(client:due() == nil)
        assert(finished:result().outcome == "ended")
        for _, job in ipairs({ hanging, waiting, queued, heard }) do
          assert(job:poll() and job:wait())
          local result, message, err = job:result()
          assert(result == nil and err.kind == "cancelled", message)
          assert(err.reached == "no" or job == hanging or job == waiting, message)
        end
        assert(select(3, hanging:result()).reached == "maybe")
        assert(told == 1)
        assert(client.memories.stop(place.ids[5]).outcome == "ended")
        os.exit(7, true)
      end
      local how, number = process.wait(pid)
      assert(how == "exit" and number == 7, how .. number)
      assert(not hanging:poll())
      hanging:cancel()
      for _, job in ipairs({ waiting, queued, heard }) do
        assert(job:wait(5))
        assert(job:result())
      end
      assert(told == 1)
      print("good")
    ]], 5)
  end)

  local ways = {
    ["a child that waits for a job of before"] = [[
      assert(JOB:wait())
      assert(select(3, JOB:result()).kind == "cancelled")
    ]],
    ["a child that cancels a job of before"] = [[
      JOB:cancel()
      assert(select(3, JOB:result()).kind == "cancelled")
    ]],
    ["a child that closes the client"] = "CLIENT:close() assert(JOB:poll())",
    ["a child that drops all"] = "CLIENT = nil JOB = nil collect()",
    ["a child that does nothing"] = "",
    ["a child that leaves at once"] = "process.leave(7)",
    ["a child that forks"] = [[
      local second = process.fork()
      if second == 0 then
        assert(JOB:wait())
        assert(CLIENT.memories.stop(place.ids[1]))
        os.exit(7, true)
      end
      assert(select(2, process.wait(second)) == 7)
      assert(JOB:wait())
    ]],
  }
  for _, name in ipairs(support.keys(ways)) do
    it("and " .. name, function()
      if not many.has_processes then
        return pending("process.so is not built")
      end
      good([[
        CLIENT = new_client()
        done(CLIENT)
        JOB = hang(CLIENT)
        local pid = process.fork()
        if pid == 0 then
          ]] .. ways[name] .. [[
          os.exit(7, true)
        end
        local how, number = process.wait(pid)
        assert(how == "exit" and number == 7, how .. number)
        assert(not JOB:poll(), "the child ended the parent's job")
        assert(CLIENT.memories.stop(place.ids[1]))
        print("good")
      ]])
      -- The parent's end, not the child's, ends the connection.
      check_mute_is_closed()
    end)
  end

  it("in the body of each: both go on", function()
    if not many.has_processes then
      return pending("process.so is not built")
    end
    good([[
      local client, list = new_client(), {}
      for i = 1, 60 do
        list[i] = { "memories.stop", place.ids[i] }
      end
      local pid, ended, cancelled = nil, 0, 0
      for _, result, message, err in client:each(list, { concurrency = 10 }) do
        assert(result or pid == 0 and err.kind == "cancelled", message)
        ended = ended + (result and 1 or 0)
        cancelled = cancelled + (result and 0 or 1)
        pid = pid or process.fork()
      end
      assert(ended + cancelled == 60)
      if pid == 0 then
        assert(cancelled <= 9)
        os.exit(7, true)
      end
      assert(cancelled == 0)
      assert(select(2, process.wait(pid)) == 7)
      print("good")
    ]], 60)
  end)
end)

describe("states", function()
  -- What each does. The number tells what it leaves behind.
  local work = [[
    local number = ...
    local mediastop = require("mediastop")
    local client = mediastop.new({ proxy = "", ca_file = %q, base_url = { memories = %q },
      credentials = { memories = { api_key = %q } } })
    for _ = 1, %d do
      local id = %q
      local result, message = client.memories.stop(id)
      assert(result and result.id == id, message)
    end
    if number %% 3 == 0 then
      client:close()
    elseif number %% 3 == 1 then
      JOB = client:start("memories.stop", "left")
      JOB:poll()
    end
  ]]

  -- A sanitizer's own memory grows, too (LEFTOVERS: see spec/support/leftovers.lua).
  local MOST_KIB = os.getenv("LEFTOVERS") and 20000 or 3000

  local function states(first, call, origin, calls)
    if not many.has_processes then
      return pending("process.so and states.so are not built")
    end
    local id = support.id("memories")
    good(([[
      local function memory()
        collect()
        local file = io.open("/proc/self/status")
        local resident = file and tonumber(file:read("*a"):match("VmRSS:%%s*(%%d+)")) or 0
        if file then
          file:close()
        end
        return resident
      end
      local source = %q
      states.sequence(50, source)
      %s -- for what is made once, and for malloc's arenas of each thread
      local before, descriptors = memory(), process.descriptors()
      %s
      local more = memory() - before
      assert(more < %d, more .. " KiB more")
      assert(process.descriptors() == descriptors, process.descriptors() - descriptors .. " descriptors more")
      print("good")
    ]]):format(work:format(emulator.ca_file, emulator[origin] .. "/serve/api/v2", emulator.credentials.memories.api_key,
      calls, id), first, call, MOST_KIB))
  end

  it("closed by the thousand, with a job in flight or not, leave nothing", function()
    return states("states.sequence(150, source)", "states.sequence(1000, source)", "http", 1)
  end)

  it("that never made a request leave nothing", function()
    return states("states.sequence(150, source)", "states.sequence(1000, source)", "http", 0)
  end)

  for _, origin in ipairs({ "http", "tls", "h2" }) do
    it("eight at once, each in a thread, do not meet: " .. origin, function()
      local threads = "states.threads(8, source)"
      return states((threads .. " "):rep(3), (threads .. " "):rep(3), origin, origin == "http" and 50 or 5)
    end)
  end
end)

describe("with few descriptors", function()
  it("no job is lost, and errors say so", function()
    if not many.has_processes then
      return pending("process.so is not built")
    end
    local out = good([[
      process.limit(64)
      local client, list, ended = new_client({ max_connections = 200, timeout = 20 }), {}, 0
      for i, id in ipairs(place.ids) do
        list[i] = { "memories.stop", id, { attempts = 1 } }
      end
      for request, result, message, err in client:each(list, { concurrency = 300 }) do
        ended = ended + 1
        if not result then
          assert(err.kind == "connect" or err.kind == "network", message)
          assert(err.reached == "no", message)
          assert(#message < 400 and not message:find("%c"))
        end
        print(request[2], result and "ended" or "not")
      end
      assert(ended == #place.ids)
      print("good")
    ]], 300)
    local running, told = 0, 0
    for id, word in out:gmatch("(spec%-%d+)%s+(%a+)") do
      told = told + 1
      assert.are.equal(word == "ended" and "stopped" or word, word == "ended" and emulator:state("memories", id)
        or (#emulator:requests(id) == 0 and "not" or "sent"))
      running = running + (word == "ended" and 1 or 0)
    end
    assert.are.equal(300, told)
    assert.is_true(running >= 1)
  end)

  it("none at all is an error, and later all is well", function()
    if not many.has_processes then
      return pending("process.so is not built")
    end
    good([[
      local client = new_client({ timeout = 1, attempts = 1 })
      process.limit(0)
      for _ = 1, 3 do
        local result, message, err = client.memories.stop(place.ids[1])
        assert(result == nil and err.kind == "connect" and err.reached == "no", message)
        local fd, why = client:fd()
        assert(fd == nil and type(why) == "string")
        assert(client:step() == 0)
      end
      process.limit(256)
      assert(client.memories.stop(place.ids[1]))
      assert(client:fd())
      print("good")
    ]])
  end)

  it("too few for the file of certificates are no fault of TLS", function()
    if not many.has_processes then
      return pending("process.so is not built")
    end
    local out = good([[
      local ended, limit = false, 3
      while not ended do
        process.limit(limit)
        local client = new_client({ timeout = 5, attempts = 1 })
        local result, message, err = client.memories.stop(place.ids[1])
        local kind = err and err.kind
        assert(result or (kind == "connect" or kind == "dns") and err.reached == "no", message)
        if result then
          ended = true
        else
          print(message)
        end
        client:close()
        limit = limit + 1
      end
      print("good")
    ]], 1, emulator.tls)
    -- An old libcurl wants more of them for looking the name up.
    assert.is_truthy(out:find("certificates", 1, true) or out:find("getaddrinfo() thread", 1, true), out)
  end)
end)

describe("close leaves no descriptor", function()
  for _, origin in ipairs({ "http", "tls", "h2" }) do
    it(origin, function()
      if not many.has_processes then
        return pending("process.so is not built")
      end
      good([[
        local function run()
          local client, list = new_client(), {}
          for i, id in ipairs(place.ids) do
            list[i] = { "memories.stop", id }
          end
          local first = client:each(list, { concurrency = 50 })
          for _ = 1, 60 do
            local _, result, message = first()
            assert(result, message)
          end
          hang(client)
          client:close()
        end
        run()
        local before = process.descriptors()
        for _ = 1, 5 do
          run()
        end
        assert(process.descriptors() == before, process.descriptors() .. " are open, not " .. before)
        print("good")
      ]], 100, emulator[origin])
    end)
  end

  it("nor does the collector", function()
    if not many.has_processes then
      return pending("process.so is not built")
    end
    good([[
      assert(new_client().memories.stop(place.ids[1]))
      collect()
      local before = process.descriptors()
      for _ = 1, 20 do
        local client = new_client()
        begin(client):poll()
        assert(client.memories.stop(place.ids[1]))
      end
      collect()
      assert(process.descriptors() == before, process.descriptors() .. " are open, not " .. before)
      print("good")
    ]])
  end)
end)
