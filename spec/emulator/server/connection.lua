-- luacheck: std ngx_lua
--- Answers that are written on the connection itself, below HTTP, and end it.
local connection = {}

local function head_of(answer)
  local lines = { "HTTP/1.1 " .. answer.status .. " Emulated" }
  for name, value in pairs(answer.headers) do
    for _, one in ipairs(type(value) == "table" and value or { value }) do lines[#lines + 1] = name .. ": " .. one end
  end
  return table.concat(lines, "\r\n") .. "\r\n"
end

--- Sends pieces, each a text or { text, pause }; keeps the connection open for `hold` seconds and closes it.
function connection.send(pieces, hold)
  local socket = assert(ngx.req.socket(true))
  for _, piece in ipairs(pieces) do
    local text, pause = piece, nil
    if type(piece) == "table" then text, pause = piece[1], piece[2] end
    if not socket:send(text) then return end
    if pause then ngx.sleep(pause) end
  end
  if hold then ngx.sleep(hold) end
end

--- Sends a whole answer and closes the connection, though nothing in the answer announces that.
function connection.last(answer, hold)
  local head = head_of(answer) .. "Content-Length: " .. #answer.body .. "\r\n\r\n"
  return connection.send({ head .. answer.body }, hold)
end

-- HTTP/2 shares its connection: only the stream is cut.
local function cut_stream(answer, part, length)
  ngx.status = answer.status
  for name, value in pairs(answer.headers) do ngx.header[name] = value end
  ngx.header["Content-Length"] = length
  ngx.print(part)
  ngx.flush(true)
  -- What is sent leaves before the end of the stream throws it away.
  ngx.sleep(0.05)
  return ngx.exit(ngx.ERROR)
end

--- Sends the first part of an answer: the body's first `at` bytes (half of it), or the head's first `head_at` bytes.
--- `content_length` announces a length, `chunked` one chunk instead; a whole chunk lacks only the last, empty one.
function connection.cut(answer, order, hold)
  local body = answer.body
  local part = body:sub(1, order.at or math.floor(#body / 2))
  local length = not order.chunked and (order.content_length or #body) or nil
  if ngx.req.http_version() == 2 then return cut_stream(answer, part, length) end
  local head = head_of(answer)
  if length then
    head = head .. "Content-Length: " .. length .. "\r\n\r\n"
  else
    head = head .. "Transfer-Encoding: chunked\r\n\r\n"
    part = ("%x\r\n%s%s"):format(#body, part, #part == #body and "\r\n" or "")
  end
  return connection.send({ order.head_at and head:sub(1, order.head_at) or head .. part }, hold)
end

return connection
