--- Many requests, a bounded number at a time.
local fault = require("spec.support.fault")
local many = require("spec.support.many")
local mediastop = require("mediastop")
local support = require("spec.support")
local socket = require("socket")
local system = require("spec.emulator.system")

local emulator = support.emulator()
local client

before_each(function()
  client = support.client({ timeout = 20 })
end)

after_each(function()
  client:close()
end)

-- That many requests, all of memories; and their ids.
local function requests(count, steps, options)
  local ids = many.ids("memories", count)
  for _, id in ipairs(steps and ids or {}) do
    emulator:faults(id, steps)
  end
  return many.requests("memories.stop", ids, options), ids
end

-- An iterator over a list, which counts what was pulled.
local function iterator(list, counter)
  counter = counter or {}
  counter.pulled = 0
  return function()
    counter.pulled = counter.pulled + 1
    return list[counter.pulled]
  end, counter
end

-- Goes through all of them; fails if one did. Returns the ids in the order of their results.
local function finish(owner, list, options)
  local order, seen = {}, {}
  for request, result, message in owner:each(list, options) do
    assert(result, message)
    assert.are.equal(request[2], result.id)
    assert.is_nil(seen[result.id], "given out twice")
    seen[result.id] = true
    order[#order + 1] = result.id
  end
  return order
end

local function sorted(list)
  local copy = support.copy(list)
  table.sort(copy)
  return copy
end

local function check_nothing_left()
  assert.are.equal(0, client:step())
  assert.is_nil(client:due())
end

local closes = (rawget(_G, "loadstring") or load)("local x <close> = nil") ~= nil

describe("each gives", function()
  it("every request of a list with its result", function()
    local list, ids = requests(200)
    assert.are.same(sorted(ids), sorted(finish(client, list)))
    for _, id in ipairs(ids) do
      assert.are.equal(1, #emulator:requests(id))
    end
    check_nothing_left()
  end)

  it("every request of an iterator, which is not called again after its end", function()
    local list, ids = requests(200)
    local pull, counter = iterator(list)
    assert.are.same(sorted(ids), sorted(finish(client, pull)))
    assert.are.equal(201, counter.pulled)
  end)

  it("the very table that was given, and all four providers", function()
    local list = {}
    for _, operation in ipairs(support.operations) do
      list[#list + 1] = { operation.full, support.id(operation.provider), { timeout = 10 }, note = operation.provider }
    end
    local seen = 0
    for request, result in client:each(list) do
      seen = seen + 1
      assert.are.equal(request.note, result.provider)
      for i = 1, 4 do
        seen = rawequal(list[i], request) and seen + 10 or seen
      end
    end
    assert.are.equal(44, seen)
  end)

  it("errors beside results", function()
    local list, ids = requests(3)
    emulator:faults(ids[2], { { status = 404 } })
    list[4] = { "memories.stop", "" }
    list[5] = { "memories.stop", ids[1], { credentials = {} } }
    list[6] = { "emogg.stop", "nobody" }
    local kinds = {}
    for request, result, message, err in client:each(list) do
      assert.is_true((result == nil) == (err ~= nil))
      assert.are.equal(message, err and err.message)
      for i, one in ipairs(list) do
        if rawequal(one, request) then
          kinds[i] = err and err.kind or result.outcome
        end
      end
    end
    -- Empty credentials are none; the client's are taken then.
    assert.are.same({ "ended", "not_found", "ended", "invalid_id", "ended", "not_found" }, kinds)
  end)

  it("nothing for an empty list, or an iterator at its end", function()
    for _, none in ipairs({ {}, function() return nil end }) do
      for _ in client:each(none) do
        error("something")
      end
    end
    check_nothing_left()
  end)

  it("results in the order in which jobs end", function()
    local list, ids = requests(3)
    assert(client.memories.stop(support.id("memories")))
    emulator:faults(ids[1], { { delay = 0.8 } })
    emulator:faults(ids[2], { { delay = 0.4 } })
    assert.are.same({ ids[3], ids[2], ids[1] }, finish(client, list))
  end)

  it("the default client's jobs as well", function()
    local list = requests(5, nil,
      { base_url = emulator.http .. "/serve/api/v2", credentials = emulator.credentials.memories })
    local seen = 0
    for _, result, message in mediastop.each(list) do
      assert(result, message)
      seen = seen + 1
    end
    assert.are.equal(5, seen)
  end)
end)

describe("concurrency", function()
  for _, concurrency in ipairs({ 1, 2, 7, 64, 1000 }) do
    it(("%d bounds what is pulled and not taken"):format(concurrency), function()
      local list, taken = requests(150), 0
      local pull, counter = iterator(list)
      local most = 0
      local function watched()
        local request = pull()
        if request then
          most = math.max(most, counter.pulled - taken)
        end
        return request
      end
      for _, result, message in client:each(watched, { concurrency = concurrency }) do
        assert(result, message)
        taken = taken + 1
      end
      assert.are.equal(150, taken)
      assert.are.equal(math.min(concurrency, 150), most)
    end)
  end

  it("is 64 where nothing is said", function()
    local pull, counter = iterator((requests(100)))
    local next_result = client:each(pull)
    next_result()
    assert.are.equal(64, counter.pulled)
  end)

  it("counts results that are not taken yet, whoever moved their jobs on", function()
    local taken = 0
    local pull, counter = iterator((requests(60)))
    for _, result, message in client:each(pull, { concurrency = 10 }) do
      assert(result, message)
      taken = taken + 1
      many.step_until(client, function() return client:step() == 0 end)
      assert.is_true(counter.pulled - taken < 10)
    end
    assert.are.equal(60, taken)
  end)

  it("1 keeps the order, and one at a time", function()
    local list, ids = requests(20)
    assert.are.same(ids, finish(client, list, { concurrency = 1 }))
    local before = 0
    for _, id in ipairs(ids) do
      local time = emulator:requests(id)[1].time
      assert.is_true(time >= before)
      before = time
    end
  end)
end)

describe("a request that is malformed gives an error of kind misuse, and the rest goes on:", function()
  local cases = {
    ["no table"] = { 5, "a table" },
    ["false"] = { false, "a table" },
    ["a string"] = { "memories.stop", "a table" },
    ["an empty table"] = { {}, "string expected" },
    ["an unknown operation"] = { { "memories.stopp", "id" }, "did you mean 'memories.stop'?" },
    ["an operation that is no string"] = { { 5, "id" }, "string expected" },
    ["no id"] = { { "memories.stop" }, "string expected" },
    ["an id that is no string"] = { { "memories.stop", 42 }, "string expected, got number" },
    ["options that are no table"] = { { "memories.stop", "id", 5 }, "table expected, got number" },
    ["an unknown option"] = { { "memories.stop", "id", { time_out = 1 } }, "did you mean 'timeout'?" },
    ["an option out of range"] = { { "memories.stop", "id", { timeout = -1 } }, "'timeout'" },
    ["an address that a credential must not go to"] = {
      { "memories.stop", "id", { base_url = "http://x.example" } }, "'base_url'",
    },
    ["named fields"] = { { operation = "memories.stop", id = "id" }, "string expected" },
  }
  for _, name in ipairs(support.keys(cases)) do
    it(name, function()
      local case, list = cases[name], requests(4)
      table.insert(list, 2, case[1])
      table.insert(list, case[1])
      local good, bad = 0, 0
      for request, result, message, err in client:each(list, { concurrency = 2 }) do
        if result then
          good = good + 1
        else
          bad = bad + 1
          assert.is_true(rawequal(case[1], request))
          assert.are.equal("misuse", err.kind, message)
          assert.are.equal(message, err.message)
          assert.is_truthy(message:find(case[2], 1, true), message)
          assert.is_nil(message:find("%c"))
          assert.is_false(err.retryable)
          assert.are.equal("no", err.reached)
          assert.are.equal(0, err.attempts)
        end
      end
      assert.are.same({ 4, 2 }, { good, bad })
      check_nothing_left()
    end)
  end
end)

-- What a loop is left by, while jobs are in flight.
describe("where the loop is left, what is unfinished is cancelled:", function()
  local function leave(way)
    local list, ids = requests(30, { { delay = 0.5 } })
    emulator:faults(ids[1], {})
    local good, message
    -- A function of its own: what it held is garbage when it returns.
    local function run()
      for _, result, text in client:each(list, { concurrency = 20 }) do
        assert(result, text)
        assert.is_true(client:step() > 0)
        if way == "break" then
          break
        elseif way == "return" then
          return
        elseif way == "error" then
          error("the body's")
        end
        coroutine.yield()
      end
    end
    if way == "coroutine" then
      local thread = coroutine.create(run)
      assert(coroutine.resume(thread))
      good = coroutine.status(thread) == "suspended"
    else
      good, message = pcall(run)
    end
    assert.are.equal(way ~= "error", good)
    return ids, message
  end

  local function check_cancelled(ids)
    check_nothing_left()
    local arrived = 0
    for i = 21, 30 do
      arrived = arrived + #emulator:requests(ids[i])
    end
    -- One was taken before, so that one more may have been pulled.
    assert.is_true(arrived <= 1, arrived .. " of those behind")
  end

  for _, way in ipairs({ "break", "return", "error", "coroutine" }) do
    it(way .. ", with the collector", function()
      local ids = leave(way)
      many.collect()
      check_cancelled(ids)
    end)

    if way ~= "coroutine" then
      it(way .. ", at once", function()
        if not closes then
          return pending("this Lua has no closing values")
        end
        collectgarbage("stop")
        local ids = leave(way)
        local left = client:step()
        collectgarbage("restart")
        assert.are.equal(0, left)
        check_cancelled(ids)
      end)
    end
  end

  it("an error keeps its value", function()
    local value = {}
    local good, message = pcall(function()
      for _ in client:each((requests(3))) do
        error(value)
      end
    end)
    assert.is_false(good)
    assert.are.equal(value, message)
  end)

  it("coroutine.close", function()
    if not coroutine.close then
      return pending("this Lua has none")
    end
    local list = requests(10, { { delay = 0.5 } })
    emulator:faults(list[1][2], {})
    local thread = coroutine.create(function()
      for _ in client:each(list) do
        coroutine.yield()
      end
    end)
    assert(coroutine.resume(thread))
    assert.is_true(client:step() > 0)
    coroutine.close(thread)
    check_nothing_left()
  end)

  it("and the client serves on", function()
    leave("break")
    many.collect()
    assert.are.equal(50, #finish(client, (requests(50))))
  end)
end)

describe("an iterator", function()
  it("that raises ends the loop with its error, and cancels what is unfinished, at once", function()
    for _, value in ipairs({ "the iterator's", {} }) do
      local list = requests(10, { { delay = 0.5 } })
      local pull = iterator(list)
      collectgarbage("stop")
      local good, message = pcall(function()
        for _ in client:each(function()
          local request = pull()
          return request or error(value, 0)
        end) do
          error("a result")
        end
      end)
      local left = client:step()
      collectgarbage("restart")
      assert.is_false(good)
      assert.are.equal(value, message)
      assert.are.equal(0, left)
    end
  end)

  it("may take its time: what it gave is sent meanwhile", function()
    local list, ids = requests(3)
    local i, sent = 0, {}
    local order = finish(client, function()
      i = i + 1
      if i > 1 then
        sent[i - 1] = system.wait_until(function() return #emulator:requests(ids[i - 1]) == 1 end, 5 + fault.ROOM)
      end
      return list[i]
    end)
    assert.are.same({ true, true, true }, sent)
    assert.are.same(sorted(ids), sorted(order))
  end)

  it("may be a table that can be called", function()
    local list, ids = requests(3)
    local pull = iterator(list)
    assert.are.same(sorted(ids), sorted(finish(client, setmetatable({}, { __call = function() return pull() end }))))
  end)

  it("may give tables whose metatable raises", function()
    local words = setmetatable({}, { __index = function() error("raised", 0) end })
    local count = 0
    for request, result, message, err in client:each({ words }) do
      count = count + 1
      assert.are.equal(words, request)
      assert.is_nil(result)
      assert.are.equal("misuse", err.kind, message)
    end
    assert.are.equal(1, count)
  end)

  it("may be a coroutine.wrap", function()
    local list, ids = requests(20)
    local wrapped = coroutine.wrap(function()
      for _, request in ipairs(list) do
        coroutine.yield(request)
      end
    end)
    assert.are.same(sorted(ids), sorted(finish(client, wrapped, { concurrency = 3 })))
  end)

  it("may be another each", function()
    local first, second = requests(20), {}
    local results = client:each(first)
    for request, result, message in client:each(function()
      local done, result, message = results()
      assert(not done or result, message)
      return done and { "memories.stop", done[2] }
    end, { concurrency = 5 }) do
      assert(result, message)
      second[#second + 1] = request[2]
    end
    assert.are.equal(20, #second)
    for _, request in ipairs(first) do
      assert.are.equal(2, #emulator:requests(request[2]))
    end
  end)

  it("may use the client", function()
    local list = requests(10)
    local pull = iterator(list)
    local seen = 0
    for _, result, message in client:each(function()
      client:step()
      assert(client.memories.stop(support.id("memories")))
      return pull()
    end, { concurrency = 3 }) do
      assert(result, message)
      seen = seen + 1
    end
    assert.are.equal(10, seen)
  end)
end)

describe("the loop's body may", function()
  it("go through an each of its own", function()
    local inner, outer = 0, 0
    for _, result, message in client:each(requests(8), { concurrency = 4 }) do
      assert(result, message)
      outer = outer + 1
      for _, other, text in client:each(requests(6), { concurrency = 3 }) do
        assert(other, text)
        inner = inner + 1
      end
    end
    assert.are.same({ 8, 48 }, { outer, inner })
    check_nothing_left()
  end)

  it("break out of that one", function()
    local outer = 0
    for _, result, message in client:each(requests(8), { concurrency = 4 }) do
      assert(result, message)
      outer = outer + 1
      for _ in client:each(requests(6), { concurrency = 3 }) do -- luacheck: ignore 512
        break
      end
    end
    assert.are.equal(8, outer)
  end)

  it("take its time with each result, the refused ones too: the others' time does not run out", function()
    local quick = support.client({ timeout = 2, max_connections = 4 })
    local list, ids = requests(60)
    for _ = 1, 40 do
      table.insert(list, 2, { "memories.stop", "" })
    end
    local ended, refused = {}, 0
    for request, result, message, err in quick:each(list) do
      assert(result or err.kind == "invalid_id", message)
      ended[#ended + 1] = result and request[2]
      refused = refused + (result and 0 or 1)
      socket.sleep(0.06)
    end
    quick:close()
    assert.are.equal(40, refused)
    assert.are.same(sorted(ids), sorted(ended))
  end)

  it("call, start, step", function()
    local jobs, seen = {}, 0
    for _, result, message in client:each(requests(10), { concurrency = 4 }) do
      assert(result, message)
      seen = seen + 1
      assert(client.memories.stop(support.id("memories")))
      jobs[seen] = assert(client:start("memories.stop", support.id("memories")))
      client:step()
    end
    assert.are.equal(10, seen)
    for _, job in ipairs(jobs) do
      assert.is_true(job:wait())
      assert(job:result())
    end
  end)

  it("close the client", function()
    local kinds = {}
    for _, result, _, err in client:each(requests(10), { concurrency = 4 }) do
      kinds[result and "ended" or err.kind] = (kinds[result and "ended" or err.kind] or 0) + 1
      client:close()
    end
    assert.are.equal(10, kinds.closed + kinds.ended)
    assert.is_true(kinds.ended <= 4)
  end)

  it("be many bodies in many coroutines", function()
    local threads, seen = {}, 0
    for i = 1, 10 do
      threads[i] = coroutine.wrap(function()
        for _, result, message in client:each(requests(10), { concurrency = 3 }) do
          assert(result, message)
          seen = seen + 1
          coroutine.yield(true)
        end
      end)
    end
    while #threads > 0 do
      for i = #threads, 1, -1 do
        if not threads[i]() then
          table.remove(threads, i)
        end
      end
    end
    assert.are.equal(100, seen)
  end)
end)

describe("misuse of each raises where it is called:", function()
  local nan = 0 / 0
  -- What the message says; the arguments.
  local cases = {
    { "bad argument #1 to 'each' (list or iterator expected, got nil)" },
    { "bad argument #1 to 'each' (list or iterator expected, got number)", 5 },
    { "bad argument #1 to 'each' (list or iterator expected, got string)", "memories.stop" },
    { "bad argument #2 to 'each' (table expected, got number)", {}, 5 },
    { "bad argument #2 to 'each' (table expected, got string)", {}, "5" },
    { "bad argument #2 to 'each' (unknown option 'concurency'", {}, { concurency = 5 } },
    { "bad argument #2 to 'each' (unknown option 'timeout'", {}, { timeout = 5 } },
    { "bad argument #2 to 'each' (unknown option '1'", {}, { 5 } },
  }
  for _, value in ipairs({ 0, -1, 1.5, "5", true, {}, math.huge, -math.huge, nan }) do
    cases[#cases + 1] = { "bad argument #2 to 'each' (option 'concurrency'", {}, { concurrency = value } }
  end
  local owners = {
    mediastop = mediastop.each,
    ["a client"] = function(...)
      local next_result, state, first, closing = client:each(...)
      return next_result, state, first, closing
    end,
  }
  for name, each in pairs(owners) do
    it(name, function()
      for _, case in ipairs(cases) do
        local good, message = pcall(function()
          local next_result = each(case[2], case[3])
          return next_result
        end)
        assert.is_false(good, case[1])
        assert.is_truthy(message:find(case[1], 1, true), message)
        assert.is_truthy(message:find("each_spec.lua:%d+: bad argument"), message)
      end
    end)
  end
end)

describe("a provider's 429", function()
  for name, warm in pairs({ ["at once"] = false, ["once the provider has answered"] = true }) do
    it("slows its jobs within each, not the others': " .. name, function()
      local ids, list = many.ids("memories", 20), {}
      emulator:faults(ids[1], { { status = 429, headers = { ["Retry-After"] = "1" } } })
      for i, id in ipairs(ids) do
        list[2 * i - 1] = { "memories.stop", id }
        list[2 * i] = { "fastpix.finish", support.id("fastpix") }
      end
      client:close()
      client = support.client({ max_connections = 2 })
      if warm then
        assert(client.memories.stop(support.id("memories")))
      end
      local began, last = socket.gettime(), {}
      for _, result, message in client:each(list) do
        assert(result, message)
        last[result.provider] = socket.gettime() - began
      end
      assert.is_true(last.memories >= 0.98)
      assert.is_true(last.fastpix < 0.9)
      -- Few were under way when the provider said so.
      local early = 0
      for _, id in ipairs(ids) do
        early = early + (emulator:requests(id)[1].time - emulator:requests(ids[1])[1].time < 0.9 and 1 or 0)
      end
      assert.is_true(early <= 4, early .. " were not held")
    end)
  end
end)

describe("many stops", function()
  local function memory()
    many.collect()
    local file = io.open("/proc/self/status")
    local resident = file and tonumber(file:read("*a"):match("VmRSS:%s*(%d+)"))
    if file then
      file:close()
    end
    return collectgarbage("count"), resident
  end

  for _, origin in ipairs({ "http", "tls", "h2" }) do
    it("5,000 over " .. origin, function()
      local list, ids = requests(5000)
      client:close()
      client = support.origin_client(emulator[origin], { timeout = 60, attempt_timeout = 60 })
      local order = finish(client, list, { concurrency = 500 })
      assert.are.same(sorted(ids), sorted(order))
      local seen = {}
      for _, id in ipairs(ids) do
        seen[id] = true
      end
      local arrived = 0
      for _, request in ipairs(emulator:requests()) do
        arrived = arrived + (seen[request.id] and 1 or 0)
      end
      assert.are.equal(5000, arrived)
      check_nothing_left()
    end)
  end

  it("50,000 need no more memory than 10,000", function()
    local ids, i, ended, counts = many.ids("memories", 500), 0, 0, {}
    client:close()
    client = support.client({ timeout = 120, attempt_timeout = 120 })
    for _, result, message in client:each(function()
      i = i + 1
      return i <= 50000 and { "memories.stop", ids[i % #ids + 1] } or nil
    end, { concurrency = 200 }) do
      assert(result, message)
      ended = ended + 1
      -- With as many results not yet taken as may be.
      if ended == 10000 or ended == 49000 then
        counts[#counts + 1] = { memory() }
      end
    end
    assert.are.equal(50000, ended)
    assert.is_true(counts[2][1] - counts[1][1] < 1000, ("%.0f KiB of Lua more"):format(counts[2][1] - counts[1][1]))
    if counts[1][2] then
      assert.is_true(counts[2][2] - counts[1][2] < 4096, ("%d KiB more"):format(counts[2][2] - counts[1][2]))
    end
  end)

  it("the list of finished jobs does not grow where results are never all taken", function()
    local ids, i, taken, counts = many.ids("memories", 50), 0, 0, {}
    for _, result, message in client:each(function()
      i = i + 1
      return i <= 3000 and { "memories.stop", ids[i % #ids + 1] } or nil
    end, { concurrency = 20 }) do
      assert(result, message)
      taken = taken + 1
      -- Until more than half of those in flight have ended.
      many.step_until(client, function() return client:step() < 10 end, 5 + fault.ROOM)
      if taken == 500 or taken == 2900 then
        counts[#counts + 1] = memory()
      end
    end
    assert.are.equal(3000, taken)
    assert.is_true(counts[2] - counts[1] < 200, ("%.0f KiB more"):format(counts[2] - counts[1]))
  end)
end)
