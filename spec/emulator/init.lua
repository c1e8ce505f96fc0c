--- The four providers on a real nginx, for specs, benchmarks and trials without an account.
local control = require("spec.emulator.control")
local certificates = require("spec.emulator.certificates")
local nginx = require("spec.emulator.nginx")
local process = require("spec.emulator.process")
local system = require("spec.emulator.system")
local json = require("cjson").new()

local emulator = {}

local Emulator = {}
Emulator.__index = Emulator

-- Started in whatever folder: the path is made absolute while the current folder is still the one it is relative to.
local home = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or "."
if home:sub(1, 1) ~= "/" then home = system.capture("cd " .. system.quote(home) .. " && pwd") end

local default_credentials = {
  memories = { api_key = "sk-mavi-emulator-0123456789abcdef" },
  emogg = { token = "emogg-emulator-0123456789abcdef" },
  fastpix = { username = "fastpix-emulator-id", password = "fastpix-emulator-0123456789abcdef" },
}

local option_types = { owner = "number", access_log = "boolean", credentials = "table", record = "boolean" }

local function check_options(options)
  for name, value in pairs(options) do
    local wanted = option_types[name]
    if not wanted then error("emulator: unknown option '" .. tostring(name) .. "'", 3) end
    if type(value) ~= wanted then error(("emulator: option '%s' is no %s"):format(name, wanted), 3) end
  end
end

local function accepted_credentials(given)
  local credentials = {}
  for provider, fields in pairs(default_credentials) do
    credentials[provider] = {}
    for name, value in pairs(given and given[provider] or fields) do credentials[provider][name] = value end
  end
  return credentials
end

-- Returns the master's id and start time once nginx answers, and not that of another emulator that got the same port;
-- nil and its complaints when it ended, which may be only a port that somebody else took in between.
local function try(installation, directory, ports, access_log)
  local pid = nginx.launch(installation, directory, home, ports, access_log)
  local started
  local answered = system.wait_until(function()
    started = process.start_time(pid)
    local answer = control.request(ports.control, "GET", "/health")
    return not started or answer ~= nil and answer.directory == directory
  end, 10)
  if answered and started then return pid, started end
  if started then system.signal(pid, "KILL") end
  return nil, nginx.complaints(directory)
end

local function new_handle(pid, started, directory, ports, credentials)
  local handle = {
    pid = pid,
    started = started,
    dir = directory,
    ca_file = directory .. "/ca.pem",
    credentials = credentials,
    control_port = ports.control,
    control = "http://127.0.0.1:" .. ports.control,
    http = "http://127.0.0.1:" .. ports.http,
  }
  for _, name in ipairs({ "tls", "h2", "expired", "wrong_host", "unknown_ca" }) do
    handle[name] = "https://localhost:" .. ports[name]
  end
  return setmetatable(handle, Emulator)
end

local function run(installation, directory, options)
  certificates.make(directory)
  local credentials = accepted_credentials(options.credentials)
  system.write_file(directory .. "/settings.json", json.encode({
    owner = options.owner or system.own_pid(),
    directory = directory,
    credentials = credentials,
    record = options.record ~= false,
  }))
  local message
  for _ = 1, 5 do
    local ports = nginx.ports()
    local pid, answer = try(installation, directory, ports, options.access_log)
    if pid then return new_handle(pid, answer, directory, ports, credentials) end
    message = answer
    if not message:find("Address already in use", 1, true) then break end
  end
  error("emulator: nginx does not start:\n" .. message, 0)
end

--- Starts the emulator and returns its handle. Options: `owner`, the process it ends with (this one); `access_log`,
--- write `access.log` into `dir`; `credentials`, others than the usual ones; `record = false`, keep no requests.
function emulator.start(options)
  options = options or {}
  check_options(options)
  local installation = nginx.find()
  local directory = system.private_directory()
  local good, result = pcall(run, installation, directory, options)
  if good then return result end
  system.remove_directory(directory)
  error(result, 0)
end

--- Ends nginx at once and removes its folder.
function Emulator:stop()
  if self.stopped then return end
  self.stopped = true
  local function ended() return process.start_time(self.pid) ~= self.started end
  for _, signal in ipairs({ "TERM", "KILL" }) do
    if not ended() then system.signal(self.pid, signal) end
    if system.wait_until(ended, 5) then break end
  end
  system.remove_directory(self.dir)
end

--- Whether nginx runs.
function Emulator:running()
  return not self.stopped and process.start_time(self.pid) == self.started
end

--- The base URLs of the four under an origin, by default the one without TLS.
function Emulator:base_url(origin)
  origin = origin or self.http
  return {
    memories = origin .. "/serve/api/v2",
    screenplay = origin .. "/serve/api/v2",
    emogg = origin .. "/v1",
    fastpix = origin .. "/v1",
  }
end

local function ask(self, method, path, body)
  if self.stopped then error("emulator: it was stopped", 3) end
  local value, message = control.request(self.control_port, method, path, body)
  if not value then error("emulator: " .. tostring(message), 3) end
  return value
end

--- Makes a job, or many when `id` is a list; or sets the state of one that is there. The state is by default the one
--- in which it can be ended. Settings: `answer_state`, `finish_after`.
function Emulator:job(provider, id, state, settings)
  ask(self, "POST", "/jobs", { provider = provider, id = id, state = state, settings = settings })
end

--- The state of a job, nil when there is none.
function Emulator:state(provider, id)
  return ask(self, "GET", "/jobs?provider=" .. control.escape(provider) .. "&id=" .. control.escape(id)).state
end

--- What arrived for an id, or for all, in order.
function Emulator:requests(id)
  return ask(self, "GET", id and "/requests?id=" .. control.escape(id) or "/requests").requests
end

--- Sets what goes wrong with the next requests for an id; the README lists the fields of a step.
function Emulator:faults(id, steps)
  ask(self, "POST", "/faults", { id = id, steps = steps })
end

--- How many connections to the emulator are open.
function Emulator:connections()
  return ask(self, "GET", "/connections").connections
end

--- Forgets the jobs, the faults and the requests.
function Emulator:reset()
  ask(self, "POST", "/reset")
end

return emulator
