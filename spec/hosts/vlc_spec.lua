--- examples/vlc in VLC.
local host = require("spec.hosts.host")
local support = require("spec.support")
local system = require("spec.emulator.system")

local emulator = support.emulator()

-- A user who is not root, as whom VLC runs.
local NOBODY = "65534"

local clip

-- A second of a film, which ffmpeg makes for want of one in a package.
local function film()
  if not clip then
    clip = support.scratch("film.avi")
    local source = "testsrc=duration=1:size=64x64:rate=10"
    local output = system.capture(("ffmpeg -v error -y -f lavfi -i %s -c:v mpeg4 %s 2>&1"):format(source, clip))
    assert.are.equal("", output)
  end
  return clip
end

-- Starts VLC with the script where its user puts it.
local function start(words, environment)
  local home = host.folder()
  host.copy(home .. "/.local/share/vlc/lua/intf", "examples/vlc/mediastop.lua")
  film()
  local all = { "cvlc", "-vv", "--no-dbus", "--no-audio", "--vout=dummy", "--no-color", "-I", "luaintf", "--lua-intf",
    "mediastop" }
  if system.capture("id -u") == "0" then
    for i, word in ipairs({ "setpriv", "--reuid=" .. NOBODY, "--regid=" .. NOBODY, "--clear-groups" }) do
      table.insert(all, i, word)
    end
    -- What it reads and writes is in the private folder of the emulator.
    system.capture(("chmod a+x %s && chown -R %s %s"):format(emulator.dir, NOBODY, home))
  end
  for _, word in ipairs(words) do
    all[#all + 1] = word
  end
  return host.start(all, { lua = "5.2", home = home, seconds = 40, environment = environment })
end

local function settings(provider, more)
  local id = support.id(provider)
  return support.merge({
    MEDIASTOP_OPERATION = support.operation(provider).full,
    MEDIASTOP_ID = id,
    MEDIASTOP_BASE_URL = emulator:base_url()[provider],
  }, more), id
end

describe("VLC", function()
  local missing = host.missing("cvlc", "ffmpeg", "setpriv")
  if missing then
    return pending(missing)
  end

  it("ends the job when it has played, and goes on", function()
    local environment, id = settings("fastpix")
    local program = start({ film() }, environment)
    program:expect("(fastpix.finish " .. id:gsub("%p", "%%%0") .. ": ended)")
    assert.are.equal(1, #emulator:requests(id))
    assert.is_nil(program:status())
    program:signal("TERM")
    program:wait()
    assert.are.equal(1, #emulator:requests(id))
  end)

  it("ends it when it quits while it plays", function()
    local environment, id = settings("emogg")
    local program = start({ "--loop", film() }, environment)
    program:expect("(using video decoder module)")
    program:signal("TERM")
    program:wait()
    assert.is_truthy(program:output():find("emogg.stop " .. id, 1, true), program:output())
    assert.are.equal(1, #emulator:requests(id))
  end)

  it("ends it when it quits before the script has seen it play", function()
    local environment, id = settings("memories")
    local program = start({ "vlc://quit" }, environment)
    assert.are.equal(0, (program:wait()))
    assert.is_truthy(program:output():find("memories.stop " .. id .. ": ended", 1, true), program:output())
    assert.are.equal(1, #emulator:requests(id))
  end)

  it("ends one job for a list of files that is played, then quits", function()
    local environment, id = settings("memories")
    local program = start({ film(), film(), "vlc://quit" }, environment)
    assert.are.equal(0, (program:wait()))
    assert.is_truthy(program:output():find("memories.stop " .. id .. ": ended", 1, true), program:output())
    assert.are.equal(1, #emulator:requests(id))
  end)

  it("quits by the call's own timeout where the provider never answers", function()
    local environment, id = settings("fastpix")
    emulator:faults(id, { { hang = 60, times = 9 } })
    local program = start({ film(), "vlc://quit" }, environment)
    local status, seconds = program:wait()
    assert.are.equal(0, status)
    assert.is_truthy(program:output():find("fastpix.finish " .. id .. ": timeout: ", 1, true), program:output())
    assert.is_true(seconds > 5 and seconds < 5 + 10, ("%.1f s"):format(seconds))
  end)

  it("says what is wrong with the settings", function()
    for words, more in pairs({
      ["no id is set"] = { MEDIASTOP_ID = "" },
      ["unknown operation 'fastpix.stop'"] = { MEDIASTOP_OPERATION = "fastpix.stop" },
    }) do
      local program = start({ film(), "vlc://quit" }, (settings("fastpix", more)))
      assert.are.equal(0, (program:wait()))
      assert.is_truthy(program:output():find(words, 1, true), program:output())
    end
  end)
end)
