--- examples/cli-and-cron/sweep forgot jobs where the disk was full: what it could not write back to its list was gone,
--- and ran on.
local command = require("spec.support.command")
local support = require("spec.support")
local system = require("spec.emulator.system")

local emulator = support.emulator()

-- A program that is the installed command, told where the emulator is. `more` is words of the shell's that come behind.
local function write_command(folder, more)
  local words = {}
  for name, value in pairs(support.variables()) do
    words[#words + 1] = ("export %s=%s"):format(name, system.quote(value))
  end
  words[#words + 1] = "operation=$1; shift"
  words[#words + 1] = ('%s "$operation" --attempts 1 --base-url %s "$@"'):format(system.quote(command.path()),
    emulator:base_url().fastpix)
  words[#words + 1] = "status=$?; " .. more .. "; exit $status"
  system.write_file(folder .. "/mediastop", "#!/bin/sh\n" .. table.concat(words, "\n") .. "\n")
  system.capture("chmod +x " .. folder .. "/mediastop")
end

local function sweep(folder)
  local words = 'PATH=%s:"$PATH" examples/cli-and-cron/sweep %s/list 2>&1; echo $?'
  local said = system.capture(words:format(folder, folder))
  return tonumber(said:match("%d+$")), said
end

it("a sweep that cannot write a job back to its list does not forget it", function()
  if system.capture("command -v flock") == "" then
    return pending("needs flock")
  end
  local folder, lost, next_one = support.scratch("sweep." .. support.id()), support.id("fastpix"), support.id("fastpix")
  system.capture("mkdir " .. folder)
  system.write_file(folder .. "/list", ("fastpix.finish %s\nfastpix.finish %s\n"):format(lost, next_one))
  emulator:faults(lost, { { status = 503 } })
  write_command(folder, ("ln -sf /dev/full %s/list"):format(folder))
  local status, said = sweep(folder)
  assert.is_true(status > 0, said)
  assert.are.equal("active idle", emulator:state("fastpix", lost) .. " " .. emulator:state("fastpix", next_one))
  system.capture(("rm %s/list"):format(folder))
  write_command(folder, "true")
  status, said = sweep(folder)
  assert.are.equal(0, status, said)
  assert.are.equal("idle", emulator:state("fastpix", lost))
  assert.is_nil(system.read_file(folder .. "/list.sweeping"))
end)
