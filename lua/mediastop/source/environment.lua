--- Credentials out of environment variables.
-- The names are those that the providers' own SDKs and examples read.
-- @module mediastop.source.environment

local environment = {}

-- Each provider's sets of names, the first complete one wins: field, name.
local names = {
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

local function get(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

local function read(set)
  local fields, missing, any = {}, nil, false
  for _, part in ipairs(set) do
    local value = get(part[2])
    fields[part[1]] = value
    missing = missing or (not value and part[2]) or nil
    any = any or value ~= nil
  end
  return fields, missing, any
end

local function describe(sets)
  local seen, list = {}, {}
  for _, set in ipairs(sets) do
    for _, part in ipairs(set) do
      if not seen[part[2]] then
        seen[part[2]] = true
        list[#list + 1] = part[2]
      end
    end
  end
  return "the environment (" .. table.concat(list, ", ") .. ": unset)"
end

--- Looks for a provider's credential.
-- @tparam string provider
-- @treturn[1] table the fields of the credential
-- @treturn[1] string where it was found
-- @treturn[2] nil
-- @treturn[2] string where it was looked for, and why that gave nothing
-- @treturn[2] boolean whether to look no further
function environment.find(provider)
  local sets, half = names[provider], nil
  for _, set in ipairs(sets) do
    local fields, missing, any = read(set)
    if not missing then
      return fields, "the environment (" .. set[1][2] .. ")"
    end
    if any and not half then
      local given = set[1][2] == missing and set[2][2] or set[1][2]
      half = "the environment (" .. given .. " is set, " .. missing .. " is not)"
    end
  end
  return nil, half or describe(sets), half ~= nil
end

return environment
