--- Many stops through `each` against the emulator: time, processor, memory, connections.
--   make && lua5.4 bench/many.lua [COUNT [CONCURRENCY [ORIGIN [MAX_CONNECTIONS]]]]
-- ORIGIN: http, tls, h2 (http). 100,000 stops, 1,000 at a time, unless told otherwise.
local root = (arg[0]:match("^(.*)/[^/]*$") or ".") .. "/.."
package.path = ("%s/lua/?.lua;%s/lua/?/init.lua;%s/?.lua;%s/?/init.lua;"):format(root, root, root, root) .. package.path
local version = rawget(_G, "jit") and "jit" or _VERSION:match("%d.%d")
package.cpath = ("%s;%s/build/%s/?.so"):format(package.cpath, root, version)

local emulators = require("spec.emulator")
local mediastop = require("mediastop")
local socket = require("socket")

local IDS = 1000 -- memories stops the same job as often as it is asked to
local RECORDED = 50000 -- of the emulator

local count, concurrency = tonumber(arg[1] or 100000), tonumber(arg[2] or 1000)
local origin, max_connections = arg[3] or "http", tonumber(arg[4])
if not count or not concurrency or not ({ http = true, tls = true, h2 = true })[origin] then
  io.stderr:write("usage: many.lua [COUNT [CONCURRENCY [http|tls|h2 [MAX_CONNECTIONS]]]]\n")
  os.exit(2)
end

-- A field of /proc/self/status, in KiB; 0 where there is none.
local function status(name)
  local file = io.open("/proc/self/status")
  local text = file and file:read("*a") or ""
  if file then
    file:close()
  end
  return tonumber(text:match(name .. ":%s*(%d+)")) or 0
end

local function descriptors()
  local pipe = io.popen("ls /proc/$PPID/fd 2>/dev/null | wc -l")
  local number = tonumber(pipe:read("*a"))
  pipe:close()
  return number
end

local function new_client(emulator)
  return mediastop.new({
    base_url = emulator:base_url(emulator[origin]),
    credentials = emulator.credentials,
    ca_file = emulator.ca_file,
    max_connections = max_connections,
    proxy = "",
    timeout = 300,
    attempt_timeout = 300,
  })
end

-- Over how many connections the requests came, as far as the emulator still has them.
local function connections_used(emulator)
  local seen, count_seen = {}, 0
  for _, request in ipairs(emulator:requests()) do
    if not seen[request.connection] then
      seen[request.connection], count_seen = true, count_seen + 1
    end
  end
  return count_seen
end

local function run(emulator)
  local ids = {}
  for i = 1, IDS do
    ids[i] = "many-" .. i
  end
  emulator:job("memories", ids)
  local client = new_client(emulator)
  assert(client.memories.stop(ids[1])) -- libcurl and TLS are loaded
  client:close()
  client = new_client(emulator)
  collectgarbage()
  local memory, processor, began = status("VmRSS"), os.clock(), socket.gettime()
  local i, ended, failed, checkpoint, samples = 0, 0, {}, math.max(1, math.floor(count / 5)), {}
  local function requests()
    i = i + 1
    return i <= count and { "memories.stop", ids[i % IDS + 1] } or nil
  end
  for _, result, message in client:each(requests, { concurrency = concurrency }) do
    ended = ended + 1
    if not result then
      failed[#failed + 1] = message
    end
    if ended % checkpoint == 0 then
      samples[#samples + 1] = ("%d:%d"):format(ended, status("VmRSS"))
    end
  end
  local wall, used = socket.gettime() - began, os.clock() - processor
  local peak, fds, open = status("VmHWM"), descriptors(), emulator:connections()
  client:close()
  print(("%s: %d stops, %d at a time, %d failed"):format(origin, ended, concurrency, #failed))
  print(("  wall          %8.2f s   %8.0f stops/s"):format(wall, ended / wall))
  print(("  processor     %8.2f s   %8.1f us/stop"):format(used, used / ended * 1e6))
  print(("  memory        %8d KiB before, %d KiB at most"):format(memory, peak))
  print(("  while it went %s KiB (VmRSS)"):format(table.concat(samples, ", ")))
  print(("  connections   %8d open at the end, with %d descriptors; %d when closed"):format(open, fds, descriptors()))
  local used_by, warm = connections_used(emulator), ended < RECORDED and 1 or 0
  print(("                %8d used by the last %d stops"):format(used_by - warm, math.min(ended, RECORDED)))
  if failed[1] then
    print("  first failure " .. failed[1])
  end
end

local emulator = emulators.start()
local good, message = pcall(run, emulator)
emulator:stop()
assert(good, message)
