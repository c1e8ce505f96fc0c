--- Debian's lua-curl (of 2009, on libcurl-gnutls): one easy handle, kept. It cannot tell the status, so the first line
-- does.
local common = require "bench.subject.common"
local curl = require "curl"

local easy = curl.easy_init()
local parts, status
easy:setopt(curl.OPT_WRITEFUNCTION, function(part)
  parts[#parts + 1] = part
  return #part
end)
easy:setopt(curl.OPT_HEADERFUNCTION, function(line)
  status = tonumber(line:match("^HTTP/%S+ (%d+)")) or status
  return #line
end)
easy:setopt(curl.OPT_PROXY, "")
if common.ca then
  easy:setopt(curl.OPT_CAINFO, common.ca)
end

common.run(function(method, url, authorization, body)
  parts, status = {}, nil
  easy:setopt(curl.OPT_URL, url)
  easy:setopt(curl.OPT_HTTPHEADER, { "Authorization: " .. authorization,
    body ~= nil and body ~= "" and "Content-Type: application/json" or "Content-Type:" })
  if body then
    easy:setopt(curl.OPT_POST, 1)
    easy:setopt(curl.OPT_POSTFIELDS, body)
  else
    easy:setopt(curl.OPT_HTTPGET, 1)
  end
  easy:setopt(curl.OPT_CUSTOMREQUEST, method)
  assert(easy:perform())
  return status, table.concat(parts)
end)
