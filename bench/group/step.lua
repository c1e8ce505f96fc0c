--- Target 5: step() in a host's loop.
local subject = require("bench.subject")
local tool = require("bench.tool")

return function(origins)
  print("\n### step(), µs of processor time\n")
  print("| | idle | one job in flight, nothing ready |\n| --- | --: | --: |")
  for _, on in ipairs(subject.luas) do
    local idle, busy = {}, {}
    for i = 1, tool.rounds do
      local text = tool.measure(subject.module(on, "step", origins.hanging, origins.ca_file, 0)(100000)).text
      idle[i], busy[i] = text:match("step (%S+) (%S+)")
      idle[i], busy[i] = tonumber(idle[i]), tonumber(busy[i])
    end
    print(("| %s | %.2f | %.2f |"):format(on.name, tool.median(idle), tool.median(busy)))
    tool.target("5", on.name .. ": step(), idle", tool.median(idle), 1, " µs")
    tool.target("5", on.name .. ": step(), one job in flight", tool.median(busy), 5, " µs")
  end
end
