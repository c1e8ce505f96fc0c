--- Who is measured: the bare C program, the module on each Lua that is here, and what a program would take in its
-- place.
local tool = require("bench.tool")
local system = require("spec.emulator.system")

local subject = { left_out = {} }

--- The C program. `mode`: `one` or `many`; `more`: concurrency and connections. `program`: another build of it.
function subject.limit(mode, origin, ca, warm, more, program)
  return function(count)
    return ("build/bench/%s %s %s %s %d %d %s"):format(program or "limit", mode, origin, ca, warm, count, more or "")
  end
end

--- Rows of the C program: alone, and with lua-cjson, without which no Lua program has an answer.
function subject.limits(count, mode, origin, ca, warm, more)
  return {
    { name = "bare C on libcurl", count = count, command = subject.limit(mode, origin, ca, warm, more) },
    { name = "bare C, answers read by lua-cjson", count = count,
      command = subject.limit(mode, origin, ca, warm, more, "limit-json") },
  }
end

-- The Luas for which the module was built.
subject.luas = {}
for _, version in ipairs({ "5.4", "jit" }) do
  local program = version == "jit" and "luajit" or "lua" .. version
  if system.read_file(("build/%s/mediastop/core.so"):format(version)) and tool.has(program) then
    table.insert(subject.luas, { version = version, program = program,
      name = version == "jit" and "LuaJIT" or "Lua " .. version })
  end
end

local function lua(program, version, lua_path, lua_cpath, script)
  return ("env LUA_PATH='%s' LUA_CPATH='%s' @ %s %s"):format(lua_path,
    (lua_cpath:gsub("VERSION", version)), program, script)
end

--- The module on one of the Luas.
function subject.module(on, mode, origin, ca, warm, more)
  local start = lua(on.program, on.version, "./lua/?.lua;./lua/?/init.lua;;",
    "build/VERSION/?.so;build/bench/VERSION/?.so;;", "bench/subject/mediastop.lua")
  return function(count)
    return ("%s %s %s %s %d %d %s"):format(start, mode, origin, ca, warm, count, more or "")
  end
end

-- Debian has lua-http for 5.1 to 5.3 only; it runs on 5.4.
local http_path = "./?.lua;/usr/share/lua/5.4/?.lua;/usr/share/lua/5.4/?/init.lua;/usr/share/lua/5.3/?.lua;"
  .. "/usr/share/lua/5.3/?/init.lua;/usr/share/lua/5.1/?.lua;/usr/share/lua/5.1/?/init.lua;;"

-- Name, command, how to see that it is here, and the share of the calls that it gets, as some take a thousand times as
-- long.
local peers = {
  { "Lua 5.4, Lua-cURL", lua("lua5.4", "5.4", "./?.lua;;", "build/bench/5.4/?.so;;", "bench/subject/lcurl.lua"),
    "lua5.4 -e 'require \"lcurl\"'", 1 },
  { "LuaJIT, Lua-cURL", lua("luajit", "jit", "./?.lua;;", "build/bench/jit/?.so;;", "bench/subject/lcurl.lua"),
    "luajit -e 'require \"lcurl\"'", 1 },
  { "Lua 5.1, Debian's lua-curl", lua("lua5.1", "5.1", "./?.lua;;", ";;", "bench/subject/luacurl.lua"),
    "lua5.1 -e 'require \"curl\".easy_init()'", 1 },
  { "Lua 5.4, lua-http", lua("lua5.4", "5.4", http_path, ";;", "bench/subject/luahttp.lua"),
    lua("lua5.4", "5.4", http_path, ";;", "-e 'require \"http.client\"'"), 0.5 },
  { "Lua 5.4, LuaSocket and LuaSec", lua("lua5.4", "5.4", "./?.lua;;", ";;", "bench/subject/luasec.lua"),
    "lua5.4 -e 'require \"ssl.https\"'", 0.02, true },
  { "Lua 5.4, io.popen \"curl\"", lua("lua5.4", "5.4", "./?.lua;;", ";;", "bench/subject/popen.lua"),
    "curl -V", 0.005, true },
  { "Python http.client", "/usr/bin/python3 bench/subject/http_client.py", "/usr/bin/python3 -V", 0.5 },
  { "Node fetch", "node bench/subject/fetch.mjs", "node -v", 0.25 },
}

--- The peers that are here, as rows for `tool.compare`; `subject.left_out` names the others. A peer is asked by
-- `is_here` once.
function subject.peers(origin, ca, warm, count, before)
  local rows = {}
  for _, peer in ipairs(peers) do
    if peer.here == nil then
      local is_jit = peer[1]:find("^LuaJIT")
      peer.here = os.execute(("(export LUA_CPATH='build/bench/%s/?.so;;'; %s) >/dev/null 2>&1"):format(
        is_jit and "jit" or "5.4", (peer[3]:gsub("@ ", ""))))
      peer.here = peer.here == true or peer.here == 0
      if not peer.here then
        table.insert(subject.left_out, peer[1])
      end
    end
    if peer.here then
      local trusted = peer[1]:find("^Node") and "env NODE_EXTRA_CA_CERTS="
        .. (ca == "-" and "/etc/ssl/certs/ca-certificates.crt" or ca) .. " " or ""
      table.insert(rows, {
        name = peer[1],
        count = math.max(4, math.floor(count * peer[4])),
        before = before,
        command = function(calls)
          -- What keeps no connection has nothing to warm.
          return ("%s%s one %s %s %d %d"):format(trusted, peer[2], origin, ca, peer[5] and 0 or warm, calls)
        end,
      })
    end
  end
  return rows
end

return subject
