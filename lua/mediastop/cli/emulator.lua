--- `mediastop emulator`: the bundled providers.
-- @module mediastop.cli.emulator

local emulator = {}

local folder = debug.getinfo(1, "S").source:match "^@(.*)/[^/]*$" or "."

-- Where `make install` puts it, and where it is in a checkout.
local places = { folder .. "/../emulator", folder .. "/../../.." }

local function find()
  for _, place in ipairs(places) do
    local path = place .. "/spec/emulator/run.lua"
    local file = io.open(path)
    if file then
      file:close()
      return path
    end
  end
end

-- The Debian packages of the modules that it needs.
local packages = { socket = "lua-socket", cjson = "lua-cjson" }

--- Runs it until Ctrl-C.
-- @tparam table list arguments
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string what is wrong
function emulator.run(list)
  local path = find()
  if not path then
    return nil, "the emulator is not installed: `make install` puts it into " .. places[1]
  end
  local run = assert(loadfile(path))
  local fine, problem = pcall(run, (table.unpack or unpack)(list)) -- luacheck: globals table.unpack unpack
  if fine or tostring(problem):find("interrupted!", 1, true) then
    return true
  end
  local name = tostring(problem):match "module '([^']+)' not found"
  if packages[name] then
    return nil, ("the emulator needs the Lua module '%s' (Debian package: %s)"):format(name, packages[name])
  end
  return nil, tostring(problem)
end

return emulator
