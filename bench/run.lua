--- `make bench`: what a stop costs, side by side with the bare C program on libcurl and with what a program would take
-- in place of the module. Prints tables and, at the end, each target and whether it is met.
--   lua bench/run.lua [ROUNDS [CALLS [GROUP…]]]     groups: kept trust flight each step growth (all)
package.path = "./?.lua;./?/init.lua;" .. package.path

local tool = require("bench.tool")
local server = require("bench.server")
local system = require("spec.emulator.system")

tool.rounds = tonumber(arg[1]) or tool.rounds
tool.calls = tonumber(arg[2]) or 8000

local groups = { "kept", "trust", "flight", "each", "step", "growth" }
if arg[3] then
  groups = { (table.unpack or unpack)(arg, 3) } -- luacheck: globals unpack
end

local function machine()
  local model = (system.read_file("/proc/cpuinfo") or ""):match("model name%s*:%s*([^\n]+)") or "processor unknown"
  return ("%d × %s, %s, %s, %s"):format(tool.processors, model, system.capture("uname -sr"),
    system.capture("curl-config --version"),
    (system.capture("PATH=$PATH:/usr/sbin; nginx -v 2>&1"):gsub("^nginx version: ", "")))
end

print("`lua bench/run.lua " .. table.concat(arg, " ") .. "`, " .. os.date("%Y-%m-%d") .. ": " .. machine())
print(("%d rounds, %d calls; nginx on processor %d, the subjects on %d."):format(tool.rounds, tool.calls,
  tool.server_processor, tool.subject_processor))

local origins = server.start(tool.server_processor)
local good, message = pcall(function()
  for _, name in ipairs(groups) do
    io.stderr:write("bench: ", name, " ")
    require("bench.group." .. name)(origins)
  end
end)
origins.stop()
assert(good, message)

local left_out = require("bench.subject").left_out
if left_out[1] then
  print("\nNot on this machine, and so left out: " .. table.concat(left_out, "; ") .. ".")
end
tool.print_targets()
