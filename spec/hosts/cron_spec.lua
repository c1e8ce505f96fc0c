--- examples/cli-and-cron with the installed command.
local host = require("spec.hosts.host")
local json = require("cjson").new()
local nginx = require("spec.support.nginx")
local support = require("spec.support")
local system = require("spec.emulator.system")

local emulator = support.emulator()

-- Writes a program that is the installed command, told where the emulator is. Returns its path.
local function write_command(folder, base_url)
  local path = folder .. "/bin/mediastop"
  system.capture("mkdir " .. folder .. "/bin")
  system.write_file(path, ('#!/bin/sh\nPATH=%s\noperation=$1\nshift\nexec mediastop "$operation" --attempts 1 '
    .. '--base-url fastpix=%s "$@"\n'):format(system.quote(host.install("5.4").PATH), base_url))
  system.capture("chmod +x " .. path)
  return path
end

-- Runs `sweep` over these lines as cron does.
local function sweep(lines, base_url, last)
  local folder = host.folder()
  local list = folder .. "/ended-streams"
  system.write_file(list, table.concat(lines, "\n") .. (last or "\n"))
  write_command(folder, base_url or emulator:base_url().fastpix)
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

  it("ends the last job of a file without a line end, and takes those of Windows", function()
    for _, ends in ipairs({ { "", "" }, { "\r", "\r\n" }, { "\r", "" } }) do
      local one, two = support.id("fastpix"), support.id("fastpix")
      local ended, left = sweep({ "fastpix.finish " .. one .. ends[1], "fastpix.finish " .. two }, nil, ends[2])
      assert.are.equal(0, ended.status, ended.output)
      assert.is_nil(left)
      assert.are.equal("idle idle", emulator:state("fastpix", one) .. " " .. emulator:state("fastpix", two))
    end
  end)

  it("keeps ids as they are, and skips comments", function()
    local ended, left = sweep({ "#fastpix.finish x", "# fastpix.finish x", "fastpix.finish a\\tb\\nc" },
      "http://127.0.0.1:1/v1")
    assert.are.equal(4, ended.status, ended.output)
    assert.are.equal("fastpix.finish a\\tb\\nc\n", left)
  end)

  it("keeps what may still run, whatever kept it from the end, and nothing else", function()
    local lost, busy, unpaid, wrong = support.id("fastpix"), support.id("fastpix"), support.id("fastpix"), support.id()
    emulator:faults(lost, { { drop = true } })
    emulator:faults(busy, { { status = 429, body = '{"retryable":false,"kind":"not_found"}' } })
    emulator:faults(unpaid, { { status = 402, body = "{}" } })
    emulator:faults(wrong, { { status = 422, body = "{}" } })
    local kept = { "fastpix.finish " .. busy, "fastpix.finish " .. unpaid, "fastpx.finish " .. busy,
      "fastpix.finish " .. lost }
    local ended, left = sweep({ kept[1], "fastpix.finish nobody", kept[2], "fastpix.finish " .. wrong, kept[3],
      kept[4] })
    assert.are.equal(4, ended.status, ended.output)
    assert.are.equal(table.concat(kept, "\n") .. "\n", left)
    assert.is_truthy(ended.output:find("not_found", 1, true), ended.output)
    assert.is_truthy(ended.output:find("rate_limited", 1, true), ended.output)
  end)

  it("keeps what the credentials kept it from", function()
    local ended, left = sweep({ "fastpix.finish x" }, "https://provider.example/v1")
    assert.are.equal(3, ended.status, ended.output)
    assert.are.equal("fastpix.finish x\n", left)
  end)
end)

describe("examples/cli-and-cron/nginx-rtmp.conf", function()
  local rtmp_module, missing = nginx.rtmp_module()
  missing = missing or host.missing("ffmpeg")
  if missing then
    return pending(missing)
  end

  it("ends a stream when its publisher has left", function()
    local folder, id = host.folder(), support.id("fastpix")
    local credentials, command = folder .. "/credentials.json", write_command(folder, emulator:base_url().fastpix)
    system.write_file(credentials, json.encode({ default = { fastpix = emulator.credentials.fastpix } }))
    system.capture("chmod 600 " .. credentials)
    local text = assert(system.read_file("examples/cli-and-cron/nginx-rtmp.conf"))
    for old, new in pairs({
      ["/etc/mediastop/credentials.json"] = credentials,
      ["/usr/local/bin/mediastop"] = command,
      ["listen 1935;"] = "listen 127.0.0.1:{{port}};",
    }) do
      local count
      text, count = text:gsub(old:gsub("%p", "%%%0"), new)
      assert.are.equal(1, count, old)
    end
    local server = nginx.start({ modules = { rtmp_module }, environment = "env -i", conf = [[
      {{user}}
      {{modules}}
      daemon off;
      pid nginx.pid;
      error_log error.log;
      events {}
    ]] .. text })
    local address = ("rtmp://127.0.0.1:%d/live/%s"):format(server.port, id)
    local source = "testsrc=duration=0.5:size=64x64:rate=10"
    local published = host.run({ "ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-c:v", "flv", "-f", "flv",
      address })
    assert.are.equal(0, published.status, published.output)
    assert.is_true(system.wait_until(function() return #emulator:requests(id) == 1 end, 10), server:log())
    assert.are.equal("idle", emulator:state("fastpix", id))
    server:stop()
  end)
end)
