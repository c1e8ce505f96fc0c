--- examples/obs in OBS, which streams to ffmpeg.
local host = require("spec.hosts.host")
local json = require("cjson").new()
local socket = require("socket")
local support = require("spec.support")
local system = require("spec.emulator.system")

local emulator = support.emulator()

-- What a user's clicks would do: streams, stops `stop_after` seconds later (0: never), says when `quit_after` seconds
-- are over, and counts the frames that came late.
local driver = [[
local obs = obslua
local began, stopped, lagged, stop_after, quit_after

local function seconds()
  return obs.os_gettime_ns() / 1e9
end

local function say(...)
  obs.script_log(obs.LOG_INFO, string.format(...))
end

local function tick()
  local now = seconds()
  if began and not stopped and stop_after > 0 and now - began > stop_after then
    stopped, lagged = now, obs.obs_get_lagged_frames()
    say("driver: %d of %d frames lagged before the stop", lagged, obs.obs_get_total_frames())
    obs.obs_frontend_streaming_stop()
  elseif began and now - began > quit_after then
    obs.timer_remove(tick)
    say("driver: %d of %d frames lagged at the end", obs.obs_get_lagged_frames(), obs.obs_get_total_frames())
    say("driver: quit %d", io.open("/proc/self/stat"):read("*n"))
  end
end

function script_load(data)
  stop_after = obs.obs_data_get_double(data, "stop_after")
  quit_after = obs.obs_data_get_double(data, "quit_after")
  obs.obs_frontend_add_event_callback(function(event)
    if event == obs.OBS_FRONTEND_EVENT_FINISHED_LOADING then
      obs.obs_frontend_streaming_start()
    elseif event == obs.OBS_FRONTEND_EVENT_STREAMING_STARTED then
      began = seconds()
      say("driver: the stream has started")
    elseif event == obs.OBS_FRONTEND_EVENT_STREAMING_STOPPED then
      say("driver: the stream has stopped")
    end
  end)
  obs.timer_add(tick, 50)
end
]]

local function write(path, text)
  system.capture("mkdir -p " .. system.quote(path:match("^(.*)/")))
  system.write_file(path, text)
end

-- OBS as a user has it who has set the stream's server, a small picture, and the scripts.
local function start(scripts, port)
  local home = host.folder()
  local config = home .. "/.config/obs-studio"
  write(config .. "/global.ini", "[General]\nFirstRun=true\nLastVersion=486539266\nEnableAutoUpdates=false\n"
    .. "[Basic]\nProfile=spec\nProfileDir=spec\nSceneCollection=spec\nSceneCollectionFile=spec\n"
    .. "[BasicWindow]\nWarnBeforeStartingStream=false\nWarnBeforeStoppingStream=false\n")
  write(config .. "/basic/profiles/spec/basic.ini", "[General]\nName=spec\n[Video]\nBaseCX=320\nBaseCY=240\n"
    .. "OutputCX=320\nOutputCY=240\nFPSType=0\nFPSCommon=30\n[Output]\nMode=Simple\nReconnect=false\n"
    .. "[SimpleOutput]\nStreamEncoder=x264\nVBitrate=200\nPreset=ultrafast\n")
  write(config .. "/basic/profiles/spec/service.json", json.encode({ type = "rtmp_custom",
    settings = { server = ("rtmp://127.0.0.1:%d/live"):format(port), key = "spec" } }))
  write(config .. "/basic/scenes/spec.json", json.encode({ name = "spec", current_scene = "Scene",
    current_program_scene = "Scene", scene_order = { { name = "Scene" } },
    sources = { { id = "scene", name = "Scene", settings = { custom_size = false } } },
    modules = { ["scripts-tool"] = scripts } }))
  return host.start({ "xvfb-run", "-a", "-s", "-screen 0 640x480x24", "obs", "--multi", "--minimize-to-tray",
    "--disable-updater", "--verbose" }, { lua = "jit", home = home, seconds = 90, environment = {
      XDG_CONFIG_HOME = home .. "/.config", XDG_RUNTIME_DIR = home, LIBGL_ALWAYS_SOFTWARE = "1", LC_ALL = "C.UTF-8",
      QT_LOGGING_RULES = "*=false",
    } })
end

