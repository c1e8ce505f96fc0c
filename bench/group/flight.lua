--- Target 3: a thousand calls in flight to a provider that takes 50 ms.
local subject = require("bench.subject")
local tool = require("bench.tool")

local IN_FLIGHT = 1000
local CALLS = 20000
local CONNECTIONS = 10

local function rows_of(origin, ca, warm, count, connections)
  local more = IN_FLIGHT .. " " .. connections
  local rows = subject.limits(count, "many", origin, ca, warm, more)
  for _, on in ipairs(subject.luas) do
    table.insert(rows, { name = on.name .. ", mediastop, each", on = on, count = count,
      command = subject.module(on, "each", origin, ca, warm, more) })
  end
  return rows
end

return function(origins)
  for _, one in ipairs({ { "HTTP/1.1", origins.slow_http, IN_FLIGHT }, { "TLS, HTTP/2, 10 connections", origins.slow_h2,
    CONNECTIONS } }) do
    local rows = rows_of(one[2], origins.ca_file, IN_FLIGHT, CALLS, one[3])
    local results = tool.compare(rows)
    tool.print_table("1,000 in flight, connections kept, " .. one[1], rows, results)
    for _, row in ipairs(rows) do
      if row.on then
        tool.target("3", row.name .. ", 1,000 in flight, " .. one[1] .. ": CPU by the C program's",
          results[row.name].cpu_ratio, 1.15, "")
        tool.target("3", row.name .. ", 1,000 in flight, " .. one[1] .. ": memory by the C program's",
          results[row.name].memory_ratio, 1.2, "")
      end
    end
  end
  local rows = rows_of(origins.slow_h2, origins.ca_file, 0, IN_FLIGHT, CONNECTIONS)
  local results = tool.compare(rows)
  tool.print_table("1,000 stops from cold, TLS, HTTP/2, 10 connections (µs a stop)", rows, results)
  for _, row in ipairs(rows) do
    if row.on then
      tool.target("3", row.name .. ", 1,000 TLS stops from cold: wall time by the C program's",
        results[row.name].wall_ratio, 1.2, "")
      tool.target("3", row.name .. ", 1,000 TLS stops from cold: memory by the C program's",
        results[row.name].memory_ratio, 1.2, "")
    end
  end
end
