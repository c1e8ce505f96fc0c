--- The module itself.
--   lua subject/mediastop.lua MODE ORIGIN CA WARM COUNT [IN_FLIGHT [CONNECTIONS]]
-- MODE: `one` (blocking calls), `wait` (start, wait), `poll` (start, step when the descriptor is readable), `each`,
-- `step` (prints what step() takes), `window` (COUNT calls after WARM, for callgrind), `growth` (five
-- times 1,000 calls after WARM, and as many after COUNT).
local mediastop = require "mediastop"

local mode, origin, ca = arg[1], arg[2], arg[3]
local warm, count = tonumber(arg[4]), tonumber(arg[5])
local in_flight, connections = tonumber(arg[6] or 1), tonumber(arg[7] or arg[6] or 1)

local client = mediastop.new {
  base_url = {
    memories = origin .. "/serve/api/v2",
    emogg = origin .. "/v1",
    fastpix = origin .. "/v1",
  },
  credentials = {
    memories = { api_key = "sk-mavi-bench-0123456789abcdef" },
    emogg = { token = "emogg-bench-0123456789abcdef" },
    fastpix = { username = "fastpix-bench", password = "fastpix-bench-0123456789abcdef" },
  },
  ca_file = ca ~= "-" and ca or nil,
  max_connections = connections,
  proxy = "",
}

local operations = { "memories.stop", "screenplay.cancel", "emogg.stop", "fastpix.finish" }
local ids = {
  "550e8400-e29b-41d4-a716-446655440000", "ros-sd-20260313-a3f8c2b1",
  "65ea1530bb50af72b6e3dc1e", "91a264dcc447b63da6fb79ef925cd76d",
}
local calls = { client.memories.stop, client.screenplay.cancel, client.emogg.stop, client.fastpix.finish }

local run = {}

function run.one(n)
  for i = 0, n - 1 do
    local place = i % 4 + 1
    local result = assert(calls[place](ids[place]))
    assert(result.status == 200)
  end
end

function run.wait(n)
  for i = 0, n - 1 do
    local place = i % 4 + 1
    local job = assert(client:start(operations[place], ids[place]))
    job:wait()
    assert(assert(job:result()).status == 200)
  end
end

-- As a loop of a host's does: the descriptor is waited for by poll(2), the jobs are moved on by step().
function run.poll(n)
  local support = require "bench_support"
  local fd = client:fd()
  for i = 0, n - 1 do
    local place = i % 4 + 1
    local job = assert(client:start(operations[place], ids[place]))
    while client:step() > 0 do
      support.readable(fd, client:due())
    end
    assert(assert(job:result()).status == 200)
  end
end

function run.each(n)
  local i = 0
  local function requests()
    i = i + 1
    local place = i % 4 + 1
    return i <= n and { operations[place], ids[place] } or nil
  end
  local ended = 0
  for _, result, message in client:each(requests, { concurrency = in_flight }) do
    assert(result, message)
    ended = ended + 1
  end
  assert(ended == n)
end

-- Microseconds of processor time that step() takes: idle, and with a job whose answer does not come.
function run.step(n)
  local function time()
    local began = os.clock()
    for _ = 1, n do
      client:step()
    end
    return (os.clock() - began) / n * 1e6
  end
  local idle = time()
  local job = assert(client:start("fastpix.finish", ids[4], { timeout = 600, attempt_timeout = 600 }))
  job:wait(0.1)
  print(("step %.3f %.3f"):format(idle, time()))
  job:cancel()
end

-- Runs calls that callgrind counts.
local function count_calls(n)
  local support = require "bench_support"
  support.count(true)
  run.one(n)
  support.count(false)
end

function run.window(n)
  run.one(warm)
  count_calls(n)
end

function run.growth(n)
  run.one(warm)
  for _ = 1, 5 do
    count_calls(1000)
  end
  run.one(n - warm - 5000)
  for _ = 1, 5 do
    count_calls(1000)
  end
end

if warm > 0 and run[mode] ~= run.window and run[mode] ~= run.growth then
  run[mode](warm)
end
if count > 0 then
  run[mode](count)
end
