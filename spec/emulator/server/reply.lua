-- luacheck: std ngx_lua
--- Gives an answer { status, headers, body } to the client.
local reply = {}

-- These have no body, and so no length.
local bodiless = { [204] = true, [304] = true }

--- Sends it as an ordinary answer of nginx; `pace` seconds after each byte of the body when there is a pace.
function reply.send(answer, pace)
  ngx.status = answer.status
  for name, value in pairs(answer.headers) do ngx.header[name] = value end
  if not bodiless[answer.status] then
    ngx.header["Content-Length"] = ngx.header["Content-Length"] or #answer.body
  end
  if not pace then
    ngx.print(answer.body)
  else
    ngx.send_headers()
    for index = 1, #answer.body do
      if not (ngx.print(answer.body:sub(index, index)) and ngx.flush(true)) then break end
      ngx.sleep(pace)
    end
  end
  return ngx.exit(ngx.OK)
end

return reply
