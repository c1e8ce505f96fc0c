-- The library keeps to what every Lua from 5.1 on has.
std = "min"
max_line_length = 120
files["lua/mediastop/loader.lua"] = { std = "max" } -- it asks what there is
files["spec"] = { std = "max+busted" }
files["spec/emulator/server"] = { std = "ngx_lua" }
files["lua/mediastop/resty"] = { std = "ngx_lua" }
files["lua/mediastop/resty.lua"] = { std = "ngx_lua" }
files["examples"] = { std = "max" }
files[".ci"] = { std = "max" }
files["examples/nginx-rtmp"] = { std = "ngx_lua" }
files["examples/freeswitch"] = { globals = { "argv", "freeswitch" } }
files["examples/haproxy"] = { globals = { "core" } }
files["examples/love"] = { std = "max+love" }
files["examples/obs"] = { globals = { "obslua", "script_description", "script_defaults", "script_properties",
  "script_update", "script_load", "script_unload" } }
files["examples/vlc"] = { globals = { "vlc" } }
files["spec/hosts/love"] = { std = "max+love" }
files["bench"] = { std = "max" }
files[".luacheckrc"] = { std = "luacheckrc" }
-- Annotations: functions without bodies.
files["lua/mediastop/types.lua"] = { ignore = { "2.." } }
