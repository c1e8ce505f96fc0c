--- examples/cli-and-cron with the installed command.
local host = require("spec.hosts.host")
local support = require("spec.support")
local system = require("spec.emulator.system")

local emulator = support.emulator()

-- Runs `sweep` over these lines as cron does. The command is the installed one; its wrapper only names the emulator.
local function sweep(lines, base_url)
  local folder = host.folder()
  local list = folder .. "/ended-streams"
  system.write_file(list, table.concat(lines, "\n") .. "\n")
  local variables = host.install("5.4")
  local wrapper = folder .. "/bin/mediastop"
  system.capture("mkdir " .. folder .. "/bin")
  system.write_file(wrapper, ('#!/bin/sh\nPATH=%s\nexec mediastop "$@" --attempts 1 --base-url %s\n'):format(
    system.quote(variables.PATH), base_url or "fastpix=" .. emulator:base_url().fastpix))
  system.capture("chmod +x " .. wrapper)
  local environment = { PATH = folder .. "/bin:/usr/bin:/bin" }
  local ended = host.run({ "examples/cli-and-cron/sweep", list }, { environment = environment })
  return ended, system.read_file(list), folder
end

describe("examples/cli-and-cron/sweep", function()
  if host.missing("flock") then
    return pending(host.missing("flock"))
  end

  it("ends what a file lists, and leaves nothing", function()
    local one, two = support.id("fastpix"), support.id("fastpix")
    local ended, left, folder = sweep({ "fastpix.finish " .. one, "", "fastpix.finish " .. two })
    assert.are.equal(0, ended.status, ended.output)
    assert.is_nil(left)
    assert.are.equal("idle", emulator:state("fastpix", one))
    assert.are.equal("idle", emulator:state("fastpix", two))
    assert.are.equal("bin\nended-streams.lock", system.capture("ls " .. folder))
  end)

  it("takes a refusal for the last word, and keeps what the network or the credentials kept it from", function()
    local lost = support.id("fastpix")
    emulator:faults(lost, { { drop = true } })
    local ended, left = sweep({ "fastpix.finish nobody", "fastpix.finish " .. lost })
    assert.are.equal(4, ended.status, ended.output)
    assert.are.equal("fastpix.finish " .. lost .. "\n", left)
    assert.is_truthy(ended.output:find("not_found", 1, true), ended.output)
    ended, left = sweep({ "fastpix.finish x" }, "fastpix=https://provider.example/v1")
    assert.are.equal(3, ended.status, ended.output)
    assert.are.equal("fastpix.finish x\n", left)
  end)
end)
