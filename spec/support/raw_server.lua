--- A server that plays scripts of bytes, for what a real server cannot be brought to do. It runs in a process of its
--- own, one for all specs, and ends with theirs.
local leftovers = require("spec.support.leftovers")
local socket = require("socket")
local support = require("spec.support")
local system = require("spec.emulator.system")
local json = require("cjson").new()

local raw_server = {}

--- Whether it can speak TLS (LuaSec).
raw_server.has_tls = pcall(require, "ssl")

-- busted loads every spec file with modules of its own; the process is to outlive a file.
local registry = debug.getregistry()

local function start()
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  local words = {
    "LUA_PATH=" .. system.quote(package.path),
    "LUA_CPATH=" .. system.quote(package.cpath),
    system.quote(support.interpreter()),
    "spec/support/raw_server_main.lua",
    port,
    "</dev/null 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &",
  }
  os.execute(table.concat(words, " "))
  listener:settimeout(10)
  local control = assert(listener:accept(), "the raw server does not start")
  listener:close()
  leftovers.keep("descriptors", 1)
  require("busted").subscribe({ "exit" }, function()
    control:close()
    registry["mediastop.raw_server"] = nil
  end)
  return control
end

local function ask(order)
  local control = registry["mediastop.raw_server"] or start()
  registry["mediastop.raw_server"] = control
  control:settimeout(10)
  assert(control:send(json.encode(order) .. "\n"))
  local answer = json.decode((assert(control:receive("*l"))))
  if answer.failure then
    error("raw server: " .. answer.failure, 3)
  end
  return answer
end

local Server = {}
Server.__index = Server

--- Listens on a free port of loopback. `script` has a list of steps for each connection, in the order in which they
--- come; every further one is served as the provider would. A step is a table with one of these:
--- read = true, a number, "stream" or "nothing" · send = text (`times`, `every`, `piece`) · answer = true or an id ·
--- serve = true (`spoil`, `by`) · pause = seconds · go = number (of the spec's `server:go()`s) · shut = true ·
--- hold = true · reset = true · close = true · drop = true (from beneath TLS) · tls = "h2" or "http/1.1" · for HTTP/2:
--- goaway = code (`last`), reset_stream = code, begin = text, settings = true, model = true (see raw_server_model.lua).
--- `protocol`: TLS with this protocol for the connections without a script. `port`: another than a free one.
--- `rest`: the steps of the connections without a script, in place of serving.
function raw_server.listen(script, protocol, port, rest)
  local directory = support.emulator().dir
  rest = rest or { protocol and { tls = protocol } or { pause = 0 }, { serve = true } }
  local answer = ask({
    command = "listen",
    script = script,
    rest = rest,
    port = port,
    tls = { key = directory .. "/server.key", certificate = directory .. "/server.pem" },
  })
  return setmetatable({
    number = answer.server,
    origin = ("%s://127.0.0.1:%d"):format(protocol and "https" or "http", answer.port),
  }, Server)
end

--- The connections so far: a list of { received = bytes, requests = how many were read, over, left }.
function Server:connections()
  return ask({ command = "connections", server = self.number }).connections
end

--- How many requests were read on all connections.
function Server:requests()
  local count = 0
  for _, connection in ipairs(self:connections()) do
    count = count + connection.requests
  end
  return count
end

--- What was seen for each id of these sequences (see raw_server_model.lua): { seen, answered, ended, over, late, said,
--- letters } by id.
function Server:seen(seeds)
  return ask({ command = "seen", server = self.number, seeds = seeds }).seen
end

--- Waits until the condition on the list of connections holds; what it gave.
function Server:wait(condition)
  local value
  assert(system.wait_until(function()
    value = condition(self:connections())
    return value
  end, 5), "the raw server waits in vain")
  return value
end

--- Lets the scripts go on that wait for it.
function Server:go()
  ask({ command = "go", server = self.number })
end

function Server:close()
  ask({ command = "close", server = self.number })
end

local Port = {}
Port.__index = Port

function Port:close()
  for _, one in ipairs(self.sockets) do
    one:close()
  end
end

local function new_port(sockets)
  local _, port = sockets[1]:getsockname()
  return setmetatable({ sockets = sockets, number = tonumber(port), origin = "http://127.0.0.1:" .. port }, Port)
end

--- A port that nobody listens on, and that nobody else can get meanwhile.
function raw_server.refusing()
  local one = assert(socket.tcp())
  assert(one:bind("127.0.0.1", 0))
  return new_port({ one })
end

--- A port at which connections neither come about nor fail: its queue is full, and nobody takes from it.
function raw_server.black_hole()
  local listener = assert(socket.tcp())
  assert(listener:bind("127.0.0.1", 0))
  assert(listener:listen(0))
  local _, port = listener:getsockname()
  local sockets = { listener }
  for index = 1, 4 do
    sockets[index + 1] = assert(socket.tcp())
    sockets[index + 1]:settimeout(0)
    sockets[index + 1]:connect("127.0.0.1", tonumber(port))
  end
  return new_port(sockets)
end

return raw_server
