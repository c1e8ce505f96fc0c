--- Where a call finds its credential when it is given none.
-- The first source that has something wins; the halves of a pair never come from two sources. What is found is kept
-- until a provider answers 401.
-- @module mediastop.credentials

local core = require "mediastop.core"
local environment = require "mediastop.source.environment"
local file = require "mediastop.source.file"
local systemd = require "mediastop.source.systemd"

local credentials = {}

local sources = { environment, systemd, file }

-- By provider: whose credential it has; screenplay has that of memories.
local providers = {}
for _, provider in ipairs(core.engine.providers) do
  providers[provider.name] = provider.credentials
end

local DEFAULT_PROFILE = "default"
local PRELOAD_SECONDS = 30

-- By provider and profile: what was found; when it was last looked for.
local kept, looked_at = {}, {}

-- Looks through the sources. Returns what was found, with its `secret`, or nil; and the list of what was looked at.
local function look(provider, profile, left, may_block)
  local looked = {}
  for _, source in ipairs(sources) do
    local found, why, fault = source.find(provider, profile, left, may_block)
    if found then
      local secret, problem = core.secret(provider, found.source, found.fields)
      if secret then
        looked[#looked + 1] = { place = found.source, found = true }
        return { secret = secret, source = found.source, base_url = found.base_url }, looked
      end
      why, fault = found.source .. ": " .. problem, true
    end
    looked[#looked + 1] = { place = why, found = false }
    if fault then
      break
    end
  end
  return nil, looked
end

local function places(looked)
  local list = {}
  for i, place in ipairs(looked) do
    list[i] = place.place
  end
  -- nginx takes the environment from its workers.
  if rawget(_G, "ngx") then
    list[#list + 1] = "(in nginx, name the variables by `env`, or call mediastop.credentials.preload() in init_by_lua)"
  end
  return table.concat(list, ", ")
end

local function same_address(a, b)
  return a:gsub("/+$", "") == b:gsub("/+$", "")
end

--- Looks for a provider's credential; what the calls of `mediastop` use.
-- @tparam string provider `"memories"`, `"emogg"` or `"fastpix"`
-- @tparam[opt] string base_url where the call goes, if that is neither the provider's own address nor this machine
-- @tparam[opt="default"] string profile of the credentials file
-- @tparam[opt=30] number left seconds that a program may take
-- @tparam[opt] number newest look anew unless that was done so many seconds ago at most; else what was kept serves
-- @tparam[opt] boolean may_block whether a program may be run in a host that must not be blocked
-- @treturn[1] userdata the credential, which nobody can open
-- @treturn[2] nil
-- @treturn[2] string each place looked at, and why it gave nothing; or why what was found may not be sent there
-- @treturn[2] boolean whether something was found
function credentials.find(provider, base_url, profile, left, newest, may_block)
  profile = profile or DEFAULT_PROFILE
  local key = provider .. "/" .. profile
  local now = core.console.now()
  if not kept[key] or newest and now - looked_at[key] > newest then
    looked_at[key] = now
    local new, looked = look(provider, profile, left or PRELOAD_SECONDS, may_block)
    if not new then
      return nil, places(looked)
    end
    kept[key] = new
  end
  local found = kept[key]
  if base_url and not (found.base_url and same_address(found.base_url, base_url)) then
    return nil, found.source .. " has one, but a credential that was found goes to the provider's own address only: "
      .. "for " .. base_url .. " give it in options.credentials, or put \"base_url\" into its entry of the "
      .. "credentials file", true
  end
  return found.secret
end

local function read_profile(name, options)
  if options ~= nil and type(options) ~= "table" then
    error(("bad argument #%d to '%s' (table expected, got %s)"):format(name == "explain" and 2 or 1, name,
      type(options)), 3)
  end
  for option, value in pairs(options or {}) do
    local argument = name == "explain" and 2 or 1
    if option ~= "profile" then
      error(("bad argument #%d to '%s' (unknown option '%s')"):format(argument, name, tostring(option)), 3)
    elseif type(value) ~= "string" then
      error(("bad argument #%d to '%s' (option 'profile' must be a string, got %s)"):format(argument, name,
        type(value)), 3)
    end
  end
  return options and rawget(options, "profile") or DEFAULT_PROFILE
end

--- Looks every provider's credential up now and keeps it: for nginx's `init_by_lua`, which alone sees the environment
-- and root's files. What is not found is looked up again by the first call that needs it.
-- @tparam[opt] table options `{ profile = }`
function credentials.preload(options)
  local profile = read_profile("preload", options)
  for name, provider in pairs(providers) do
    if name == provider then
      credentials.find(provider, nil, profile, PRELOAD_SECONDS, 0)
    end
  end
end

local explanation = {}

function explanation.__tostring(self)
  local lines = { ("%s, profile '%s': %s"):format(self.provider, self.profile, self.found and "found" or "none found") }
  for _, place in ipairs(self.looked) do
    lines[#lines + 1] = ("  %s %s"):format(place.found and "+" or "-", (place.place:gsub("%c", " ")))
  end
  return table.concat(lines, "\n")
end

--- Says what is looked at for a provider and which source wins, without any value.
-- @tparam string provider
-- @tparam[opt] table options `{ profile = }`
-- @treturn table `provider`, `profile`, `found` (boolean), `source` (what won, or nil), `looked` (a list of `{ place =,
-- found = }`); `tostring` makes it readable
function credentials.explain(provider, options)
  if type(provider) ~= "string" then
    error(("bad argument #1 to 'explain' (string expected, got %s)"):format(type(provider)), 2)
  elseif not providers[provider] then
    error(("bad argument #1 to 'explain' (unknown provider '%s')"):format(provider), 2)
  end
  local profile = read_profile("explain", options)
  local found, looked = look(providers[provider], profile, PRELOAD_SECONDS)
  return setmetatable({
    provider = provider,
    profile = profile,
    found = found ~= nil,
    source = found and found.source,
    looked = looked,
  }, explanation)
end

return credentials --[[@as mediastop.Credentials]]