-- What takes the stream, once.
local function listen()
  local port = system.free_ports(1)[1]
  return host.start({ "ffmpeg", "-v", "error", "-listen", "1", "-f", "flv", "-i",
    ("rtmp://127.0.0.1:%d/live/spec"):format(port), "-f", "null", "-" }, { seconds = 90 }), port
end

local function script(settings, path)
  return { path = path or system.capture("pwd") .. "/examples/obs/stop-stream.lua", settings = settings }
end

local function driving(stop_after, quit_after)
  local path = support.scratch("driver.lua")
  system.write_file(path, driver)
  return { path = path, settings = { stop_after = stop_after, quit_after = quit_after } }
end

local function settings(provider, more)
  local id = support.id(provider)
  return support.merge({
    operation = support.operation(provider).full,
    id = id,
    base_url = emulator:base_url()[provider],
  }, more), id
end

-- Closes OBS's window, once the driver says so. Returns its status, and the seconds that it took. (By Ctrl-C OBS 29
-- does all of its end within the handler of the signal, and crashes at times, whatever the scripts.)
local function quit(program)
  local pid = program:expect("driver: quit (%d+)", 60)
  local began = socket.gettime()
  assert.are.equal("0", system.capture(("luajit spec/hosts/close_window.lua %s 'OBS ' 2>&1; echo $?"):format(pid)))
  return program:wait(30), socket.gettime() - began
end

local function has(program, words)
  return assert.is_truthy(program:output():find(words, 1, true), program:output())
end

describe("OBS", function()
  local missing = host.missing("obs", "xvfb-run", "ffmpeg")
  if missing then
    return pending(missing)
  end

  local server, program

  local function stream(scripts)
    local port
    server, port = listen()
    program = start(scripts, port)
  end

  after_each(function()
    program:kill()
    server:kill()
  end)

  -- A call that blocked would hold up each frame until the provider answers, 90 of them.
  it("ends the job when the stream stops, and no frame comes late for it", function()
    local options, id = settings("fastpix", { timeout = 20 })
    emulator:faults(id, { { delay = 3 } })
    stream({ script(options), driving(2.0, 7.0) })
    assert.are.equal(0, (quit(program)))
    has(program, "[Lua: stop-stream.lua] fastpix.finish " .. id .. ": ended")
    assert.are.equal(1, #emulator:requests(id))
    local before, of_before = program:output():match("driver: (%d+) of (%d+) frames lagged before the stop")
    local at_end, of_end = program:output():match("driver: (%d+) of (%d+) frames lagged at the end")
    local lagged, frames = at_end - before, of_end - of_before
    if os.getenv("MEDIASTOP_FRAMES") then
      print(("\n%d of %d frames lagged while the job was under way, %d of %d before"):format(lagged, frames, before,
        of_before))
    end
    assert.is_true(frames > 90, frames .. " frames")
    assert.is_true(lagged < frames / 5, ("%d of %d frames"):format(lagged, frames))
  end)

  it("quits by the call's own timeout where the provider never answers", function()
    local options, id = settings("fastpix", { timeout = 3 })
    emulator:faults(id, { { hang = 60, times = 9 } })
    stream({ script(options), driving(0.5, 1.0) })
    local status, seconds = quit(program)
    assert.are.equal(0, status, program:output())
    has(program, "[Lua: stop-stream.lua] fastpix.finish " .. id .. ": timeout: ")
    assert.are.equal(1, #emulator:requests(id))
    assert.is_true(seconds < 3 + 6, ("%.1f s"):format(seconds))
  end)

  it("loads and unloads 20 of the script, with jobs under way, and does not crash", function()
    local scripts, folder, ids = {}, host.folder(), {}
    for i = 1, 20 do
      local options, id = settings("memories")
      local path = ("%s/stop%d.lua"):format(folder, i)
      system.capture(("cp examples/obs/stop-stream.lua %s"):format(path))
      emulator:faults(id, { { delay = i % 2 == 0 and 2 or 0 } })
      scripts[i], ids[i] = script(options, path), id
    end
    scripts[21] = driving(0.5, 1.0)
    stream(scripts)
    assert.are.equal(0, (quit(program)), program:output())
    for _, id in ipairs(ids) do
      has(program, "memories.stop " .. id .. ": ended")
    end
    has(program, "Number of memory leaks: 0")
  end)

  it("says that no id is set", function()
    stream({ script({ id = "" }), driving(0.5, 1.0) })
    program:expect("(%[Lua: stop%-stream.lua%] no id is set)", 60)
  end)
end)
