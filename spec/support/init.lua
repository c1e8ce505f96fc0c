--- What the specs share: one emulator for all of them, clients of it, fresh ids, child processes, tables.
local emulators = require("spec.emulator")
local system = require("spec.emulator.system")
local mediastop = require("mediastop")

local support = {}

-- busted loads every spec file with modules and globals of its own; what is to outlive a file stands in the registry.
local registry = debug.getregistry()
registry["mediastop.spec"] = registry["mediastop.spec"] or { ids = 0 }
local shared = registry["mediastop.spec"]

--- The four operations.
support.operations = {
  { provider = "memories", name = "stop", full = "memories.stop", method = "POST" },
  { provider = "screenplay", name = "cancel", full = "screenplay.cancel", method = "DELETE" },
  { provider = "emogg", name = "stop", full = "emogg.stop", method = "POST" },
  { provider = "fastpix", name = "finish", full = "fastpix.finish", method = "PUT" },
}

--- The operation of a provider.
function support.operation(provider)
  for _, operation in ipairs(support.operations) do
    if operation.provider == provider then
      return operation
    end
  end
  error("no provider " .. tostring(provider), 2)
end

--- The emulator: started by the first who asks, ended by busted's end, the same for all files.
function support.emulator()
  if not shared.emulator then
    shared.emulator = emulators.start()
    require("busted").subscribe({ "exit" }, function()
      shared.emulator:stop()
      shared.emulator = nil
    end)
  end
  return shared.emulator
end

--- An id that nobody has used, with a job of the provider that can be ended if one is named.
function support.id(provider)
  shared.ids = shared.ids + 1
  local id = ("spec-%06d"):format(shared.ids)
  if provider then
    support.emulator():job(provider, id)
  end
  return id
end

--- A deep copy.
function support.copy(value)
  if type(value) ~= "table" then
    return value
  end
  local copy = {}
  for key, item in pairs(value) do
    copy[key] = support.copy(item)
  end
  return copy
end

--- A deep copy of `base` in which the entries of `more` win; tables in both are joined.
function support.merge(base, more)
  local merged = support.copy(base)
  for key, item in pairs(more or {}) do
    local both = type(item) == "table" and type(merged[key]) == "table"
    merged[key] = both and support.merge(merged[key], item) or support.copy(item)
  end
  return merged
end

--- A table's keys, sorted.
function support.keys(map)
  local keys = {}
  for key in pairs(map) do
    keys[#keys + 1] = tostring(key)
  end
  table.sort(keys)
  return keys
end

-- COLLECT: the collector works without a pause (see spec/support/leftovers.lua), and does all of its work at every
-- event.
local collects = os.getenv("COLLECT")

local function collect()
  collectgarbage()
end

--- A client of the emulator under one of its origins (`support.emulator().h2`, say). `options` override.
function support.origin_client(origin, options)
  local emulator = support.emulator()
  local all = {
    base_url = emulator:base_url(origin),
    credentials = emulator.credentials,
    ca_file = emulator.ca_file,
    proxy = "",
    on_event = collects and collect or nil,
  }
  for name, value in pairs(options or {}) do
    all[name] = value
  end
  return mediastop.new(all)
end

--- A client of the emulator without TLS. `options` override.
function support.client(options)
  return support.origin_client(support.emulator().http, options)
end

--- Calls the provider's operation of a client, or of anything else that has the four tables.
function support.call(client, provider, ...)
  return client[provider][support.operation(provider).name](...)
end

--- Calls for a fresh id whose provider answers as the fault steps say: a step, or a list of them; "{id}" in a body
--- stands for the id. Returns the id and what the call returned.
function support.answered(client, provider, steps, options)
  local id = support.id()
  steps = support.copy(steps[1] and steps or { steps })
  for _, step in ipairs(steps) do
    if type(step.body) == "string" then
      step.body = step.body:gsub("{id}", id)
    end
  end
  support.emulator():faults(id, steps)
  return id, support.call(client, provider, id, options)
end

--- Whether it is a whole number, and an integer where Lua has those.
function support.is_whole(value)
  if type(value) ~= "number" then
    return false
  end
  return math.type and math.type(value) == "integer" or not math.type and value % 1 == 0
end

--- Why a spec cannot hold: the libcurl that runs is older than that version, "7.80"; nil if it is not.
function support.older_libcurl(version)
  local major, minor = require("libcurl")()
  local least_major, least_minor = version:match("^(%d+)%.(%d+)$")
  if major * 1000 + minor < least_major * 1000 + least_minor then
    return ("libcurl %d.%d is older than %s"):format(major, minor, version)
  end
end

--- busted's `it`, with specs that are pending where the libcurl that runs is older than that version.
function support.with_libcurl(version, it, pending)
  return function(name, body)
    it(name, function()
      local older = support.older_libcurl(version)
      if older then
        return pending(older)
      end
      return body()
    end)
  end
end

--- The credentials that the emulator accepts, as environment variables.
function support.variables()
  local credentials = support.emulator().credentials
  return {
    MEMORIES_API_KEY = credentials.memories.api_key,
    EMOGG_API_TOKEN = credentials.emogg.token,
    FASTPIX_USERNAME = credentials.fastpix.username,
    FASTPIX_PASSWORD = credentials.fastpix.password,
  }
end

--- A path for a file of this run; it goes away with the emulator.
function support.scratch(name)
  return support.emulator().dir .. "/" .. name
end

--- The interpreter that runs the specs; `MEDIASTOP_LUA` names another one for the processes that they start.
function support.interpreter()
  shared.interpreter = shared.interpreter or os.getenv("MEDIASTOP_LUA") or system.capture("readlink /proc/$PPID/exe")
  return shared.interpreter
end

--- Words of the shell ahead of a program, which give it PATH, LUA_PATH, LUA_CPATH, this environment, and nothing else.
function support.with_environment(environment)
  local all = { PATH = os.getenv("PATH"), LUA_PATH = package.path, LUA_CPATH = package.cpath }
  local words = { "env -i" }
  for name, value in pairs(support.merge(all, environment)) do
    words[#words + 1] = system.quote(name .. "=" .. value)
  end
  return table.concat(words, " ")
end

--- The file from which `require` takes the module.
function support.module_file()
  for template in package.cpath:gmatch("[^;]+") do
    local path = template:gsub("%?", "mediastop/core")
    if system.read_file(path) then
      return path
    end
  end
end

--- Runs Lua source in a process of its own, whose environment is `environment` and nothing else but PATH, HOME (a
--- folder that is not there), LUA_PATH and LUA_CPATH. Returns { status, stdout, stderr }.
function support.run(source, environment)
  local file, out, err = support.scratch("child.lua"), support.scratch("child.out"), support.scratch("child.err")
  system.write_file(file, source)
  local script = ("%s %s %s </dev/null >%s 2>%s; echo $?"):format(
    support.with_environment(support.merge({ HOME = "/nonexistent" }, environment)),
    system.quote(support.interpreter()), system.quote(file), system.quote(out), system.quote(err))
  local status = tonumber((system.capture(script)))
  return { status = status, stdout = system.read_file(out), stderr = system.read_file(err) }
end

return support
