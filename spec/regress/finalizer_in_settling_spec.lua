--- A finalizer that uses the client may run while an answer is read or an error is made, for that makes tables. It met
--- the very job, and settled or ended it again: a crash, a loop without an end, results that were untrue or lost.
local many = require("spec.support.many")
local support = require("spec.support")

-- What the finalizer does while `job` is worked on.
local deeds = {
  cancel = "job:cancel()",
  close = "client:close()",
  poll = "assert(not job:poll())",
  wait = "assert(not job:wait())",
  step = "while client:step() > 0 do end",
  start = "assert(client:start('fastpix.finish', place.ids[2])):wait()",
  call = "assert(client.fastpix.finish(place.ids[2]))",
  collect = "client:step() collectgarbage()",
}

-- The collector runs from the moment the request goes out: the answer is large enough for it to come to the finalizer.
local once = [[
local events = {}
local client, job = new_client({ attempts = ATTEMPTS })
local ran
collectgarbage()
collectgarbage("stop")
on_collection(function() ran = true DEED end)
job = assert(client:start("fastpix.finish", place.ids[1], { on_event = function(event)
  events[#events + 1] = event.type
  if event.type == "attempt" then
    collectgarbage("restart")
  end
end }))
job:wait()
local result, message, err = job:result()
assert(ran, "the finalizer did not run")
print(result and result.outcome .. " " .. result.status .. " " .. tostring(result.body.success) or err.kind,
  table.concat(events, " "))
]]

describe("a finalizer that runs while a job is worked on", function()
  local answers = {
    { "a success", { status = 200, body = '{"success":true,"data":[' .. ("{},"):rep(20000) .. "{}]}" }, 1 },
    { "a refusal", { status = 403, body = '{"success":false,"data":[' .. ("{},"):rep(20000) .. "{}]}" }, 1 },
    { "a failure", { status = 503, body = '{"success":false,"data":[' .. ("{},"):rep(20000) .. "{}]}" }, 2 },
  }
  -- By deed, where that changes what comes of it.
  local expected = {
    ["a success"] = { "ended 200 true\tattempt result\n" },
    ["a refusal"] = { "forbidden\tattempt result\n" },
    ["a failure"] = { "ended 200 true\tattempt retry attempt result\n",
      cancel = "cancelled\tattempt result\n", close = "closed\tattempt result\n" },
  }

  for _, answer in ipairs(answers) do
    for what, deed in pairs(deeds) do
      it(("does not meet it: %s, %s"):format(answer[1], what), function()
        local ids = many.ids("fastpix", 2)
        support.emulator():faults(ids[1], { answer[2] })
        local printed = many.good_child((once:gsub("%u+", { DEED = deed, ATTEMPTS = tostring(answer[3]) })), ids)
        assert.are.equal(expected[answer[1]][what] or expected[answer[1]][1], printed)
      end)
    end
  end

  -- Finalizers without end, each of which moves the client on, with a collector that never rests.
  local restless = [[
    local on, told = true, {}
    local client = new_client({ timeout = TIMEOUT, on_event = function(event)
      if event.type == "result" then
        told[event.id] = (told[event.id] or 0) + 1
      end
    end })
    local function sentinel()
      on_collection(function()
        if on then
          client:step()
          sentinel()
        end
      end)
    end
    for _ = 1, 8 do
      sentinel()
    end
    collectgarbage("setpause", 0)
    collectgarbage("setstepmul", 100000)
    local results = {}
    local function note(id, result, err)
      assert(not results[id], "a result came twice")
      results[id] = result and result.outcome or err.kind
    end
    WAY
    on = false
    for _, id in ipairs(place.ids) do
      assert(told[id] == 1, tostring(told[id]))
      assert(results[id] == "EXPECTED", results[id])
    end
  ]]
  local ways = {
    ["each"] = [[
      local requests = {}
      for i, id in ipairs(place.ids) do
        requests[i] = { "fastpix.finish", id }
      end
      for request, result, _, err in client:each(requests) do
        note(request[2], result, err)
      end]],
    ["wait"] = [[
      local jobs = {}
      for i, id in ipairs(place.ids) do
        jobs[i] = client:start("fastpix.finish", id)
      end
      for i, id in ipairs(place.ids) do
        jobs[i]:wait()
        local result, _, err = jobs[i]:result()
        note(id, result, err)
      end]],
  }

  for what, way in pairs(ways) do
    for outcome, timeout in pairs({ ended = 20, timeout = 0.3 }) do
      it(("loses nothing of many, and tells nothing twice: %s, %s"):format(what, outcome), function()
        local ids = many.ids("fastpix", 200)
        if outcome == "timeout" then
          for _, id in ipairs(ids) do
            support.emulator():faults(id, { { hang = 2 } })
          end
        end
        local words = { TIMEOUT = tostring(timeout), WAY = way, EXPECTED = outcome }
        many.good_child((restless:gsub("%u%u%u+", words)), ids)
      end)
    end
  end
end)
