--- Plays one connection's script, inside the process of raw_server_main.lua. What it waits for it yields.
local socket = require("socket")
local http2 = require("spec.support.http2")
local model = require("spec.support.raw_server_model")
local _, ssl = pcall(require, "ssl")

-- Raised when the connection is over before the script is, which is no mistake.
local GONE = {}

local waits = { timeout = true, wantread = true, wantwrite = true }

local function wait(connection, problem)
  if not waits[problem] then
    connection.left = true
    error(GONE)
  end
  coroutine.yield({ socket = connection.socket, write = problem == "wantwrite" })
end

local function pause(seconds)
  coroutine.yield({ due = socket.gettime() + seconds })
end

-- Adds what has arrived to the buffer; waits until there is something. Once a TLS connection has failed it is not read
-- again: LuaSec does not come back from that.
local function receive(connection)
  while true do
    if connection.failed then
      wait(connection, connection.failed)
    end
    local data, problem, part = connection.socket:receive(65536)
    local more = data or part or ""
    connection.failed = not data and not waits[problem] and (problem or "closed") or nil
    if more ~= "" then
      connection.received = connection.received .. more
      connection.buffer = connection.buffer .. more
      return
    end
    wait(connection, problem)
  end
end

local function send(connection, text)
  local from = 1
  while from <= #text do
    local sent, problem, last = connection.socket:send(text, from)
    if not sent then
      from = last + 1
      if problem == "timeout" then
        coroutine.yield({ socket = connection.socket, write = true })
      else
        wait(connection, problem)
      end
    else
      from = sent + 1
    end
  end
end

local function take(connection, count)
  while #connection.buffer < count do
    receive(connection)
  end
  local text = connection.buffer:sub(1, count)
  connection.buffer = connection.buffer:sub(count + 1)
  return text
end

local function read_request(connection)
  local head_end
  repeat
    head_end = select(2, connection.buffer:find("\r\n\r\n", 1, true))
    if not head_end then
      receive(connection)
    end
  until head_end
  local head = take(connection, head_end)
  connection.head = head
  connection.body = take(connection, tonumber(head:lower():match("\r\ncontent%-length: *(%d+)")) or 0)
  connection.id = connection.body:match('"task_id": *"([^"]*)"') or head:match("^%u+ %S-/([^/ ]+) ")
  connection.requests = connection.requests + 1
end

