--- HTTP/2 by hand, as far as a scripted server needs it (RFC 9113): frames out, frames in.
local http2 = {}

http2.PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

--- Error codes by their names.
http2.codes = { NO_ERROR = 0, PROTOCOL_ERROR = 1, INTERNAL_ERROR = 2, REFUSED_STREAM = 7, CANCEL = 8 }

local types = { data = 0, headers = 1, reset = 3, settings = 4, goaway = 7 }

local END_STREAM, ACK, END_HEADERS = 1, 1, 4

-- A number as that many bytes, the highest first. Without operators on bits, which differ between the Luas.
local function bytes(number, count)
  local text = ""
  for _ = 1, count do
    text = string.char(number % 256) .. text
    number = math.floor(number / 256)
  end
  return text
end

local function number(text, first, count)
  local value = 0
  for index = first, first + count - 1 do
    value = value * 256 + text:byte(index)
  end
  return value
end

local function frame(name, flags, stream, payload)
  return bytes(#payload, 3) .. bytes(types[name], 1) .. bytes(flags, 1) .. bytes(stream, 4) .. payload
end

--- The server's SETTINGS, all of them left as they are.
function http2.settings()
  return frame("settings", 0, 0, "")
end

--- Says that the client's SETTINGS have arrived.
function http2.settings_ack()
  return frame("settings", ACK, 0, "")
end

--- "The last stream that I looked at is this one."
function http2.goaway(last_stream, code)
  return frame("goaway", 0, 0, bytes(last_stream, 4) .. bytes(code, 4))
end

--- The end of one stream.
function http2.reset(stream, code)
  return frame("reset", 0, stream, bytes(code, 4))
end

--- Status 200 and no other header: one byte, the eighth entry of the static table.
function http2.head(stream)
  return frame("headers", END_HEADERS, stream, "\136")
end

function http2.data(stream, body, last)
  return frame("data", last and END_STREAM or 0, stream, body)
end

--- Takes the first frame off `text`: { type, flags, stream, payload } and what is left; nil if it is not all there.
function http2.take(text)
  local length = #text >= 9 and number(text, 1, 3)
  if not length or #text < 9 + length then
    return nil, text
  end
  local parsed = { type = text:byte(4), flags = text:byte(5), stream = number(text, 6, 4) % 0x80000000 }
  parsed.payload = text:sub(10, 9 + length)
  parsed.ends_stream = parsed.type <= types.headers and parsed.flags % 2 == END_STREAM
  parsed.is_settings = parsed.type == types.settings and parsed.flags == 0
  parsed.is_data = parsed.type == types.data
  return parsed, text:sub(10 + length)
end

return http2
