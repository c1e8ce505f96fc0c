--- lua-http: one connection, kept.
local common = require "bench.subject.common"
local client = require "http.client"
local headers = require "http.headers"

local scheme, host, port = common.origin:match("^(%a+)://([^:]+):(%d+)$")
local context
if scheme == "https" and common.ca then
  context = require("http.tls").new_client_context()
  local store = require("openssl.x509.store").new()
  store:add(common.ca)
  context:setStore(store)
end
local connection = assert(client.connect({ host = host, port = tonumber(port), tls = scheme == "https", ctx = context,
  version = 1.1 }))

common.run(function(method, url, authorization, body)
  local request = headers.new()
  request:append(":method", method)
  request:append(":scheme", scheme)
  request:append(":authority", host .. ":" .. port)
  request:append(":path", url:match("^%a+://[^/]+(.*)$"))
  request:append("authorization", authorization)
  if body then
    request:append("content-length", tostring(#body))
  end
  if body and body ~= "" then
    request:append("content-type", "application/json")
  end
  local stream = connection:new_stream()
  local has_body = body ~= nil and body ~= ""
  assert(stream:write_headers(request, not has_body))
  if has_body then
    assert(stream:write_chunk(body, true))
  end
  local answer = assert(stream:get_headers())
  local text = assert(stream:get_body_as_string())
  return tonumber(answer:get(":status")), text
end)