-- Up to the end of the next request's stream.
local function read_stream(connection)
  if not connection.prefaced then
    connection.prefaced = take(connection, #http2.PREFACE)
    send(connection, http2.settings())
  end
  local body = ""
  while true do
    local frame
    frame, connection.buffer = http2.take(connection.buffer)
    if not frame then
      receive(connection)
    elseif frame.is_settings then
      send(connection, http2.settings_ack())
    elseif frame.is_data then
      body = body .. frame.payload
    end
    if frame and frame.ends_stream then
      connection.stream = frame.stream
      connection.id = body:match('"task_id": *"([^"]*)"')
      connection.requests = connection.requests + 1
      return
    end
  end
end

local success = '{"code":200,"message":"success","data":{"task_id":"%s","message":"stopped"}}'

local function answer(connection, id)
  local body = success:format(id or connection.id)
  if connection.stream then
    send(connection, http2.head(connection.stream) .. http2.data(connection.stream, body, true))
  else
    send(connection, ("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s")
      :format(#body, body))
  end
end

local steps = {}

--- true: a request; a number: that many bytes; "stream": a request of HTTP/2; "nothing": until there is something to
--- read, which is left alone.
function steps.read(connection, what)
  if what == "nothing" then
    coroutine.yield({ socket = connection.socket })
  elseif what == "stream" then
    read_stream(connection)
  elseif what == true then
    read_request(connection)
  else
    take(connection, what)
  end
end

--- The bytes; `times` over; one `piece` at a time with `every` seconds between.
function steps.send(connection, text, step)
  if not step.every then
    return send(connection, text:rep(step.times or 1))
  end
  for from = 1, #text, step.piece or 1 do
    send(connection, text:sub(from, from + (step.piece or 1) - 1))
    pause(step.every)
  end
end

--- The provider's usual success, about the id of the request; or about this one.
function steps.answer(connection, id)
  answer(connection, id ~= true and id or nil)
end

-- Plays the steps, each of which is a table with a step's name as key.
local function play(connection, script)
  for _, step in ipairs(script) do
    for name, act in pairs(steps) do
      if step[name] ~= nil then
        act(connection, step[name], step)
      end
    end
  end
end

--- Answers as the provider would, for as long as the client stays. Behind each of the first `spoil` requests, counted
--- over all connections, the steps of `by` are played instead.
function steps.serve(connection, _, step)
  local server = connection.server
  while true do
    steps.read(connection, connection.protocol == "h2" and "stream" or true)
    server.served = (server.served or 0) + 1
    if server.served <= (step.spoil or 0) then
      play(connection, step.by)
    else
      answer(connection)
    end
  end
end

--- As the id of each request says (see raw_server_model.lua).
function steps.model(connection)
  local call = { pause = pause, send = function(text) send(connection, text) end }
  repeat
    read_request(connection)
    call.id, call.head = connection.id, connection.head
  until not model.act(connection.server, call)
end

steps.pause = function(_, seconds)
  pause(seconds)
end

--- Goes on when the spec says so, for the time that is given.
steps.go = function(_, time)
  coroutine.yield({ go = time })
end

--- TLS, with this protocol as ALPN's choice.
function steps.tls(connection, protocol)
  for _, step in ipairs(connection.script) do
    if step.reset then
      connection.socket:setoption("linger", { on = true, timeout = 0 })     -- TLS sockets have no options
    end
  end
  local tls = connection.server.tls
  tls.context = tls.context or assert(ssl.newcontext({
    mode = "server",
    protocol = "tlsv1_2",
    key = tls.key,
    certificate = tls.certificate,
    alpn = { protocol },
  }))
  connection.plain = connection.socket
  connection.socket = assert(ssl.wrap(connection.socket, tls.context))
  connection.socket:settimeout(0)
  connection.protocol = protocol
  while true do
    local done, problem = connection.socket:dohandshake()
    if done then
      return
    end
    wait(connection, problem)
  end
end

--- HTTP/2 frames: `last` is by default the stream of the last request.
function steps.goaway(connection, code, step)
  send(connection, http2.goaway(step.last or connection.stream, http2.codes[code]))
end

function steps.reset_stream(connection, code)
  send(connection, http2.reset(connection.stream, http2.codes[code]))
end

--- The status and part of a body.
function steps.begin(connection, body)
  send(connection, http2.head(connection.stream) .. http2.data(connection.stream, body, false))
end

function steps.settings(connection)
  connection.prefaced = take(connection, #http2.PREFACE)
  send(connection, http2.settings())
end

--- No more bytes from here; those from there are still taken.
function steps.shut(connection)
  connection.socket:shutdown("send")
end

--- Mute until the client goes.
function steps.hold(connection)
  while true do
    receive(connection)
  end
end

--- RST: what is on its way in either direction is lost.
function steps.reset(connection)
  if connection.socket.setoption then
    connection.socket:setoption("linger", { on = true, timeout = 0 })
  end
  connection.socket:close()
  error(GONE)
end

function steps.close()
  error(GONE)
end

--- An end from beneath TLS, without a good-bye.
function steps.drop(connection)
  local plain = connection.plain
  plain:setfd(connection.socket:getfd())
  plain:shutdown("both")
  plain:setfd(-1)
  error(GONE)
end

local raw_server_play = { GONE = GONE }

--- Plays a connection's script. Raises GONE where the connection ends before it does.
function raw_server_play.play(connection, script)
  connection.script = script
  play(connection, script)
end

return raw_server_play
