--- Ends a remote media job when a call hangs up. A script of FreeSWITCH's: see README.md.
-- luarun end-job.lua OPERATION ID
local mediastop = require "mediastop"

local settings = {
  timeout = 10,       -- seconds
  base_url = os.getenv("MEDIASTOP_BASE_URL"),   -- of `make emulator`, to try
}

local operation, id = argv[1] or "", argv[2] or ""

-- Only this script's thread waits; an unknown operation raises, and FreeSWITCH logs that.
local job, message = mediastop.start(operation, id, settings)
local result
if job then
  job:wait()
  result, message = job:result()
end

if result then
  freeswitch.consoleLog("info", ("mediastop: %s %s: %s\n"):format(operation, id, result.outcome))
else
  freeswitch.consoleLog("err", ("mediastop: %s\n"):format(message))
end
