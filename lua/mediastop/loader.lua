--- Lets C modules find the host's own Lua: `require "mediastop.loader"`, ahead of every other `require`.
-- OBS and VLC load the library of their Lua for themselves alone, so that every C module fails with `undefined symbol:
-- lua_…`, ours and lua-cjson alike. With this, `require` loads a C module by way of a library that needs the module
-- and the host's Lua, where the module finds the symbols. No second copy of Lua is loaded, and nobody else sees the
-- symbols: a plugin with another Lua (VLC's, in OBS) would take them for its own. Where they are visible as it is (mpv,
-- LÖVE, HAProxy, the `lua` program) this changes nothing.
--
-- It knows Linux, from /proc/self/maps, and does nothing elsewhere: on Windows a module names the library it needs.
-- It cannot help Lua 5.1 other than LuaJIT, which has no `package.searchpath`.
-- @module mediastop.loader
-- @treturn table `library`, the path of the host's Lua, or else `reason`, why there was nothing to do

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

-- The bytes of a library that has nothing but the paths of those that it needs (ELF, whose numbers these are). `like`
-- is the beginning of one for the same machine.
local function needing(like, paths)
  local long, big_endian = like:byte(5) == 2, like:byte(6) == 2
  local size = long and 8 or 4
  local function number(value, width)
    local bytes = {}
    for i = 1, width do
      bytes[big_endian and width + 1 - i or i] = string.char(value % 256)
      value = math.floor(value / 256)
    end
    return table.concat(bytes)
  end
  local function words(...)
    local all = { ... }
    for i, value in ipairs(all) do
      all[i] = number(value, size)
    end
    return table.concat(all)
  end
  local function segment(kind, offset, length, align)
    local flags = number(6, 4) -- to be read and written, the stack too
    return number(kind, 4) .. (long and flags or "") .. words(offset, offset, offset, length, length)
      .. (long and "" or flags) .. words(align)
  end

  local header_size, segment_size, symbol_size = long and 64 or 52, long and 56 or 32, long and 24 or 16
  local at_dynamic = header_size + 3 * segment_size
  local dynamic_size = (#paths + 6) * 2 * size
  local at_hash = at_dynamic + dynamic_size
  local at_symbols = at_hash + 16
  local at_strings = at_symbols + symbol_size
  local strings, needed = "\0", ""
  for _, path in ipairs(paths) do
    needed = needed .. words(1, #strings)
    strings = strings .. path .. "\0"
  end
  return like:sub(1, 16) .. number(3, 2) .. like:sub(19, 20) .. number(1, 4) .. words(0, header_size, 0)
    .. like:sub(long and 49 or 37, long and 52 or 40)
    .. number(header_size, 2) .. number(segment_size, 2) .. number(3, 2) .. number(0, 6)
    .. segment(1, 0, at_strings + #strings, 65536) .. segment(2, at_dynamic, dynamic_size, 8)
    .. segment(0x6474e551, 0, 0, 16)
    .. needed .. words(4, at_hash, 5, at_strings, 6, at_symbols, 10, #strings, 11, symbol_size, 0, 0)
    .. number(1, 4) .. number(1, 4) .. number(0, 8) .. number(0, symbol_size) .. strings
end

-- What `require` calls with a module's name: gives the function that opens the module, or nil where it is no C module.
local function searcher(library, like)
  return function(name)
    local path = package.searchpath(name, package.cpath) or package.searchpath(name:match("^[^.]*"), package.cpath)
    if not path then
      return nil
    end
    local entry = "luaopen_" .. name:match("[^-]*$"):gsub("%.", "_")
    local open, _, failed_at = package.loadlib(path, entry)
    if open then
      return open, path -- it finds Lua by itself
    elseif failed_at == "init" then
      return nil -- so does this one; Lua's own searchers know which other names its opener may have
    end
    local stub = os.tmpname()
    local file, message = io.open(stub, "wb")
    if file then
      file:write(needing(like, { path:find("/") and path or "./" .. path, library }))
      file:close()
      open, message = package.loadlib(stub, entry)
      os.remove(stub)
    end
    if not open then
      error(("error loading module '%s' from file '%s':\n\t%s"):format(name, path, message), 0)
    end
    return open, path
  end
end

local function open()
  local searchers = package.searchers or package.loaders
  if not (package.loadlib and package.searchpath and searchers) then
    return nil, "this Lua has no package.loadlib or no package.searchpath"
  end
  local maps = io and io.open and io.open("/proc/self/maps", "r")
  if not maps then
    return nil, "no /proc/self/maps"
  end
  local path, reason = find(maps)
  maps:close()
  local file = path and io.open(path, "rb")
  if not file then
    return nil, reason or "cannot be read: " .. path
  end
  local like = file:read(64)
  file:close()
  table.insert(searchers, 3, searcher(path, like)) -- ahead of that for C modules
  return path
end

local library, reason = open()
return { library = library, reason = reason } --[[@as mediastop.Loader]]
