--- Credentials out of the folder that systemd gives a unit (`LoadCredential=`, `SetCredential=`).
-- @module mediastop.source.systemd

local environment = require "mediastop.source.environment"
local reading = require "mediastop.source.reading"

local systemd = {}

--- Looks for a provider's credential; returns what `environment.find` returns.
function systemd.find(provider)
  local folder = reading.variable "CREDENTIALS_DIRECTORY"
  if not folder then
    return nil, "$CREDENTIALS_DIRECTORY (unset)"
  end
  local fields, given, missing = {}, nil, nil
  for _, part in ipairs(environment.names[provider][1]) do
    local name = part[2]:lower()
    local path = folder .. "/" .. name
    local content, word, words = reading.file(path, false)
    if content then
      fields[part[1]] = content
      given = given or name
    elseif word == "missing" or word == "empty" then
      missing = missing or name
    else
      return nil, "$CREDENTIALS_DIRECTORY (" .. reading.describe(path, word, words) .. ")", true
    end
  end
  if not missing then
    return { fields = fields, source = "$CREDENTIALS_DIRECTORY (" .. folder .. ")" }
  end
  if given then
    return nil, "$CREDENTIALS_DIRECTORY (" .. folder .. " has " .. given .. " but no " .. missing .. ")", true
  end
  return nil, "$CREDENTIALS_DIRECTORY (" .. folder .. " has no " .. missing .. ")"
end

return systemd
