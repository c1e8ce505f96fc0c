--- curl(1) by io.popen. The credential goes by the standard input of curl, where `ps` does not show it.
local common = require "bench.subject.common"

local path = os.tmpname()

common.run(function(method, url, authorization, body)
  local file = assert(io.open(path, "w"))
  file:write(('header = "Authorization: %s"\n'):format(authorization))
  if body then
    file:write(('data = "%s"\nheader = "Content-Type: application/json"\n'):format((body:gsub('["\\]', "\\%0"))))
  end
  file:close()
  local pipe = assert(io.popen(("curl -sS --noproxy '*' %s -X %s -w '\\n%%{http_code}' -K - '%s' <'%s'"):format(
    common.ca and "--cacert '" .. common.ca .. "'" or "", method, url, path)))
  local text, status = pipe:read("*a"):match("^(.*)\n(%d+)$")
  pipe:close()
  return tonumber(status), text
end)
os.remove(path)
