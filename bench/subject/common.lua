--- What the peers written in Lua share: the four requests, and a look at the answers.
--   lua subject/NAME.lua MODE ORIGIN CA WARM COUNT
-- MODE is `one`; CA a PEM file of trusted roots, or `-` for the system's.
local json = require "cjson"

local common = { origin = arg[2], ca = arg[3] ~= "-" and arg[3] or nil }

local ids = {
  "550e8400-e29b-41d4-a716-446655440000", "ros-sd-20260313-a3f8c2b1",
  "65ea1530bb50af72b6e3dc1e", "91a264dcc447b63da6fb79ef925cd76d",
}

-- By number: method, URL, Authorization, body (a function, since it is made anew for each call).
local requests = {
  { "POST", common.origin .. "/serve/api/v2/stream/stop", "sk-mavi-bench-0123456789abcdef",
    function() return json.encode({ task_id = ids[1] }) end },
  { "DELETE", common.origin .. "/serve/api/v2/screenplay/tasks/" .. ids[2], "sk-mavi-bench-0123456789abcdef" },
  { "POST", common.origin .. "/v1/sessions/" .. ids[3] .. "/stop", "Bearer emogg-bench-0123456789abcdef",
    function() return "" end },
  { "PUT", common.origin .. "/v1/live/streams/" .. ids[4] .. "/finish",
    "Basic ZmFzdHBpeC1iZW5jaDpmYXN0cGl4LWJlbmNoLTAxMjM0NTY3ODlhYmNkZWY=", function() return "" end },
}

local function is_success(number, answer)
  if number == 1 then
    return answer.code == 200 and answer.data.task_id == ids[1]
  elseif number == 2 then
    return answer.success and answer.data.status == "cancelled"
  elseif number == 3 then
    return answer._id == ids[3] and answer.state == "active"
  end
  return answer.success
end

--- Calls `call(method, url, authorization, body)`, which returns status and body, for the requests in turn.
function common.run(call)
  for _, count in ipairs({ tonumber(arg[4]), tonumber(arg[5]) }) do
    for i = 0, count - 1 do
      local number = i % 4 + 1
      local request = requests[number]
      local status, body = call(request[1], request[2], request[3], request[4] and request[4]())
      assert(status == 200, status)
      assert(is_success(number, json.decode(body)), body)
    end
  end
end

return common
