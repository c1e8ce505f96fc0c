--- Memory that runs short at every place of a call: in Lua's allocator (see shortage.c), or in malloc for our code and
--- for libcurl (see failing.c).
local assert = require("luassert")
local support = require("spec.support")

local exhausted = {}

local MOST = 20000
local COLLECT_EVERY = 50

-- How a shortage reads: Lua's own error; lua-cjson's on 5.1; and what 5.2 says where the stack cannot grow.
local function is_shortage(message)
  return message:find("not enough memory", 1, true) or message:find("Memory allocation error", 1, true)
    or message:find("stack overflow (too many nested calls)", 1, true)
end

-- Calls `f` with the first allocation failing, then the second, and so on until none fails.
local function exhaust(within, lasting, f, prepare, check)
  local n, failed = 0, true
  while failed and n < MOST do
    local given = prepare and prepare()
    local ok, value
    failed, ok, value = within(n, lasting, function() return f(given) end)
    if not ok and not is_shortage(tostring(value)) then
      collectgarbage("restart")
      error(("allocation %d%s: %s"):format(n, lasting and " and all after it" or "", tostring(value)))
    end
    if check then
      check(given, ok, value, n)
    end
    n = n + 1
    if n % COLLECT_EVERY == 0 then
      collectgarbage()
      collectgarbage("stop")
    end
  end
  return n, failed
end

--- Calls `f(given)` with a shortage at each place where memory is allocated, one that lasts, then one that is over at
--- once. Each run must end in what `f` itself takes for right, or in Lua's own error. `within` makes the shortage;
--- `given` is what `prepare` returned with memory enough; `check(given, ok, value)` is called behind each run. Returns
--- how many places there are.
function exhausted.run(within, f, prepare, check)
  local count
  for _, lasting in ipairs({ true, false }) do
    collectgarbage()
    collectgarbage("stop")
    local ok, n, failed = pcall(exhaust, within, lasting, f, prepare, check)
    collectgarbage("restart")
    collectgarbage()
    assert(ok, n)
    assert.is_false(failed)
    count = n
  end
  return count
end

--- Makes malloc fail, for our code and for libcurl, as `shortage.within` does it for Lua; nil where the module is not
--- built for that.
function exhausted.malloc()
  local open = package.loadlib(support.module_file(), "luaopen_failing")
  return open and open().within
end

return exhausted
