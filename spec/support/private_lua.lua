--- The host that keeps its Lua to itself (private_lua.c), and this Lua's shared library.
local system = require("spec.emulator.system")

local private_lua = {}

local names = {
  ["Lua 5.2"] = "liblua5.2.so.0",
  ["Lua 5.3"] = "liblua5.3.so.0",
  ["Lua 5.4"] = "liblua5.4.so.0",
}
private_lua.name = rawget(_G, "jit") and "libluajit-5.1.so.2" or names[_VERSION]
private_lua.host = package.searchpath and package.searchpath("private_lua", (package.cpath:gsub("%.so", "")))
private_lua.library = private_lua.name and system.capture("PATH=$PATH:/sbin ldconfig -p 2>/dev/null")
  :match(private_lua.name:gsub("%p", "%%%0") .. " [^\n]*=> (%S+)")

return private_lua
