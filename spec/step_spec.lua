--- Hosts with a loop of their own: step, fd, due; and how many connections jobs share.
local core = require("mediastop.core")
local fault = require("spec.support.fault")
local many = require("spec.support.many")
local mediastop = require("mediastop")
local process = require("process")
local raw_server = require("spec.support.raw_server")
local support = require("spec.support")
local socket = require("socket")

-- Connections are kept where libcurl tells of each request.
local it_kept = support.with_libcurl("7.80", it, pending)

local emulator = support.emulator()
local client, kept

-- Who has the descriptor runs the network by its steps; for who only steps, a thread does.
for _, way in ipairs({ "by a thread", "by its descriptor" }) do
  describe("a client moved on " .. way .. ":", function()

    local function use(new)
      if way == "by its descriptor" then
        assert(new:fd())
      end
      return new
    end

    local function new_client(origin, options)
      return use(support.origin_client(origin, options))
    end

    before_each(function()
      client, kept = use(support.client({ timeout = 10 })), {}
    end)

    after_each(function()
      client:close()
    end)

    -- A job of the provider whose stop meets these fault steps. It is kept: the collector would cancel it.
    local function start(steps, options, provider)
      provider = provider or "memories"
      local id = support.id(provider)
      if steps then
        emulator:faults(id, steps)
      end
      local job = assert(client:start(support.operation(provider).full, id, options))
      kept[#kept + 1] = job
      return job, id
    end

    local function arrived(id)
      return function() return #emulator:requests(id) > 0 end
    end

    local function ended(job)
      local result, message = job:result()
      assert(result, message)
      assert.are.equal("ended", result.outcome)
    end

    describe("without a job", function()
      it("nothing is due, and a step finds nothing unfinished", function()
        for _, owner in ipairs({ client, core.new() }) do
          assert.are.equal(0, owner:step())
          assert.is_nil(owner:due())
        end
        for _, module in ipairs({ mediastop, core }) do
          assert.are.equal(0, module.step())
          assert.is_nil(module.due())
        end
        assert.is_true(support.is_whole(client:step()))
      end)

      it("the descriptor is there, stays the same, and is silent", function()
        local fd = client:fd()
        assert.is_true(support.is_whole(fd) and fd > 2)
        assert.is_false(many.is_readable(fd, 0.02))
        start()
        many.finish(client)
        assert.are.equal(fd, client:fd())
        assert.is_false(many.is_readable(fd, 0.02))
        assert.is_number(mediastop.fd())
        assert.is_number(core.fd())
      end)

      -- Such a loop would turn without a pause.
      it("the descriptor falls silent again where the server closes a connection that is kept", function()
        start({ { keepalive = false, hold = 0.2 } })
        many.finish(client)
        local fd = client:fd()
        many.is_readable(fd, 1)
        for _ = 1, 20 do
          client:step()
        end
        assert.is_false(many.is_readable(fd, 0), "readable, and step does nothing about it")
        local job = start()
        many.finish(client)
        ended(job)
      end)
    end)

    describe("step", function()
      it("returns how many jobs are unfinished", function()
        assert.are.equal(0, client:step())
        local jobs = {}
        for i = 1, 5 do
          jobs[i] = start({ { delay = 0.1 } })
        end
        assert.are.equal(5, client:step())
        jobs[1]:cancel()
        assert.are.equal(4, client:step())
        many.finish(client)
        assert.are.equal(0, client:step())
      end)

      it("does not block, whatever the network does", function()
        local hole, mute = raw_server.black_hole(), raw_server.listen({ { { read = true }, { hold = true } } })
        for _, origin in ipairs({ hole.origin, mute.origin }) do
          start(nil, { base_url = origin .. "/x" })
        end
        -- A name that nobody can look up, and one that a server is asked for.
        start(nil, { base_url = "https://nobody.invalid" })
        start(nil, { base_url = "https://localhost:1" })
        start({ { hang = 1 } })
        start({ { drip = 0.05 } })
        local longest = 0
        for _ = 1, 100 do
          local began = socket.gettime()
          client:step()
          longest = math.max(longest, socket.gettime() - began)
          socket.sleep(0.002)
        end
        client:close()
        mute:close()
        hole:close()
        assert.is_true(longest < 0.25, ("%.3f s"):format(longest))
      end)

      -- The processor's time of this thread: what others do meanwhile does not count.
      for _, origin in ipairs({ "http", "tls", "h2" }) do
        it("goes on at the next where much is ready: 1,000 jobs over " .. origin, function()
          local other = new_client(emulator[origin], { timeout = 30 })
          assert(other.memories.stop(support.id("memories")))
          local jobs = {}
          for i, id in ipairs(many.ids("memories", 1000)) do
            jobs[i] = assert(other:start("memories.stop", id))
          end
          local spent, left, most_ended = {}, #jobs, 0
          repeat
            local began, before = process.clock(), left
            left = other:step()
            spent[#spent + 1] = process.clock() - began
            most_ended = math.max(most_ended, before - left)
            many.is_readable(other:fd(), math.min(other:due() or 0.01, 0.01))
          until left == 0
          table.sort(spent)
          for _, job in ipairs(jobs) do
            ended(job)
          end
          other:close()
          assert.is_true(#spent > 20, #spent .. " steps")
          -- Not by the time of the longest, which may be one in which the machine was busy elsewhere.
          assert.is_true(most_ended < #jobs / 2, most_ended .. " jobs ended in one step")
          for part, most in pairs({ [0.5] = 0.004, [0.95] = 0.008 }) do
            local took = spent[math.ceil(#spent * part)]
            assert.is_true(took < most, ("%.4f s: %d %% take less"):format(took, part * 100))
          end
        end)
      end

      it("takes its slice too where 1,000 jobs run out of time at a moment", function()
        assert(client.memories.stop(support.id("memories")))
        local ids = many.ids("memories", 1000)
        local jobs, worst = {}, 0
        for i, id in ipairs(ids) do
          jobs[i] = assert(client:start("memories.stop", id, { timeout = 0.001 }))
        end
        socket.sleep(0.01)
        repeat
          local began = process.clock()
          local left = client:step()
          worst = math.max(worst, process.clock() - began)
        until left == 0
        for _, job in ipairs(jobs) do
          local result, message, err = job:result()
          assert.is_nil(result, "it was sent after its deadline")
          assert.are.equal("timeout", err.kind)
          assert.are.equal("no", err.reached, message)
        end
        assert.is_true(worst < 0.02, ("%.4f s"):format(worst))
      end)
    end)

    describe("a loop that only sleeps on the descriptor, for as long as due says, finishes", function()
      for _, origin in ipairs({ "http", "tls", "h2" }) do
        it("whatever the jobs meet: " .. origin, function()
          client = new_client(emulator[origin], { timeout = 5 })
          local met = {
            {}, { { delay = 0.1 } }, { { status = 503 } }, { { status = 429, headers = { ["Retry-After"] = "1" } } },
            { { drop = true } }, { { hang = 1 } }, { { drip = 0.01 } }, { { status = 404 } }, { { cut = { at = 3 } } },
            { { status = 500, times = 9 } }, { { big = 100000 } },
          }
          local jobs = {}
          for _, operation in ipairs(support.operations) do
            for _, steps in ipairs(met) do
              jobs[#jobs + 1] = start(support.copy(steps), { attempt_timeout = 0.5 }, operation.provider)
            end
          end
          local steps = many.finish(client, 10)
          for _, job in ipairs(jobs) do
            local result, message, err = job:result()
            assert.is_true(result ~= nil or err.kind ~= "pending", message)
          end
          assert.is_true(steps < 100 * #jobs, steps .. " steps: it turns rather than sleeps")
        end)
      end

      it("and does not turn while it waits", function()
        start({ { delay = 0.5 } })
        assert.is_true(many.finish(client) < 30)
      end)

      it("jobs that nobody answers", function()
        local hole = raw_server.black_hole()
        local job = start(nil, { base_url = hole.origin .. "/x", timeout = 0.5 })
        assert.is_true(many.finish(client) < 50)
        assert.are.equal("timeout", select(3, job:result()).kind)
        assert.are.equal("no", select(3, job:result()).reached)
        hole:close()
      end)

      it("jobs of other names", function()
        local job = start(nil, { base_url = "https://nobody.invalid", attempts = 1, timeout = 5 })
        many.finish(client)
        assert.is_nil((job:result()))
      end)

      it("jobs that its own body starts", function()
        local left, job = 20, nil
        local function next_job(event)
          if event.type == "result" and left > 0 then
            left = left - 1
            job = start(nil, { on_event = next_job })
          end
        end
        start(nil, { on_event = next_job })
        many.finish(client)
        assert.are.equal(0, left)
        ended(job)
      end)
    end)

    describe("due", function()
      it("is now where a job was started", function()
        start()
        assert.are.equal(0, client:due())
      end)

      it("has the wait for the next attempt", function()
        start({ { status = 503, headers = { ["Retry-After"] = "3" } } })
        many.step_until(client, function()
          local due = client:due()
          return due and due > 2 and due <= 3
        end, 2)
        assert.is_false(many.is_readable(client:fd(), 0.02))
        assert.are.equal(1, client:step())
      end)

      it("has the end of an attempt", function()
        local _, id = start({ { hang = 2 } }, { attempt_timeout = 1.5, attempts = 1 })
        many.step_until(client, arrived(id))
        many.step_until(client, function() return client:due() > 0 end)
        assert.is_true(client:due() <= 1.6) -- libcurl's own end of it is left a little time
      end)

      it("is the next of many", function()
        start({ { status = 503, headers = { ["Retry-After"] = "8" } } })
        many.step_until(client, function()
          local due = client:due()
          return due and due > 6
        end)
        start({ { status = 503, headers = { ["Retry-After"] = "2" } } }, nil, "fastpix")
        many.step_until(client, function()
          local due = client:due()
          return due and due > 1 and due <= 2
        end)
      end)
    end)

    describe("a provider's 429", function()
      local function limited(seconds)
        return { { status = 429, headers = { ["Retry-After"] = tostring(seconds) } } }
      end

      -- A job that was refused, and knows it.
      local function start_refused(steps, options)
        local last
        local _, id = start(steps, support.merge({ on_event = function(event) last = event.type end }, options))
        many.step_until(client, function() return last == "retry" or last == "result" end)
        return id
      end

      local function time_of(id, number)
        return emulator:requests(id)[number or 1].time
      end

      -- Whether the job whose refusal it is tries again.
      for name, attempts in pairs({ ["tries again"] = 3, ["does not try again"] = 1 }) do
        it("holds its other jobs, not the others': the refused job " .. name, function()
          local refused = start_refused(limited(1), { attempts = attempts })
          local ids, others = {}, {}
          for i = 1, 3 do
            ids[i] = select(2, start())
            others[i] = select(2, start(nil, nil, "emogg"))
          end
          local due = client:due()
          many.finish(client)
          for i = 1, 3 do
            assert.is_true(time_of(ids[i]) - time_of(refused) >= 0.98, "not held")
            assert.is_true(time_of(others[i]) - time_of(refused) < 0.9, "held for another's sake")
          end
          assert.is_true(due <= 1)
        end)
      end

      it("holds no longer than it asked for", function()
        local refused = start_refused(limited(1))
        local job, id = start()
        many.finish(client)
        ended(job)
        assert.is_true(time_of(id) - time_of(refused) < 1 + fault.ROOM)
        assert.is_true(time_of(refused, 2) - time_of(refused) < 1 + fault.ROOM)
      end)

      it("without a Retry-After holds as long as the refused job waits", function()
        local refused = start_refused({ { status = 429, times = 2 } })
        local job = start()
        many.finish(client)
        ended(job)
        assert.are.equal(3, #emulator:requests(refused))
      end)

      it("does not keep a job that cannot wait behind one that can", function()
        start_refused(limited(6))
        local patient = start(nil, { timeout = 30 })
        local job, id = start(nil, { timeout = 1 })
        many.step_until(client, function() return job:poll() end)
        assert.is_true(#emulator:requests(id) >= 1)
        patient:cancel()
      end)

      it("does not keep a job from its deadline", function()
        start_refused(limited(8))
        local job = start(nil, { timeout = 0.5 })
        many.step_until(client, function() return job:poll() end)
        assert.is_false((select(3, job:result()) or {}).kind == "pending")
      end)
    end)

    describe("a job at the gate", function()
      for name, warm in pairs({ ["once the provider has answered"] = true, ["before its first answer"] = false }) do
        it("ends with its time, and nothing was sent: " .. name, function()
          client = new_client(emulator.http, { max_connections = 1 })
          if warm then
            assert(client.memories.stop(support.id("memories")))
          end
          local first, first_id = start({ { hang = 1 } }, { timeout = 5 })
          many.step_until(client, arrived(first_id))
          local job, id = start(nil, { timeout = 0.3 })
          assert.is_true(job:wait())
          local _, message, err = job:result()
          assert.are.equal("timeout", err.kind, message)
          assert.are.equal("no", err.reached)
          assert.is_true(err.elapsed < 0.3 + fault.ROOM)
          assert.is_false(arrived(id)())
          first:cancel()
          -- The place is free again.
          job = start()
          assert.is_true(job:wait())
          ended(job)
        end)
      end
    end)

    describe("a job that hangs holds up no other:", function()
      for _, origin in ipairs({ "http", "tls", "h2" }) do
        it(origin, function()
          client = new_client(emulator[origin])
          local _, id = start({ { hang = 1.5 } })
          many.step_until(client, arrived(id))
          local job = start()
          assert.is_true(job:wait(1), "it waits for the answer to another")
          ended(job)
        end)
      end
    end)

    describe("max_connections", function()
      -- The most connections that are open while so many jobs run.
      local function most_connections(origin, options, count)
        local others = emulator:connections()     -- of clients of other specs
        client = new_client(emulator[origin], options)
        local ids, jobs, most = many.ids("memories", count), {}, 0
        for i, id in ipairs(ids) do
          jobs[i] = assert(client:start("memories.stop", id))
        end
        local steps = 0
        while client:step() > 0 do
          steps = steps + 1
          if steps % 20 == 1 then
            most = math.max(most, emulator:connections() - others)
          end
          many.is_readable(client:fd(), math.min(client:due() or 0.02, 0.02))
        end
        local used = {}
        for i, id in ipairs(ids) do
          ended(jobs[i])
          local requests = emulator:requests(id)
          assert.are.equal(1, #requests)
          used[requests[1].connection] = true
        end
        return math.max(most, emulator:connections() - others), #support.keys(used)
      end

      before_each(function()
        client:close()
      end)

      for _, origin in ipairs({ "http", "tls", "h2" }) do
        for _, bound in ipairs({ 1, 3 }) do
          it_kept(("is a bound: %d over %s"):format(bound, origin), function()
            local most, used = most_connections(origin, { max_connections = bound }, 200)
            assert.is_true(most <= bound, most .. " open at once")
            assert.is_true(used <= bound, used .. " used: closed, and opened anew")
          end)
        end

        it_kept("has a bound where it is not given: " .. origin, function()
          local most, used = most_connections(origin, nil, 300)
          assert.is_true(most <= 64, most .. " open at once")
          assert.is_true(used <= 64)
        end)
      end

      it_kept("of HTTP/2 are few, since jobs share them", function()
        -- As many as libcurl lets wait for the first connection; of more, some open another where the first takes long.
        local most, used = most_connections("h2", nil, 90)
        assert.is_true(used <= 3, used .. " used")
        assert.is_true(most <= 3, most .. " open at once")
      end)
    end)
  end)
end
