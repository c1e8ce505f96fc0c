--- Makes the host's own Lua visible to C modules: `require "mediastop.loader"`, ahead of every other `require`.
-- OBS and VLC load the library of their Lua for themselves alone, so that every C module fails with `undefined symbol:
-- lua_…`, ours and lua-cjson alike. Here that library, which is in the process already, is opened once more, by the
-- path from which it was mapped and for all to see: no second copy is loaded. Where its symbols are visible as it is
-- (mpv, LÖVE, HAProxy, the `lua` program) this changes nothing.
--
-- It knows Linux, from /proc/self/maps, and does nothing elsewhere: on Windows a module names the library it needs.
-- It cannot help Lua 5.1 other than LuaJIT, whose `package.loadlib` opens nothing for others.
-- @module mediastop.loader
-- @treturn table `library`, the path of the library that was opened, or else `reason`, why there was nothing to do

-- From Lua 5.2 on this shows where the code of the function is, in 5.1 another address, in LuaJIT a number.
local of_the_host = tostring(rawget)

local function contains(first, last, address)
  return address and tonumber(first, 16) <= address and address < tonumber(last, 16)
end

-- The path of the host's Lua, if that is a shared library. LuaJIT's is known by its name only: if there are two, nobody
-- can tell which is the host's, and the wrong one would crash it.
local function find(maps)
  local is_luajit = of_the_host:find("builtin", 1, true)
  local digits = of_the_host:match("0x(%x+)$")
  local address = digits and tonumber(digits, 16)
  local found
  for line in maps:lines() do
    local first, last, path = line:match("^(%x+)%-(%x+) %S+ %S+ %S+ %S+ +(/.*)$")
    local name = path and path:match("[^/]*$")
    if name and name:find("%.so") and path ~= found
      and (is_luajit and name:find("^libluajit") or contains(first, last, address)) then
      if found then
        return nil, "the process has two of LuaJIT: " .. found .. " and " .. path
      end
      found = path
    end
  end
  if not found then
    return nil, "the host's Lua is not among its shared libraries"
  elseif found:find(" %(deleted%)$") then
    return nil, "the file has been replaced since the host started: " .. found
  end
  return found
end

local function open()
  local maps = package.loadlib and io and io.open and io.open("/proc/self/maps", "r")
  if not maps then
    return nil, "no /proc/self/maps"
  end
  local path, reason = find(maps)
  maps:close()
  if not path then
    return nil, reason
  end
  local opened, message = package.loadlib(path, "*")
  return opened and path, message
end

local library, reason = open()
return { library = library or nil, reason = reason } --[[@as mediastop.Loader]]
