--- Random sequences of everything that a program may do with a client and its jobs, against a server with random
--- faults; what must hold of every job whatever happens stands in spec/support/model.lua.
---
--- MODEL_SECONDS says for how long (12), MODEL_SEED that one sequence is to be played again, alone.
local model = require("spec.support.model")
local raw_server = require("spec.support.raw_server")
local socket = require("socket")

local SECONDS = tonumber(os.getenv("MODEL_SECONDS") or 12)
local AT_ONCE = 40
local JUDGED_AT_ONCE = 20

local function report(sequence, problem)
  error(("MODEL_SEED=%d: %s\n  %s"):format(sequence.seed, problem, table.concat(sequence.log, "\n  ")), 0)
end

-- Judges sequences that are over by what the server saw.
local function judge(server, sequences, counts)
  local seeds = {}
  for i, sequence in ipairs(sequences) do
    seeds[i] = sequence.seed
  end
  local seen = server:seen(seeds)
  for _, sequence in ipairs(sequences) do
    local problem = model.judge(sequence, seen)
    if problem then
      report(sequence, problem)
    end
    model.count(sequence, counts)
  end
end

-- Moves a sequence on: whether it is over.
local function move(sequence)
  local ok, problem = coroutine.resume(sequence.thread)
  if not ok then
    report(sequence, debug.traceback(sequence.thread, tostring(problem)))
  end
  return coroutine.status(sequence.thread) == "dead"
end

describe("whatever happens to jobs,", function()
  it("each ends once, and what is said of it is true", function()
    local replayed = tonumber(os.getenv("MODEL_SEED"))
    local first = replayed or os.time() % 1000000 * 1000
    local server = raw_server.listen({}, nil, nil, { { model = true } })
    local stop = socket.gettime() + SECONDS
    local running, over, counts, made = {}, {}, {}, 0
    repeat
      local more = made < (replayed and 1 or math.huge) and socket.gettime() < stop
      while more and #running < AT_ONCE and made < (replayed and 1 or math.huge) do
        running[#running + 1] = model.new(first + made, model.client_of(server))
        made = made + 1
      end
      for i = #running, 1, -1 do
        if move(running[i]) then
          over[#over + 1] = table.remove(running, i)
        end
      end
      if #over >= JUDGED_AT_ONCE or #running == 0 then
        judge(server, over, counts)
        over = {}
      end
      socket.sleep(0.0002)
    until #running == 0 and not more
    server:close()
    local words = {}
    for word, count in pairs(counts) do
      words[#words + 1] = word .. " " .. count
    end
    table.sort(words)
    io.stderr:write(("model: from MODEL_SEED=%d, %d sequences: %s\n"):format(first, made, table.concat(words, ", ")))
  end)
end)
