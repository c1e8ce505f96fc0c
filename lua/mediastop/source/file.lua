--- Credentials out of the user's credentials file: `{"default": {"memories": {"api_key": "…"}}}`.
-- @module mediastop.source.file

local environment = require "mediastop.source.environment"
local process = require "mediastop.source.process"
local reading = require "mediastop.source.reading"
local system = require("mediastop.core").system

local file = {}

-- The path, and whether the user named it.
local function locate()
  local named = reading.variable "MEDIASTOP_CREDENTIALS_FILE"
  if named then
    return named, true
  end
  local config = reading.variable "XDG_CONFIG_HOME"
  local home = not config and system.home()
  if not config and not home then
    return nil
  end
  return (config or home .. "/.config") .. "/mediastop/credentials.json", false
end

-- null and empty values count as unset.
local function set(value)
  if value ~= reading.null and value ~= "" then
    return value
  end
end

-- Those of an entry's values that are set, or those that its program prints; or nil and what is wrong.
local function read_values(entry, left, may_block)
  local values = {}
  for name, value in pairs(entry) do
    values[name] = set(value)
  end
  values.base_url = nil
  local program = values.process
  if program == nil then
    return values
  end
  values.process = nil
  if next(values) then
    return nil, "an entry with 'process' has no other fields"
  elseif type(program) ~= "table" then
    return nil, "'process' must be a list of strings"
  end
  local printed, fault = process.fields(program, left, may_block)
  for name, value in pairs(printed or {}) do
    values[name] = set(value)
  end
  return printed and values, fault
end

-- The first of the provider's fields that is set, and the first that is not.
local function look_over(provider, values)
  local given, missing
  for _, part in ipairs(environment.names[provider][1]) do
    if values[part[1]] then
      given = given or part[1]
    else
      missing = missing or part[1]
    end
  end
  return given, missing
end

--- Looks for a provider's credential.
-- @tparam string provider
-- @tparam string profile
-- @tparam number left seconds that the call has left
-- @tparam[opt] boolean may_block whether a program may be run in a host that must not be blocked
-- @return what `environment.find` returns; the table may have a `base_url`, to which the credential may go as well
function file.find(provider, profile, left, may_block)
  local path, named = locate()
  if not path then
    return nil, "the credentials file (no home directory)"
  end
  local content, word, words = reading.file(path, true)
  if not content then
    return nil, "the credentials file (" .. reading.describe(path, word, words) .. ")", named or word ~= "missing"
  end
  local profiles = reading.object(content)
  if not profiles then
    return nil, "the credentials file (" .. path .. " is no JSON object)", true
  end
  local where = "the credentials file (" .. path .. ", profile '" .. profile .. "'"
  local entries = set(profiles[profile])
  local entry = type(entries) == "table" and set(entries[provider])
  if entries == nil or entry == nil then
    return nil, where .. (entries == nil and ": no such profile)" or ": no " .. provider .. ")")
  end
  local base_url = type(entry) == "table" and set(entry.base_url)
  if type(entry) ~= "table" or (base_url and type(base_url) ~= "string") then
    return nil, where .. ": the entry of " .. provider .. " is not as it should be)", true
  end
  local values, fault = read_values(entry, left, may_block)
  if not values then
    return nil, where .. ": " .. fault .. ")", true
  end
  if type(entry.process) == "table" then
    where = where .. ", by the program '" .. entry.process[1] .. "'"
  end
  local given, missing = look_over(provider, values)
  if given and missing then
    return nil, where .. ": " .. provider .. " has " .. given .. " but no " .. missing .. ")", true
  elseif not next(values) then
    return nil, where .. ": the entry of " .. provider .. " gives nothing)", true
  end
  return { fields = values, source = where .. ")", base_url = base_url or nil }
end

return file
