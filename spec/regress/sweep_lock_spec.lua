--- examples/cli-and-cron/sweep kept its lock for as long as anything lived that a sweep had started: a program of the
--- credentials file that leaves a daemon behind, as agents of keys do, was the end of all sweeps, which said nothing.
local command = require("spec.support.command")
local finding = require("spec.support.finding")
local json = require("cjson")
local support = require("spec.support")
local system = require("spec.emulator.system")

local emulator = support.emulator()

local function write_list(folder)
  local id = support.id("fastpix")
  system.write_file(folder .. "/list", "fastpix.finish " .. id .. "\n")
  return id
end

it("a sweep is not kept from its work by what an earlier one left running", function()
  if system.capture("command -v flock") == "" then
    return pending("needs flock")
  end
  local folder = finding.folder()
  local helper = finding.program(("sleep 60 >/dev/null 2>&1 & echo $! >>%s/daemons\necho %s"):format(folder,
    system.quote(json.encode(emulator.credentials.fastpix))))
  finally(function() system.capture(("kill $(cat %s/daemons)"):format(folder)) end)
  local environment = finding.with_file(json.encode({ default = { fastpix = { process = { helper } } } }))
  local script = '#!/bin/sh\noperation=$1\nshift\nexec %s "$operation" --base-url %s "$@"\n'
  system.write_file(folder .. "/mediastop", script:format(system.quote(command.path()), emulator:base_url().fastpix))
  system.capture("chmod +x " .. folder .. "/mediastop")
  for _ = 1, 2 do
    local id = write_list(folder)
    local said = system.capture(("env -i PATH=%s:/usr/bin:/bin MEDIASTOP_CREDENTIALS_FILE=%s "
      .. "examples/cli-and-cron/sweep %s/list 2>&1"):format(folder, environment.MEDIASTOP_CREDENTIALS_FILE, folder))
    assert.are.equal("idle", emulator:state("fastpix", id), said)
  end
end)
