-- The four operations against the bundled emulator of the four providers: `make demo` runs this.

local mediastop = require "mediastop"
local emulator = require("spec.emulator").start {}

local jobs = {
  { "memories", "stop", "550e8400-e29b-41d4-a716-446655440000" },
  { "screenplay", "cancel", "ros-sd-20260313-a3f8c2b1" },
  { "emogg", "stop", "65ea1530bb50af72b6e3dc1e" },
  { "fastpix", "finish", "91a264dcc447b63da6fb79ef925cd76d" },
}

local client = mediastop.new {
  base_url = emulator:base_url(emulator.tls),
  ca_file = emulator.ca_file,
  credentials = emulator.credentials,
}

local function show(value, indent)
  if type(value) ~= "table" then
    return type(value) == "string" and ("%q"):format(value) or tostring(value)
  end
  local keys = {}
  for key in pairs(value) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    return tostring(a) < tostring(b)
  end)
  local lines = {}
  for _, key in ipairs(keys) do
    lines[#lines + 1] = ("%s  %s = %s,\n"):format(indent, tostring(key), show(value[key], indent .. "  "))
  end
  return "{\n" .. table.concat(lines) .. indent .. "}"
end

local ended = true
for _, job in ipairs(jobs) do
  local provider, operation, id = job[1], job[2], job[3]
  emulator:job(provider, id)
  local before = emulator:state(provider, id)
  local result, message = client[provider][operation](id)
  print(("%s.%s(%q)  -- the provider's state: %s, then %s"):format(provider, operation, id, before,
    emulator:state(provider, id)))
  print(result and show(result, "") or message)
  print()
  ended = ended and result ~= nil
end

client:close()
emulator:stop()
os.exit(ended and 0 or 1, true)
