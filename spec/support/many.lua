--- For specs of many jobs: ids by the hundred, loops that sleep on the descriptor, children that use the emulator.
local support = require("spec.support")
local socket = require("socket")
local json = require("cjson").new()

local many = {}

--- So many new ids, each with a job of the provider that can be ended.
function many.ids(provider, count)
  local ids = {}
  for i = 1, count do
    ids[i] = support.id()
  end
  support.emulator():job(provider, ids)
  return ids
end

--- Starts a job of memories that the emulator answers as these fault steps say. Returns it and its id.
function many.start(client, steps, options)
  local id = support.id("memories")
  if steps then
    support.emulator():faults(id, steps)
  end
  return assert(client:start("memories.stop", id, options)), id
end

--- A list of requests for `each`.
function many.requests(operation, ids, options)
  local list = {}
  for i, id in ipairs(ids) do
    list[i] = { operation, id, options }
  end
  return list
end

--- Whether the descriptor is readable, waiting for that at most so many seconds.
function many.is_readable(fd, seconds)
  local object = { getfd = function() return fd end, dirty = function() return false end }
  return socket.select({ object }, nil, seconds)[1] == object
end

--- Steps a client until nothing is unfinished, and sleeps only on its descriptor, as long as `due` says. Fails where it
--- would have slept on. Returns how often it stepped.
function many.finish(client, seconds)
  local deadline, steps = socket.gettime() + (seconds or 10), 1
  while client:step() > 0 do
    local left, due = deadline - socket.gettime(), client:due()
    assert(left > 0, "the loop does not come to its end")
    local ready = many.is_readable(client:fd(), math.min(due or left, left))
    assert(ready or due, "nothing is due, and the descriptor is silent, but jobs are unfinished")
    steps = steps + 1
  end
  return steps
end

--- Steps a client until the condition holds.
function many.step_until(client, condition, seconds)
  local deadline = socket.gettime() + (seconds or 5)
  while not condition() do
    assert(socket.gettime() < deadline, "it does not come to that")
    client:step()
    socket.sleep(0.002)
  end
end

--- Collects all garbage: what only a finalizer held takes a round more.
function many.collect()
  for _ = 1, 3 do
    collectgarbage()
  end
end

--- Whether children can have `process` and `states`, which are built for the specs (see process.c and states.c).
many.has_processes = pcall(require, "process") and pcall(require, "states")

local on_collection = [[
-- Calls the function once what is returned is finalised.
local function on_collection(run)
  if not newproxy then
    return setmetatable({}, { __gc = run })
  end
  local proxy = newproxy(true) -- Lua 5.1 and LuaJIT finalise no tables
  getmetatable(proxy).__gc = run
  return proxy
end
]]

--- The same for a spec itself.
many.on_collection = (loadstring or load)(on_collection .. "return on_collection")() -- luacheck: globals loadstring

-- Ahead of a child's source. A child that hangs is killed.
local prelude = [[
local has_process, process = pcall(require, "process")
local has_states, states = pcall(require, "states")
if has_process then
  process.alarm(120)
end
local mediastop = require("mediastop")
local place = require("cjson").decode(os.getenv("PLACE"))
local function new_client(options)
  local all = { base_url = place.base_url, credentials = place.credentials, ca_file = place.ca_file, proxy = "" }
  for name, value in pairs(options or {}) do
    all[name] = value
  end
  return mediastop.new(all)
end
]]

--- Runs Lua source in a process of its own that knows the emulator: `mediastop`, `new_client(options)`, `place.ids`
--- (these, or so many new ones of memories), `process`, `states`. Returns what support.run returns.
function many.child(source, ids, origin, environment)
  local emulator = support.emulator()
  local place = {
    base_url = emulator:base_url(origin),
    credentials = emulator.credentials,
    ca_file = emulator.ca_file,
    ids = type(ids) == "table" and ids or many.ids("memories", ids or 1),
  }
  return support.run(on_collection .. prelude .. source, support.merge({ PLACE = json.encode(place) }, environment))
end

--- Like many.child; fails unless the child says nothing on its standard error and ends with status 0. Returns what it
--- printed.
function many.good_child(source, ids, origin, environment)
  local ended = many.child(source, ids, origin, environment)
  assert(ended.status == 0 and ended.stderr == "",
    ("status %s: %s%s"):format(tostring(ended.status), ended.stdout, ended.stderr))
  return ended.stdout
end

--- Why a child cannot collect garbage within a finalizer as its state is closed; nil where it can.
function many.no_collection_at_end()
  return not many.has_processes and "process.so is not built"
    or _VERSION == "Lua 5.3" and "a collection within a finalizer, as its state is closed, does not end on Lua 5.3"
    or nil
end

return many
