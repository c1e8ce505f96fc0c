--- Credentials out of environment variables, or out of the files that they name.
-- The names are those that the providers' own SDKs and examples read. `NAME_FILE` names a file that holds what `NAME`
-- would.
-- @module mediastop.source.environment

local reading = require "mediastop.source.reading"

local environment = {}

--- Each provider's sets of names, as lists of field and name: the first complete set wins.
environment.names = {
  memories = {
    { { "api_key", "MEMORIES_API_KEY" } },
    { { "api_key", "MEMORIES_AI_API_KEY" } },
    { { "api_key", "MAVI_API_KEY" } },
  },
  emogg = {
    { { "token", "EMOGG_API_TOKEN" } },
  },
  fastpix = {
    { { "username", "FASTPIX_USERNAME" }, { "password", "FASTPIX_PASSWORD" } },
    { { "username", "FASTPIX_ACCESS_TOKEN_ID" }, { "password", "FASTPIX_SECRET_KEY" } },
    { { "username", "FASTPIX_ACCESS_TOKEN" }, { "password", "FASTPIX_SECRET_KEY" } },
    { { "username", "FASTPIX_TOKEN_ID" }, { "password", "FASTPIX_SECRET_KEY" } },
  },
}

-- The value, if it is set, and the name that gave it; or nil, a name, what is wrong.
local function read(name)
  local value, file_name = reading.variable(name), name .. "_FILE"
  local path = reading.variable(file_name)
  if not path then
    return value, name
  end
  if value then
    return nil, name, name .. " and " .. file_name .. " are both set"
  end
  local content, word, words = reading.file(path, false)
  if not content and word ~= "empty" then
    return nil, file_name, file_name .. ": " .. reading.describe(path, word, words)
  end
  return content, file_name
end

local function describe(sets)
  local seen, list = {}, {}
  for _, set in ipairs(sets) do
    for _, part in ipairs(set) do
      local name = part[2]
      if not seen[name] then
        seen[name] = true
        list[#list + 1] = reading.variable(name .. "_FILE") and name .. "_FILE: an empty file" or name
      end
    end
  end
  return "the environment (unset: " .. table.concat(list, ", ") .. ")"
end

-- Reads a set: its fields, the names that gave them, the name that is missing; or nil and what is wrong.
local function read_set(set)
  local fields, given, missing = {}, {}, nil
  for _, part in ipairs(set) do
    local value, name, fault = read(part[2])
    if fault then
      return nil, fault
    elseif value then
      fields[part[1]] = value
      given[#given + 1] = name
    else
      missing = missing or name
    end
  end
  return fields, given, missing
end

--- Looks for a provider's credential.
-- @tparam string provider
-- @treturn[1] table `{ fields =, source = }`
-- @treturn[2] nil
-- @treturn[2] string where it looked, and why that gave nothing
-- @treturn[2] boolean whether that is a fault, so that no other source may answer
function environment.find(provider)
  local sets, half = environment.names[provider], nil
  for _, set in ipairs(sets) do
    local fields, given, missing = read_set(set)
    if not fields then
      return nil, "the environment (" .. given .. ")", true
    end
    if not missing then
      return { fields = fields, source = "the environment (" .. table.concat(given, ", ") .. ")" }
    end
    if given[1] and not half then
      half = "the environment (" .. given[1] .. " is set, " .. missing .. " is not)"
    end
  end
  return nil, half or describe(sets), half ~= nil
end

return environment
