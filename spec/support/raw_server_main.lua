--- The process behind spec.support.raw_server: `lua raw_server_main.lua PORT`. It connects to that port of its owner,
--- is told there what to do (one line of JSON each way), and ends when that connection ends.
local socket = require("socket")
local json = require("cjson").new()
local player = require("spec.support.raw_server_play")

local owner = assert(socket.connect("127.0.0.1", tonumber(arg[1])))
local unread = ""

local servers, waiting, last_number = {}, {}, 0

-- A script is a coroutine, which yields what it waits for: { socket, write, due, go }.
local function resume(thread, connection)
  local good, want = coroutine.resume(thread)
  if not good and want ~= player.GONE then
    connection.failure = tostring(want)
    io.stderr:write("raw server: ", debug.traceback(thread, connection.failure), "\n")
  end
  if not good or coroutine.status(thread) == "dead" then
    waiting[thread] = nil
    connection.over = true
    connection.socket:close()
  else
    waiting[thread] = { want = want, connection = connection }
  end
end

local function accept(server)
  local accepted = server.listener:accept()
  if not accepted then
    return
  end
  accepted:settimeout(0)
  accepted:setoption("tcp-nodelay", true)
  local connection = { socket = accepted, server = server, received = "", buffer = "", requests = 0 }
  server.connections[#server.connections + 1] = connection
  local steps = server.script[#server.connections] or server.rest
  resume(coroutine.create(function()
    player.play(connection, steps)
  end), connection)
end

local commands = {}

function commands.listen(order)
  local listener = assert(socket.bind("127.0.0.1", ("%d"):format(order.port or 0)))
  listener:settimeout(0)
  last_number = last_number + 1
  servers[last_number] = {
    listener = listener,
    script = order.script,
    rest = order.rest,
    tls = order.tls,
    went = 0,
    connections = {},
  }
  local _, port = listener:getsockname()
  return { server = last_number, port = tonumber(port) }
end

function commands.connections(order)
  local list = {}
  for index, connection in ipairs(servers[order.server].connections) do
    list[index] = {
      received = connection.received,
      requests = connection.requests,
      over = connection.over or false,
      left = connection.left or false,
      failure = connection.failure,
    }
  end
  return { connections = list }
end

--- What was seen, where the script is `model`, for the ids of these sequences; it is then forgotten.
function commands.seen(order)
  local server = servers[order.server]
  local asked, seen = {}, {}
  for _, seed in ipairs(order.seeds) do
    asked[seed] = true
  end
  for id, record in pairs(server.seen or {}) do
    if asked[tonumber(id:match("^m(%d+)%-"))] then
      seen[id], server.seen[id] = record, nil
    end
  end
  return { seen = seen }
end

--- Lets those scripts go on that wait for it, and those that come to it later.
function commands.go(order)
  servers[order.server].went = servers[order.server].went + 1
  return {}
end

function commands.close(order)
  local server = servers[order.server]
  servers[order.server] = nil
  server.listener:close()
  for thread, entry in pairs(waiting) do
    if entry.connection.server == server then
      waiting[thread] = nil
      entry.connection.socket:close()
    end
  end
  return {}
end

local function obey(line)
  local order = json.decode(line)
  local good, answer = pcall(commands[order.command], order)
  owner:settimeout(10)
  assert(owner:send(json.encode(good and answer or { failure = tostring(answer) }) .. "\n"))
end

local function listen_to_owner()
  owner:settimeout(0)
  local line, problem, part = owner:receive("*l", unread)
  if line then
    unread = ""
    obey(line)
  elseif problem == "closed" then
    os.exit(0)
  else
    unread = part
  end
end

local function is_ready(entry, readable, writable)
  local want, server = entry.want, entry.connection.server
  return (want.socket and (readable[want.socket] or writable[want.socket]))
    or (want.due and want.due <= socket.gettime())
    or (want.go and server.went >= want.go)
end

local function turn()
  local reads, writes, seconds = { owner }, {}, nil
  for _, server in pairs(servers) do
    reads[#reads + 1] = server.listener
  end
  for _, entry in pairs(waiting) do
    local want = entry.want
    if want.socket then
      local list = want.write and writes or reads
      list[#list + 1] = want.socket
    end
    if want.due then
      local left = math.max(0, want.due - socket.gettime())
      seconds = math.min(seconds or left, left)
    end
  end
  local readable, writable = socket.select(reads, writes, seconds)
  if readable[owner] then
    listen_to_owner()
  end
  for _, server in pairs(servers) do
    if readable[server.listener] then
      accept(server)
    end
  end
  local ready = {}
  for thread, entry in pairs(waiting) do
    if is_ready(entry, readable, writable) then
      ready[thread] = entry.connection
    end
  end
  for thread, connection in pairs(ready) do
    resume(thread, connection)
  end
end

while true do
  turn()
end
