--- examples/mpv in mpv.
local host = require("spec.hosts.host")
local support = require("spec.support")
local system = require("spec.emulator.system")

local emulator = support.emulator()
local clip = "av://lavfi:testsrc=duration=%s:size=64x64:rate=10"

-- Starts mpv as its user would, with the script in its folder. `options`: of the script; `words`: further ones.
local function start(options, words)
  local home = host.folder()
  host.copy(home .. "/.config/mpv/scripts", "examples/mpv/mediastop.lua")
  local list = {}
  for name, value in pairs(options) do
    list[#list + 1] = ("mediastop-%s=%s"):format(name, value)
  end
  local all = { "mpv", "--vo=null", "--ao=null", "--script-opts=" .. table.concat(list, ",") }
  for _, word in ipairs(words) do
    all[#all + 1] = word
  end
  return host.start(all, { lua = "5.2", home = home, seconds = 30 })
end

local function settings(provider, more)
  local id = support.id(provider)
  local all = {
    operation = support.operation(provider).full,
    id = id,
    base_url = emulator:base_url()[provider],
  }
  return support.merge(all, more), id
end

describe("mpv", function()
  if host.missing("mpv") then
    return pending(host.missing("mpv"))
  end
  for _, operation in ipairs(support.operations) do
    it("ends the job at the end of the file, and says so: " .. operation.full, function()
      local options, id = settings(operation.provider)
      local program = start(options, { clip:format("0.5") })
      local status, seconds = program:wait()
      assert.are.equal(0, status)
      local log = program:output()
      assert.is_truthy(log:find("[mediastop] " .. operation.full .. " " .. id .. ": ", 1, true), log)
      assert.are.equal(1, #emulator:requests(id))
      assert.is_true(seconds < 10)
    end)
  end

  it("ends it when mpv is told to quit while the file plays", function()
    local options, id = settings("fastpix")
    local program = start(options, { clip:format("60") })
    program:expect("VO: ")
    assert.are.equal(0, #emulator:requests(id))
    program:signal("TERM")
    local _, seconds = program:wait()
    assert.are.equal("idle", emulator:state("fastpix", id))
    assert.is_truthy(program:output():find("fastpix.finish " .. id .. ": ended", 1, true))
    assert.is_true(seconds < 15)
  end)

  it("goes on playing meanwhile, and ends one job once for a whole playlist", function()
    local options, id = settings("fastpix", { timeout = 20 })
    emulator:faults(id, { { delay = 1 } })
    local program = start(options, { clip:format("0.5"), clip:format("3") })
    local status = program:wait()
    assert.are.equal(0, status)
    local log = program:output()
    local second = log:find("Playing: " .. clip:format("3"), 1, true)
    local ended = log:find("fastpix.finish " .. id .. ": ended", 1, true)
    local quitting = log:find("Exiting... (", 1, true)
    assert.is_true(second ~= nil and second < ended and ended < quitting, log)
    assert.are.equal(1, #emulator:requests(id))
  end)

  it("does not take a playlist for a file that is over", function()
    local options, id = settings("fastpix")
    local list = support.scratch("list.m3u")
    system.write_file(list, "#EXTM3U\n" .. clip:format("60") .. "\n")
    local program = start(options, { "--load-unsafe-playlists", list })
    program:expect("VO: ")
    assert.are.equal(0, #emulator:requests(id))
    program:signal("TERM")
    program:wait()
    assert.are.equal(1, #emulator:requests(id))
  end)

  it("exits by the call's own timeout where the provider never answers", function()
    local options, id = settings("fastpix", { timeout = 2 })
    emulator:faults(id, { { hang = 60, times = 9 } })
    local program = start(options, { clip:format("0.3") })
    local status, seconds = program:wait()
    assert.are.equal(0, status)
    assert.is_truthy(program:output():find("[mediastop] fastpix.finish " .. id .. ": timeout: ", 1, true))
    assert.is_true(seconds > 2 and seconds < 2 + 6, ("%.1f s"):format(seconds))
  end)

  it("says what is wrong with its settings, and mpv plays on", function()
    for words, more in pairs({
      ["no id is set"] = { id = "" },
      ["unknown operation 'fastpix.stop'"] = { operation = "fastpix.stop" },
      ["credentials"] = { base_url = "https://provider.example/v1" },
      ["base_url"] = { base_url = "ftp://provider.example" },
    }) do
      local options, id = settings("fastpix", more)
      local program = start(options, { clip:format("0.3"), "--msg-level=mediastop=v" })
      local status = program:wait()
      local log = program:output()
      assert.are.equal(0, status, log)
      local line = log:match("[^\n]*%[mediastop%][^\n]*" .. words:gsub("%p", "%%%0") .. "[^\n]*")
      assert.is_truthy(line, ("no %q in %s"):format(words, log))
      assert.is_nil(log:find("stack traceback", 1, true), log)
      assert.are.equal(0, #emulator:requests(id))
    end
  end)

  it("loads and unloads the script 20 times, with jobs under way, and does not crash", function()
    local options, id = settings("fastpix")
    emulator:faults(id, { { delay = 0.2, times = 100 } })
    local scripts, driver = host.folder(), support.scratch("driver.lua")
    -- Each is the example in a state of its own, which is closed while the job is in flight, or after it.
    for i = 1, 20 do
      system.write_file(("%s/again%d.lua"):format(scripts, i), ([[
        local mp = require("mp")
        mp.register_event("end-file", function()
          mp.add_timeout(%s, function()
            mp.commandv("script-message-to", "driver", "over")
            mp.keep_running = false
          end)
        end)
        require("mp.options").read_options = function(options)
          options.operation, options.id, options.base_url = "fastpix.finish", %q, %q
        end
        dofile("examples/mpv/mediastop.lua")
      ]]):format(i % 2 == 0 and 0.1 or 0.4, id, options.base_url))
    end
    system.write_file(driver, ([[
      local mp = require("mp")
      local number = 0
      local function load()
        number = number + 1
        if number > 20 then
          print("loaded and unloaded")
          mp.command("quit")
          return
        end
        mp.commandv("load-script", %q .. number .. ".lua")
        mp.add_timeout(0.1, function() mp.commandv("loadfile", "/nonexistent") end)
      end
      mp.register_script_message("over", function() mp.add_timeout(0.02, load) end)
      mp.add_timeout(0, load)
    ]]):format(scripts .. "/again"))
    local program = start({}, { "--idle", "--script=" .. driver })
    local status = program:wait()
    local log = program:output()
    assert.are.equal(0, status, log)
    assert.is_truthy(log:find("[driver] loaded and unloaded", 1, true), log)
    assert.is_true(#emulator:requests(id) >= 15, #emulator:requests(id) .. " requests")
    assert.is_nil(log:find("stack traceback", 1, true), log)
  end)
end)
