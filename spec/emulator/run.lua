--- Runs the emulator in the foreground until Ctrl-C: lua5.4 spec/emulator/run.lua [--access-log]
local root = (debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or ".") .. "/../.."
package.path = root .. "/?.lua;" .. root .. "/?/init.lua;" .. package.path

local emulator = require("spec.emulator")
local socket = require("socket")

local samples = {
  { "memories", "550e8400-e29b-41d4-a716-446655440000" },
  { "screenplay", "ros-sd-20260313-a3f8c2b1" },
  { "emogg", "65ea1530bb50af72b6e3dc1e" },
  { "fastpix", "91a264dcc447b63da6fb79ef925cd76d" },
}

local guide = [[
The four providers are running on this machine.

  HTTP/1.1            {http}
  TLS, HTTP/1.1       {tls}
  TLS, HTTP/2         {h2}
  expired certificate {expired}
  other host's        {wrong_host}
  unknown CA's        {unknown_ca}
  control             {control}
  CA file             {ca_file}

Credentials they accept, for a shell:

  export MEMORIES_API_KEY={api_key}
  export EMOGG_API_TOKEN={token}
  export FASTPIX_USERNAME={username}
  export FASTPIX_PASSWORD={password}

Lua, with these variables set:

  local mediastop = require("mediastop")
  local client = mediastop.new({
    base_url = {
      memories = "{http}/serve/api/v2",
      screenplay = "{http}/serve/api/v2",
      emogg = "{http}/v1",
      fastpix = "{http}/v1",
    },
  })
  print(assert(client.memories.stop("{memories}")).outcome)
  print(assert(client.screenplay.cancel("{screenplay}")).outcome)
  print(assert(client.emogg.stop("{emogg}")).outcome)
  print(assert(client.fastpix.finish("{fastpix}")).outcome)

The command, with the same ones:

  mediastop memories.stop {memories} --base-url {http}/serve/api/v2
  mediastop emogg.stop {emogg} --confirm --base-url {http}/v1
  mediastop fastpix.finish {fastpix} --confirm --base-url {http}/v1

These four jobs are running. One more, its state, and what arrived for it:

  curl -d '{"provider":"fastpix","id":"one-more"}' {control}/jobs
  curl '{control}/jobs?provider=fastpix&id=one-more'
  curl '{control}/requests?id=one-more'

Ctrl-C ends it.
]]

local function parse(arguments)
  local options = {}
  for _, argument in ipairs(arguments) do
    if argument ~= "--access-log" then
      io.stderr:write("usage: run.lua [--access-log]\n")
      os.exit(2)
    end
    options.access_log = true
  end
  return options
end

local function greet(handle)
  local values = setmetatable({}, { __index = handle })
  for _, fields in pairs(handle.credentials) do
    for name, value in pairs(fields) do values[name] = value end
  end
  for _, sample in ipairs(samples) do
    local provider, id = sample[1], sample[2]
    handle:job(provider, id)
    values[provider] = id
  end
  print((guide:gsub("{([%w_]+)}", function(name) return values[name] end)))
  io.stdout:flush()
end

-- Short sleeps, since Lua notices Ctrl-C only between them.
local function serve(handle, access_log)
  local log = access_log and assert(io.open(handle.dir .. "/access.log", "r"))
  while handle:running() do
    for line in log and log:lines() or function() end do print(line) end
    io.stdout:flush()
    socket.sleep(0.2)
  end
  error("emulator: nginx has ended", 0)
end

local options = parse({ ... })
local handle = emulator.start(options)
local _, message = pcall(function()
  greet(handle)
  serve(handle, options.access_log)
end)
handle:stop()
if not tostring(message):find("interrupted!", 1, true) then
  io.stderr:write(tostring(message), "\n")
  os.exit(1)
end
