--- Target 6: nothing grows. Instructions of 1,000 calls, from call 1,000 on and from call 1,000,000 on. A call whose
-- answer is there at once takes 3 % less than one that waits for it, and which it is depends on the server. So the
-- least of five thousands counts.
local subject = require("bench.subject")
local tool = require("bench.tool")

local LATE = 1000000

return function(origins)
  if not tool.has("valgrind") then
    return print("\nThe instructions of late calls need valgrind.")
  end
  print("\n### Instructions a call (callgrind), 1,000 calls\n")
  print("| | from call 1,000 on | from call 1,000,000 on | |\n| --- | --: | --: | --: |")
  for _, on in ipairs(subject.luas) do
    local counts = tool.counted(subject.module(on, "growth", origins.http, origins.ca_file, 1000)(LATE))
    local early, late = math.huge, math.huge
    for i = 1, 5 do
      early, late = math.min(early, counts[i] / 1000), math.min(late, counts[5 + i] / 1000)
    end
    print(("| %s | %.0f | %.0f | %+.2f %% |"):format(on.name, early, late, (late / early - 1) * 100))
    tool.target("6", on.name .. ": growth of the instructions of a call by call 1,000,000",
      (late / early - 1) * 100, 1, " %")
  end
end
