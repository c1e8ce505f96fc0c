--- Target 1: calls one after another on a connection that is kept.
local subject = require("bench.subject")
local tool = require("bench.tool")

local WARM = 200
local COUNTED = 1000

local function measure(name, origin, ca, with_peers)
  local rows = {}
  for _, on in ipairs(subject.luas) do
    for mode, what in pairs({ one = "blocking", wait = "start, wait", poll = "start, step on the descriptor" }) do
      table.insert(rows, { name = on.name .. ", mediastop, " .. what, count = tool.calls, on = on, mode = mode,
        command = subject.module(on, mode, origin, ca, WARM) })
    end
  end
  table.sort(rows, function(a, b) return a.name < b.name end)
  for i, row in ipairs(subject.limits(tool.calls, "one", origin, ca, WARM)) do
    table.insert(rows, i, row)
  end
  for _, row in ipairs(with_peers and subject.peers(origin, ca, WARM, tool.calls) or {}) do
    table.insert(rows, row)
  end
  local results = tool.compare(rows)
  tool.print_table("Connection kept, " .. name, rows, results)
  return rows, results
end

-- Instructions in user space and system calls of one call; of the module and of its nearest peer.
local function count(name, rows)
  if not (tool.has("valgrind") and tool.has("strace")) then
    return print("\nInstructions and system calls need valgrind and strace.")
  end
  print(("\n### Connection kept, %s: instructions (callgrind) and system calls a call\n"):format(name))
  print("| | instructions | × C | system calls |\n| --- | --: | --: | --: |")
  local first
  for _, row in ipairs(rows) do
    if row.name:find("^bare") or row.name:find("mediastop") or row.name:find("Lua%-cURL") then
      local calls = math.floor(COUNTED * math.min(1, row.count / tool.calls))
      local instructions = (tool.instructions(row.command(calls)) - tool.instructions(row.command(0))) / calls
      local system_calls = (tool.system_calls(row.command(calls)) - tool.system_calls(row.command(0))) / calls
      first = first or instructions
      print(("| %s | %.0f | %.2f | %.1f |"):format(row.name, instructions, instructions / first, system_calls))
    end
  end
end

return function(origins)
  for _, one in ipairs({ { "HTTP/1.1", origins.http }, { "TLS, HTTP/1.1", origins.tls },
    { "TLS, HTTP/2", origins.h2 } }) do
    local name, origin = one[1], one[2]
    local rows, results = measure(name, origin, origins.ca_file, origin ~= origins.h2)
    for _, row in ipairs(rows) do
      if row.on and origin ~= origins.h2 then
        tool.target("1", ("%s: CPU by the C program's"):format(row.name .. ", " .. name), results[row.name].cpu_ratio,
          row.mode == "one" and 1.15 or 1.25, "")
      end
    end
    count(name, rows)
  end
end
