--- Where a call finds its credential when it is given none.
-- The first source that has something wins; the halves of a pair never come from two sources.
-- @module mediastop.credentials

local environment = require "mediastop.source.environment"

local credentials = {}

local sources = { environment }

--- Looks for a provider's credential.
-- @tparam string provider `"memories"`, `"emogg"` or `"fastpix"`
-- @tparam[opt] string base_url where the call goes, if that is neither the provider's own address nor this machine
-- @treturn[1] table the fields of the credential
-- @treturn[2] nil
-- @treturn[2] string each place looked at, and why it gave nothing
function credentials.find(provider, base_url)
  local looked = {}
  for _, source in ipairs(sources) do
    local found, where, stop = source.find(provider)
    if found and base_url then
      return nil, where .. " has one, but a credential that was found goes to the provider's own address only: for "
        .. base_url .. " give it in options.credentials"
    end
    if found then
      return found
    end
    looked[#looked + 1] = where
    if stop then
      break
    end
  end
  return nil, table.concat(looked, ", ")
end

return credentials
