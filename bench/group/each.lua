--- Target 4: `each` over many ids.
local subject = require("bench.subject")
local tool = require("bench.tool")

local IDS = 100000
local IN_FLIGHT = 64

return function(origins)
  for _, one in ipairs({ { "HTTP/1.1, 64 connections", origins.http, IN_FLIGHT }, { "TLS, HTTP/2, 1 connection",
    origins.h2, 1 } }) do
    local more = IN_FLIGHT .. " " .. one[3]
    local rows = subject.limits(IDS, "many", one[2], origins.ca_file, 0, more)
    for _, on in ipairs(subject.luas) do
      table.insert(rows, { name = on.name .. ", mediastop, each", on = on, count = IDS,
        command = subject.module(on, "each", one[2], origins.ca_file, 0, more) })
    end
    local rounds = tool.rounds
    tool.rounds = math.min(5, rounds)
    local results = tool.compare(rows, true)
    tool.rounds = rounds
    tool.print_table("each over 100,000 ids, 64 at a time, " .. one[1], rows, results)
    for _, row in ipairs(rows) do
      if row.on then
        tool.target("4", row.name .. " over 100,000 ids, " .. one[1] .. ": throughput by the C program's",
          1 / results[row.name].wall_ratio, 0.9, "", true)
        local tenth = tool.measure(row.command(IDS / 10)).memory
        tool.target("4", row.name .. ", " .. one[1] .. ": memory of 100,000 ids by that of 10,000",
          results[row.name].memory / tenth, 1.05, "")
      end
    end
  end
end
