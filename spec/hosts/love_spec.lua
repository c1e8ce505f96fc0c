--- examples/love in LÖVE, and what `step` takes of a game's frames.
local host = require("spec.hosts.host")
local support = require("spec.support")
local system = require("spec.emulator.system")
local json = require("cjson").new()

local emulator = support.emulator()

local function start(words, options)
  local all = { "xvfb-run", "-a", "-s", "-screen 0 640x480x24", "love" }
  for _, word in ipairs(words) do
    all[#all + 1] = word
  end
  options.lua = "jit"
  options.environment = support.merge({ SDL_AUDIODRIVER = "dummy", LIBGL_ALWAYS_SOFTWARE = "1" }, options.environment)
  return host.start(all, options)
end

-- The example with a player: Lua source that is run at each frame, whose number is `frame`.
local function play(player, arguments, environment)
  local game = host.folder()
  host.copy(game, "examples/love/conf.lua")
  system.capture(("cp examples/love/main.lua %s/game.lua"):format(game))
  system.write_file(game .. "/main.lua", ([[
    require("game")
    local update, frame = love.update, 0
    function love.update(...)
      update(...)
      frame = frame + 1
      %s
    end
  ]]):format(player))
  local words = { game }
  for _, word in ipairs(arguments) do
    words[#words + 1] = word
  end
  return start(words, { seconds = 60, environment = environment })
end

describe("LÖVE", function()
  local missing = host.missing("love", "xvfb-run")
  if missing then
    return pending(missing)
  end

  local function base(provider)
    return { MEDIASTOP_BASE_URL = emulator:base_url()[provider] }
  end

  it("ends a job at a key, while frames go on", function()
    local id = support.id("fastpix")
    emulator:faults(id, { { delay = 0.5 } })
    local program = play([[
      if frame == 2 then
        love.event.push("keypressed", "s")
      elseif frame % 10 == 0 then
        print("frame " .. frame)
        io.stdout:flush()
      end
    ]], { "fastpix.finish", id }, base("fastpix"))
    program:expect("(fastpix.finish " .. id:gsub("%p", "%%%0") .. ": ended)")
    program:kill()
    local before = program:output():match("frame (%d+)\nfastpix.finish")
    assert.is_true(tonumber(before) >= 10, program:output())
  end)

  it("ends what is left when it quits", function()
    local words, environment = {}, base("memories")
    for _ = 1, 20 do
      words[#words + 1] = "memories.stop"
      words[#words + 1] = support.id("memories")
    end
    local program = play("if frame == 5 then love.event.quit() end", words, environment)
    assert.are.equal(0, (program:wait()))
    for i = 2, #words, 2 do
      assert.are.equal("stopped", emulator:state("memories", words[i]))
      assert.is_truthy(program:output():find("memories.stop " .. words[i] .. ": ended", 1, true))
    end
  end)

  it("quits by the call's own timeout where the provider never answers", function()
    local id = support.id("fastpix")
    emulator:faults(id, { { hang = 60, times = 9 } })
    local words = { "fastpix.finish", id }
    local program = play("if frame == 5 then love.event.quit() end", words, base("fastpix"))
    local status, seconds = program:wait()
    assert.are.equal(0, status)
    assert.is_truthy(program:output():find("fastpix.finish " .. id .. ": timeout: ", 1, true), program:output())
    assert.is_true(seconds > 5 and seconds < 5 + 10, ("%.1f s"):format(seconds))
  end)

  it("says which operation it does not know", function()
    local program = play("", { "fastpix.stop", "x" }, {})
    program:expect("(unknown operation 'fastpix.stop')")
    program:kill()
  end)

  it("begins anew 20 times in one process, with jobs under way, and does not crash", function()
    local id = support.id("memories")
    emulator:faults(id, { { delay = 0.2, times = 1000 } })
    local program = play(([[
      local file = "rounds"
      if frame == 1 then
        require("mediastop").start("memories.stop", %q, { base_url = os.getenv("MEDIASTOP_BASE_URL") })
      elseif frame == 4 then
        local round = tonumber(love.filesystem.read(file) or 0) + 1
        love.filesystem.write(file, tostring(round))
        print("round " .. round)
        love.event.quit(round < 20 and "restart" or 0)
      end
    ]]):format(id), {}, base("memories"))
    assert.are.equal(0, (program:wait()))
    assert.is_truthy(program:output():find("round 20", 1, true), program:output())
    assert.is_true(#emulator:requests(id) >= 10)
  end)
end)

-- What a step takes is measured in the processor's time of its thread: what other programs do meanwhile is not in it. A
-- step that blocked would show in the longest by the clock: the server answers after more than a second, or never.
describe("LÖVE at 60 frames a second with 200 stops in flight", function()
  local missing = host.missing("love", "xvfb-run")
  if missing then
    return pending(missing)
  end

  local function frames(origin, steps)
    local requests = {}
    for i = 1, 200 do
      local operation = support.operations[i % #support.operations + 1]
      local id = support.id(operation.provider)
      emulator:faults(id, steps)
      requests[i] = { operation = operation.full, id = id }
    end
    local program = start({ "spec/hosts/love" }, { environment = { SETTINGS = json.encode({
      base_url = emulator:base_url(emulator[origin]),
      ca_file = emulator.ca_file,
      credentials = emulator.credentials,
      requests = requests,
      options = { timeout = 5, attempt_timeout = 1.5 },
    }) } })
    local status = program:wait()
    assert.are.equal(0, status, program:output())
    local answer = json.decode((program:output():match("{.*}")))
    if os.getenv("MEDIASTOP_FRAMES") then
      print(("\n%s, %s: %d frames; processor: over 2 ms %d, longest %.2f, mean %.3f ms; clock: %d, %.2f ms")
        :format(origin, steps[1].hang and "stalls" or "slow", answer.frames, answer.cpu.over, answer.cpu.longest * 1e3,
        answer.cpu.mean * 1e3, answer.wall.over, answer.wall.longest * 1e3))
    end
    return answer
  end

  for _, origin in ipairs({ "http", "h2", "tls" }) do
    for what, steps in pairs({ ["is slow"] = { { delay = 1.2 } }, ["stalls"] = { { hang = 60, times = 9 } } }) do
      it(("takes 2 ms at most of any frame for `step` where the server %s: %s"):format(what, origin), function()
        local answer = frames(origin, steps)
        assert.are.equal(200, answer.in_flight)
        assert.is_true(answer.frames > 60, answer.frames .. " frames")
        assert.is_true(answer.cpu.longest <= 0.002, ("%.2f ms; %d of %d frames"):format(answer.cpu.longest * 1e3,
          answer.cpu.over, answer.frames))
        assert.is_true(answer.wall.longest < 0.25, ("%.3f s"):format(answer.wall.longest))
      end)
    end
  end
end)
