-- What `luarocks test` runs, in the Lua that LuaRocks is for: the specs of this Lua, or those that are named.
local version = rawget(_G, "jit") and "jit" or _VERSION:match "%d.%d"
local command = ("make test LUA_VERSION=%s SPEC='%s'"):format(version, table.concat(arg, " "))
local status = os.execute(command)
os.exit((status == true or status == 0) and 0 or 1)
