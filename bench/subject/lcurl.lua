--- Lua-cURL (Lua-cURLv3): one easy handle, kept.
local common = require "bench.subject.common"
local curl = require "lcurl"

local easy = curl.easy()
local parts
easy:setopt_writefunction(function(part)
  parts[#parts + 1] = part
  return true
end)
easy:setopt_proxy("")
if common.ca then
  easy:setopt_cainfo(common.ca)
end

common.run(function(method, url, authorization, body)
  parts = {}
  easy:setopt_url(url)
  easy:setopt_httpheader({
    "Authorization: " .. authorization,
    body ~= nil and body ~= "" and "Content-Type: application/json" or "Content-Type:",
  })
  if body then
    easy:setopt_post(true)
    easy:setopt_postfields(body)
  else
    easy:setopt_httpget(true)
  end
  easy:setopt_customrequest(method)
  easy:perform()
  return easy:getinfo_response_code(), table.concat(parts)
end)
