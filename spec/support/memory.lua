--- What another process has in its memory. Linux, for the process's owner or root. A process that read its own would
--- find the copies that reading makes.
local assert = require("luassert")
local support = require("spec.support")
local system = require("spec.emulator.system")

local memory = {}

local BLOCK = 1024 * 1024

-- The readable parts of the memory that are not merely files: { first, last } as numbers.
local function ranges(pid)
  local list = {}
  for line in io.lines("/proc/" .. pid .. "/maps") do
    local first, last, mode, path = line:match("^(%x+)-(%x+) (%S+) %S+ %S+ %S+%s*(.*)$")
    if mode:find("r", 1, true) and (mode:find("w", 1, true) or path == "" ) and path ~= "[vvar]" then
      list[#list + 1] = { tonumber(first, 16), tonumber(last, 16) }
    end
  end
  return list
end

local function search(found, block, at, needles)
  for name, needle in pairs(needles) do
    local from = block:find(needle, 1, true)
    while from do
      found[name][at + from - 1] = true
      from = block:find(needle, from + 1, true)
    end
  end
end

--- Where the process has each of the needles, a map of name and bytes: by name, a set of addresses.
function memory.find(pid, needles)
  local found, longest = {}, 0
  for name, needle in pairs(needles) do
    found[name] = {}
    longest = math.max(longest, #needle)
  end
  local file = assert(io.open("/proc/" .. pid .. "/mem", "rb"))
  file:setvbuf("no")
  for _, range in ipairs(ranges(pid)) do
    local at = range[1]
    while at < range[2] do
      file:seek("set", at)
      local block = file:read(math.min(BLOCK + longest, range[2] - at))
      if block then
        search(found, block, at, needles)
      end
      at = at + BLOCK
    end
  end
  file:close()
  return found
end

--- How many addresses are in `found` but not in `before`.
function memory.count(found, before)
  local count = 0
  for address in pairs(found) do
    count = count + (before and before[address] and 0 or 1)
  end
  return count
end

-- Ahead of the source. Nothing that it prints goes through a buffer.
local prelude = [[
io.stdout:setvbuf("no")
local stat = io.open("/proc/self/stat")
print("pid " .. stat:read("*a"):match("^%d+"))
stat:close()
local function pause(name)
  collectgarbage()
  collectgarbage()
  print("at " .. name)
  io.read("*l")
end
]]

--- Runs Lua source in a process of its own; wherever it calls `pause(name)`, after collecting all garbage, its memory
--- is searched. Returns what was found by name of the pause, and what else the process printed, with its errors.
function memory.watch(source, needles, environment)
  local path = support.scratch("watched." .. support.id())
  system.write_file(path .. ".lua", prelude .. source)
  local pipe = assert(io.popen(("exec %s %s %s.lua >%s.out 2>&1"):format(support.with_environment(environment),
    system.quote(support.interpreter()), path, path), "w"))
  pipe:setvbuf("no")
  local found, seen, pid = {}, 0, nil
  local function output()
    return system.read_file(path .. ".out") or ""
  end
  local function is_over()
    return pid and not require("spec.emulator.process").start_time(pid)
  end
  while true do
    local name
    local come = system.wait_until(function()
      local index, text = 0, output()
      pid = pid or text:match("pid (%d+)\n")
      name = nil
      for pause in text:gmatch("at ([^\n]*)\n") do
        index = index + 1
        name = index == seen + 1 and pause or name
      end
      return name or is_over()
    end, 20)
    assert.is_truthy(come, "the process comes to no pause: " .. output())
    if not name then
      break
    end
    seen = seen + 1
    found[name] = memory.find(pid, needles)
    pipe:write("\n")
  end
  pipe:close()
  return found, (output():gsub("pid %d+\n", ""):gsub("at [^\n]*\n", ""))
end

--- Why memory cannot be searched here, or nil.
function memory.problem()
  local fine = pcall(function()
    local needle = ("mediastop"):reverse() .. "-needle"
    local found = memory.watch(('local kept = ("%s"):reverse() pause("x")'):format(needle:reverse()), { n = needle })
    assert.is_true(memory.count(found.x.n) > 0)
  end)
  return not fine and "the memory of another process cannot be read here" or nil
end

return memory
