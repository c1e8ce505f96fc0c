-- luacheck: std ngx_lua
--- What arrived at the providers, in order.
local settings = require("server.settings")

local requests = {}

-- Benchmarks send without end; the oldest are forgotten.
local limit = 50000

local records, first, last

function requests.reset()
  records, first, last = {}, 1, 0
end

--- Notes the request that is being answered and returns its record; its body and its id are added when they are known.
function requests.add()
  local var = ngx.var
  local record = {
    method = ngx.req.get_method(),
    path = var.request:match("^%S+ (.*) HTTP/[%d.]+$") or var.request_uri,
    protocol = var.server_protocol,
    connection = tonumber(var.connection),
    connection_requests = tonumber(var.connection_requests),
    port = tonumber(var.server_port),
    tls = var.ssl_protocol,
    tls_reused = var.ssl_session_reused == "r" or nil,
    time = ngx.req.start_time(),
  }
  if ngx.req.http_version() == 2 then
    record.header_table = ngx.req.get_headers(0, true)
  else
    record.raw_header = ngx.req.raw_header()
  end
  if settings.record then
    last = last + 1
    records[last] = record
    if last - first >= limit then
      records[first] = nil
      first = first + 1
    end
  end
  return record
end

local function headers_of_text(text)
  local headers = {}
  for line in text:gsub("^[^\n]*\n", ""):gmatch("([^\r\n]+)\r?\n") do
    local name, value = line:match("^([^:]*):[ \t]*(.-)[ \t]*$")
    headers[#headers + 1] = { name or line, value or "" }
  end
  return headers
end

-- HTTP/2 keeps no raw text, so the order of different names is the alphabet's.
local function headers_of_table(map)
  local headers = {}
  for name, value in pairs(map) do
    for _, one in ipairs(type(value) == "table" and value or { value }) do
      headers[#headers + 1] = { name, one == true and "" or one }
    end
  end
  table.sort(headers, function(one, other) return one[1] < other[1] end)
  return headers
end

local function describe(record)
  local copy = {}
  for name, value in pairs(record) do copy[name] = value end
  copy.header_table = nil
  copy.headers = record.raw_header and headers_of_text(record.raw_header) or headers_of_table(record.header_table)
  return copy
end

--- The records of one id, or all.
function requests.list(id)
  local list = {}
  for index = first, last do
    if id == nil or records[index].id == id then list[#list + 1] = describe(records[index]) end
  end
  return list
end

requests.reset()

return requests
