--- LuaSocket and LuaSec: a connection for each call, as they keep none.
local common = require "bench.subject.common"
local ltn12 = require "ltn12"
local http = require "socket.http"
local https = require "ssl.https"

common.run(function(method, url, authorization, body)
  local parts = {}
  local request = {
    method = method,
    url = url,
    headers = { authorization = authorization, ["content-length"] = body and tostring(#body) },
    source = body and ltn12.source.string(body),
    sink = ltn12.sink.table(parts),
  }
  if body and body ~= "" then
    request.headers["content-type"] = "application/json"
  end
  local _, status
  if url:find("^https") then
    request.verify = "peer"
    request.cafile = common.ca or "/etc/ssl/certs/ca-certificates.crt"
    _, status = https.request(request)
  else
    _, status = http.request(request)
  end
  return status, table.concat(parts)
end)
