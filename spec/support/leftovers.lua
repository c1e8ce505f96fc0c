--- A helper of busted's (see .busted): no spec may leave anything behind. After each one no job of a client is
--- unfinished, and no global is new; after each file there are no more descriptors and threads than before, and no
--- client is open.
---
--- A spec that leaves something on purpose says so: `require("spec.support.leftovers").allow("jobs")`, from the test
--- itself, for that test; "globals", "descriptors", "threads" or "clients" from anywhere in a file, for that file.
local busted = require("busted")
local has_process, process = pcall(require, "process")

local registry = debug.getregistry()

-- Modules are loaded anew for each spec file; what is known of one is here.
local state = registry["mediastop.leftovers"] or { clients = setmetatable({}, { __mode = "k" }), allowed = {} }
registry["mediastop.leftovers"] = state

local leftovers = {}

-- LEFTOVERS: what all may leave. A sanitizer has a thread of its own.
local allowed_to_all = os.getenv("LEFTOVERS") or ""

local function is_allowed(what)
  return state.allowed[what] or allowed_to_all:find(what, 1, true)
end

--- Allows the spec, or the file, to leave this.
function leftovers.allow(what)
  state.allowed[what] = true
end

--- Of these so many more are there to stay: they belong to all specs.
function leftovers.keep(what, count)
  if state.before and state.before[what] then
    state.before[what] = state.before[what] + count
  end
end

-- Whoever asks a client for something is noted; and the modules, whose own clients no spec can close.
local function watch()
  for _, name in ipairs({ "mediastop", "mediastop.core" }) do
    state.modules[package.loaded[name] or false] = true
  end
  local core = package.loaded["mediastop.core"]
  if core and core ~= state.core then
    state.core = core
    local any = core.new()
    any:close()
    local metatable = debug.getmetatable(any)
    local index = metatable.__index
    metatable.__index = function(client, key)
      state.clients[client] = true
      return index(client, key)
    end
  end
end

-- LuaSocket's and LuaSec's modules, which are globals as well on Lua 5.1.
local of_others = { ltn12 = true, mime = true, socket = true, ssl = true }

local function globals()
  local set = {}
  for name in pairs(_G) do
    set[name] = true
  end
  return set
end

local function check_globals()
  local new = {}
  for name in pairs(_G) do
    if not state.globals[name] and not of_others[name] then
      new[#new + 1] = tostring(name)
      _G[name] = nil
    end
  end
  if new[1] and not is_allowed("globals") then
    error(("left over by '%s': the global %s"):format(state.name, table.concat(new, ", ")), 0)
  end
end

local function check_jobs()
  for client in pairs(state.clients) do
    local count = client:step()
    if count > 0 and not is_allowed("jobs") then
      client:close()
      error(("left over by '%s': %d unfinished jobs"):format(state.name, count), 0)
    end
  end
  state.allowed.jobs = nil
end

-- Closes the client whose functions a module has.
local function close_default(module)
  if module.close then
    return module.close()
  end
  for i = 1, 99 do
    local name, value = debug.getupvalue(module.each, i)
    if name == "client" then
      return value:close()
    end
  end
end

local function check_clients()
  local open = 0
  for client in pairs(state.clients) do
    if select(2, client:fd()) ~= "the client is closed" then
      open = open + 1
      client:close()
    end
  end
  state.clients = setmetatable({}, { __mode = "k" })
  for module in pairs(state.modules) do
    if module then
      close_default(module)
    end
  end
  if open > 0 and not is_allowed("clients") then
    error(("left over: %d open clients"):format(open), 0)
  end
end

-- Threads of libcurl's may take a moment to end.
local function settle(count, before)
  local deadline = os.time() + 3
  while count() > before and os.time() < deadline do
    collectgarbage()
  end
  return count() - before
end

local function check_counts(before)
  for _, what in ipairs({ "descriptors", "threads" }) do
    if before[what] and not is_allowed(what) then
      local more = settle(process[what], before[what])
      if more > 0 then
        error(("left over: %d %s"):format(more, what), 0)
      end
    end
  end
end

local function count()
  return { descriptors = has_process and process.descriptors(), threads = has_process and process.threads() }
end

if not state.installed then
  state.installed = true

  -- COLLECT: with a collector that never rests; see also spec/support/init.lua.
  if os.getenv("COLLECT") then
    collectgarbage("setpause", 0)
    collectgarbage("setstepmul", 1000)
  end

  busted.subscribe({ "file", "start" }, function()
    state.allowed, state.modules = {}, {}
    state.before = count()
    return nil, true
  end)

  busted.subscribe({ "test", "start" }, function(element)
    state.name = element.name
    return nil, true
  end)

  busted.before_each(function()
    watch()
    state.globals = globals()
  end)

  busted.after_each(function()
    watch()
    check_globals()
    check_jobs()
  end)

  busted.subscribe({ "file", "end" }, function()
    collectgarbage()
    collectgarbage()
    check_clients()
    check_counts(state.before)
    return nil, true
  end)
end

return leftovers
