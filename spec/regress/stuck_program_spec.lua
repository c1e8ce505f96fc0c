--- A program of the credentials file that cannot be ended: the call waited for as long as that took, and so did Ctrl-C.
local finding = require("spec.support.finding")
local json = require("cjson")
local support = require("spec.support")
local system = require("spec.emulator.system")

local SECONDS = 20
local ROOM = 3

local source = [[
local socket = require("socket")
local mediastop = require("mediastop")
local start = socket.gettime()
local result, message = mediastop.memories.stop("x", { base_url = %q, timeout = 0.5 })
print(socket.gettime() - start, message)
]]

local function assert_prompt(environment, prefix)
  local child = finding.run(source:format(support.emulator():base_url().memories), environment, prefix)
  local seconds, message = child.stdout:match("^(%S+)\t(.*)\n$")
  assert.are.equal("", child.stderr)
  assert.is_truthy(message:find("took too long", 1, true), message)
  assert.is_true(tonumber(seconds) < 0.5 + ROOM, seconds)
end

describe("a program of the credentials file that cannot be ended", function()
  it("since it left its process group, is waited for no longer than the call", function()
    local helper = finding.program(("exec perl -e 'setpgrp(0, getpgrp(getppid())); sleep %d'"):format(SECONDS))
    assert_prompt(finding.with_program(helper))
  end)

  it("since it is another user's, is waited for no longer than the call", function()
    if not finding.can_change_user() then
      return pending("needs root and setpriv")
    end
    local folder = system.capture("mktemp -d") -- the scratch folder is closed to other users
    finally(function() system.remove_directory(folder) end)
    local perl, script = folder .. "/perl", folder .. "/script"
    system.write_file(script, ("$< = $>; print $<; sleep $ARGV[0];"))
    system.write_file(folder .. "/credentials", json.encode({ default = { memories = {
      process = { perl, script, SECONDS .. "" } } } }))
    system.capture(("cd %s && cp \"$(command -v perl)\" . && chmod 755 . && chmod 4755 perl && chmod 644 script && "
      .. "chmod 600 credentials && chown 54321 credentials"):format(folder))
    local as_other = "setpriv --reuid=54321 --clear-groups "
    if system.capture(as_other .. perl .. " " .. script .. " 0 2>&1") ~= "0" then
      return pending("needs a file system that knows set-user-ID")
    end
    assert_prompt({ MEDIASTOP_CREDENTIALS_FILE = folder .. "/credentials" }, as_other)
  end)
end)
