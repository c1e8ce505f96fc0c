-- luacheck: std ngx_lua
--- What the launcher wrote down for this run.
local json = require("cjson").new()

local settings = {}

--- Reads the file into this module; called once, before the worker is forked.
function settings.load(path)
  local file = assert(io.open(path, "rb"))
  for name, value in pairs(json.decode(file:read("*a"))) do settings[name] = value end
  file:close()
end

return settings
