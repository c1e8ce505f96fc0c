--- examples/haproxy in HAProxy.
local host = require("spec.hosts.host")
local socket = require("socket")
local support = require("spec.support")
local system = require("spec.emulator.system")

local emulator = support.emulator()
local program, port, plain_port

local configuration = [[
global
  nbthread %d
  lua-load-per-thread examples/haproxy/mediastop.lua
defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 5s
frontend stops
  bind 127.0.0.1:%d
  http-request use-service lua.mediastop
frontend others
  bind 127.0.0.1:%d
  http-request return status 200 content-type text/plain string ok
]]

-- `mode`: of HAProxy's command line.
local function start(threads, environment, mode)
  local ports = system.free_ports(2)
  port, plain_port = ports[1], ports[2]
  local file = host.folder() .. "/haproxy.cfg"
  system.write_file(file, configuration:format(threads, port, plain_port))
  local words = { "haproxy", mode or "-db", "-f", file }
  program = host.start(words, { lua = "5.3", seconds = 60, environment = environment })
  assert.is_true(system.wait_until(function()
    local peer = socket.connect("127.0.0.1", plain_port)
    return peer and peer:close()
  end, 10), program:output())
end

-- Begins a request; returns what waits for its answer: status, body, seconds since it began.
local function begin(method, path, to)
  local peer = assert(socket.connect("127.0.0.1", to or port))
  local began = socket.gettime()
  assert(peer:send(("%s %s HTTP/1.0\r\nContent-Length: 0\r\n\r\n"):format(method, path)))
  return function()
    peer:settimeout(20)
    local answer = peer:receive("*a")
    peer:close()
    return tonumber(answer:match("^HTTP/1.%d (%d+)")), answer:match("\r\n\r\n(.*)$"), socket.gettime() - began
  end
end

local function ask(...)
  return begin(...)()
end

describe("HAProxy", function()
  local missing = host.missing("haproxy")
  if missing then
    return pending(missing)
  end

  after_each(function()
    program:kill()
  end)

  for _, operation in ipairs(support.operations) do
    it("ends a job and answers what came of it: " .. operation.full, function()
      start(1, { MEDIASTOP_BASE_URL = emulator:base_url()[operation.provider] })
      local id = support.id(operation.provider)
      local status, body = ask("POST", "/stop/" .. operation.full .. "/" .. id)
      assert.are.equal(200, status, body)
      assert.is_truthy(body:find('^{"outcome":"[a-z_]+"}\n$'), body)
      assert.are.equal(1, #emulator:requests(id))
    end)
  end

  it("answers 502 and 503 with what the error says, 400 to what is no request", function()
    start(1, { MEDIASTOP_BASE_URL = emulator:base_url().fastpix, MEDIASTOP_TIMEOUT = "1" })
    local status, body = ask("POST", "/stop/fastpix.finish/nobody")
    assert.are.equal(502, status)
    assert.is_truthy(body:find('"kind":"not_found"', 1, true), body)
    local id = support.id("fastpix")
    emulator:faults(id, { { hang = 30, times = 9 } })
    local seconds
    status, body, seconds = ask("POST", "/stop/fastpix.finish/" .. id)
    assert.are.equal(503, status)
    assert.is_truthy(body:find('"kind":"timeout"', 1, true) and body:find('"reached":"maybe"', 1, true), body)
    assert.is_true(seconds < 3, ("%.1f s"):format(seconds))
    for path, words in pairs({ ["/stop/fastpix.stop/x"] = "unknown operation", ["/"] = "is expected" }) do
      status, body = ask("POST", path)
      assert.are.equal(400, status)
      assert.is_truthy(body:find(words, 1, true), body)
    end
    assert.are.equal(400, (ask("GET", "/stop/fastpix.finish/" .. id)))
    assert.is_truthy(program:output():find("[ALERT]", 1, true) == nil, program:output())
  end)

  -- One thread for all, so that whatever blocked would stall all.
  it("carries out stops side by side, and stalls no other traffic", function()
    start(1, { MEDIASTOP_BASE_URL = emulator:base_url().memories })
    local waiting = {}
    for i = 1, 20 do
      local id = support.id("memories")
      emulator:faults(id, { { delay = 1 } })
      waiting[i] = begin("POST", "/stop/memories.stop/" .. id)
    end
    local slowest, answered = 0, 0
    local until_then = socket.gettime() + 0.8
    while socket.gettime() < until_then do
      local status, body, seconds = ask("GET", "/", plain_port)
      assert.are.equal(200, status)
      assert.are.equal("ok", body)
      slowest, answered = math.max(slowest, seconds), answered + 1
    end
    for _, wait in ipairs(waiting) do
      local status, body, seconds = wait()
      assert.are.equal(200, status, body)
      assert.is_true(seconds < 3, ("%.1f s for one of 20"):format(seconds))
    end
    if os.getenv("MEDIASTOP_FRAMES") then
      print(("\n%d other requests beside 20 stops, the slowest %.1f ms"):format(answered, slowest * 1e3))
    end
    -- One blocking stop would hold it for a second.
    assert.is_true(slowest < 0.3, ("%.3f s"):format(slowest))
  end)

  it("has a client of its own in each thread", function()
    start(4, { MEDIASTOP_BASE_URL = emulator:base_url().memories })
    local waiting = {}
    for i = 1, 100 do
      waiting[i] = begin("POST", "/stop/memories.stop/" .. support.id("memories"))
    end
    for _, wait in ipairs(waiting) do
      assert.are.equal(200, (wait()))
    end
  end)

  it("ends at once when it is told to, with stops under way", function()
    start(2, { MEDIASTOP_BASE_URL = emulator:base_url().fastpix })
    local id = support.id("fastpix")
    emulator:faults(id, { { hang = 30, times = 9 } })
    begin("POST", "/stop/fastpix.finish/" .. id)
    assert.is_true(system.wait_until(function() return #emulator:requests(id) == 1 end, 5))
    local began = socket.gettime()
    program:signal("TERM")
    program:wait(10)
    assert.is_true(socket.gettime() - began < 5)
    assert.is_nil(program:output():lower():find("segmentation", 1, true), program:output())
  end)

  it("reloads 20 times, and lets the stop that is under way at each finish", function()
    start(2, { MEDIASTOP_BASE_URL = emulator:base_url().memories }, "-W")
    local function count(words)
      return select(2, program:output():gsub(words, ""))
    end
    local function reload()
      local before = count("Reloading HAProxy")
      local function heeded()
        return count("Reloading HAProxy") > before
      end
      local function loaded()
        return count("Loading success") > count("Reloading HAProxy")
      end
      assert.is_true(system.wait_until(function()
        socket.sleep(0.1) -- HAProxy is deaf to the signal for a moment behind a reload
        program:signal("USR2")
        return system.wait_until(heeded, 1)
      end, 10) and system.wait_until(loaded, 10), program:output())
    end
    local waiting = {}
    for i = 1, 20 do
      local id = support.id("memories")
      emulator:faults(id, { { delay = 1 } })
      waiting[i] = begin("POST", "/stop/memories.stop/" .. id)
      assert.is_true(system.wait_until(function() return #emulator:requests(id) == 1 end, 10), program:output())
      reload()
    end
    for _, wait in ipairs(waiting) do
      local status, body = wait()
      assert.are.equal(200, status, body)
    end
    assert.is_nil(program:status())
    program:signal("TERM")
    program:wait(10)
    for _, word in ipairs({ "Segmentation", "Aborted" }) do
      assert.is_nil(program:output():find(word, 1, true), program:output())
    end
  end)
end)
