--- Talks to the control port.
local socket = require("socket")
local json = require("cjson").new()

local control = {}

local head = "%s %s HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n"

local function exchange(port, method, path, body)
  local connection, message = socket.connect("127.0.0.1", port)
  if not connection then return nil, message end
  connection:settimeout(30)
  local sent, answer
  sent, message = connection:send(head:format(method, path, #body) .. body)
  if sent then answer, message = connection:receive("*a") end
  connection:close()
  return answer, message
end

--- Percent-encodes a value for a query.
function control.escape(value)
  return (value:gsub("[^%w]", function(byte) return ("%%%02X"):format(byte:byte()) end))
end

-- JSON knows one kind of number; where Lua knows two, whole ones become integers, so that they print as such.
local function with_integers(value)
  if type(value) == "table" then
    for key, item in pairs(value) do value[key] = with_integers(item) end
    return value
  end
  return math.tointeger and type(value) == "number" and math.tointeger(value) or value
end

--- Sends one request and returns the decoded answer; nil and a message when there is none or it is a refusal.
function control.request(port, method, path, body)
  local answer, message = exchange(port, method, path, body and json.encode(body) or "")
  if not answer then return nil, message end
  local status, text = answer:match("^HTTP/%d%.%d (%d+).-\r\n\r\n(.*)$")
  if not status then return nil, "no answer" end
  local good, value = pcall(json.decode, text)
  if not good then return nil, "status " .. status end
  if status ~= "200" then return nil, value.error end
  return with_integers(value)
end

return control
