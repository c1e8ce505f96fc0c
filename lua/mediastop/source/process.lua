--- Credentials out of a program of the user's, named in the credentials file.
-- @module mediastop.source.process

local reading = require "mediastop.source.reading"
local system = require("mediastop.core").system

local process = {}

local LONGEST = 30 -- seconds

local words_of = {
  not_started = "cannot be started",
  failed = "failed",
  too_slow = "took too long",
  too_long = "printed over 64 KiB",
  blocking = "is not run where it would stall nginx: call mediastop.credentials.preload() in init_by_lua",
}

--- Runs the program, without a shell, and reads the fields that it prints as a JSON object.
-- @tparam table arguments the program and its arguments
-- @tparam number left seconds that the call has left
-- @tparam[opt] boolean may_block whether it may be run in a host that must not be blocked
-- @treturn[1] table fields
-- @treturn[2] nil
-- @treturn[2] string what is wrong
function process.fields(arguments, left, may_block)
  for i = 1, #arguments do
    if type(arguments[i]) ~= "string" or arguments[i]:find("%z") then
      return nil, "'process' must be a list of strings"
    end
  end
  if type(arguments[1]) ~= "string" or #arguments > 64 then
    return nil, "'process' must be a list of 1 to 64 strings"
  end
  local output, word, words = system.run(arguments, math.max(0, math.min(LONGEST, left)), may_block)
  local name = "the program '" .. arguments[1] .. "' "
  if not output then
    return nil, name .. words_of[word] .. (words and ": " .. words or "")
  end
  local fields = reading.object(output)
  return fields, not fields and name .. "printed no JSON object" or nil
end

return process
