--- What the groups share: running subjects, counting, tables.
local system = require("spec.emulator.system")

local tool = {
  rounds = 7, -- of each row, interleaved; the medians count
  failed = 0,
}

local targets = {}

--- Whether the shell finds a program.
function tool.has(program)
  return system.capture("command -v " .. program .. " 2>/dev/null") ~= ""
end

tool.processors = tonumber(system.capture("nproc 2>/dev/null")) or 1
--- nginx has the first processor, the subjects the last, where there are two.
tool.server_processor = tool.processors > 1 and 0 or -1
tool.subject_processor = tool.processors > 1 and tool.processors - 1 or -1

-- What a shell or a sandbox may say of proxies and trusted roots is nothing to the subjects.
local clean = "env -u CURL_CA_BUNDLE -u SSL_CERT_FILE -u SSL_CERT_DIR -u http_proxy -u https_proxy -u all_proxy "
  .. "-u HTTPS_PROXY -u ALL_PROXY "

-- The command run by another program, whose place in it is marked by an @ where it is not the first.
local function under(wrapper, command)
  local wrapped, found = command:gsub("@ ", (wrapper:gsub("%%", "%%%%")), 1)
  return found > 0 and wrapped or wrapper .. command
end

--- Runs a command: microseconds of wall time and of processor time, KiB of peak memory, and what it printed. Raises if
-- it fails. `before` is what runs the measuring program, such as a namespace.
function tool.measure(command, before)
  local printed = system.capture(("%s%s build/bench/measure %d %s 2>&1"):format(clean, before or "",
    tool.subject_processor, under("", command)))
  local text, wall, processor, memory, status = printed:match("^(.-)\n?(%d+) (%d+) (%d+) (%d+)$")
  if status ~= "0" then
    error(("bench: %s\n%s"):format(command, printed), 0)
  end
  return { wall = tonumber(wall), cpu = tonumber(processor), memory = tonumber(memory), text = text }
end

function tool.median(values)
  local sorted = {}
  for i, value in ipairs(values) do
    sorted[i] = value
  end
  table.sort(sorted)
  local middle = math.floor(#sorted / 2)
  return #sorted % 2 == 1 and sorted[middle + 1] or (sorted[middle] + sorted[middle + 1]) / 2
end

--- Measures rows `{ name =, command = function(count), count =, before = }` in interleaved rounds, the difference of a
-- run with COUNT calls and one without. The first row is what the others are compared with. Returns by name: `wall`
-- and `cpu` (microseconds a call), `memory` (KiB), `wall_ratio`, `cpu_ratio`, `memory_ratio`: medians, of the ratios
-- those of each round. With `whole`, the run itself is what is measured.
function tool.compare(rows, whole)
  local samples, results = {}, {}
  for _, row in ipairs(rows) do
    samples[row.name] = { wall = {}, cpu = {}, memory = {}, wall_ratio = {}, cpu_ratio = {}, memory_ratio = {} }
  end
  for round = 1, tool.rounds do
    local taken = {}
    for i = 1, #rows do
      local row = rows[(i + round - 2) % #rows + 1]
      local with = tool.measure(row.command(row.count), row.before)
      local without = whole and { wall = 0, cpu = 0 } or tool.measure(row.command(0), row.before)
      taken[row.name] = {
        wall = math.max(0.001, (with.wall - without.wall) / row.count),
        cpu = math.max(0.001, (with.cpu - without.cpu) / row.count),
        memory = with.memory,
      }
    end
    local first = taken[rows[1].name]
    for name, values in pairs(taken) do
      for field, value in pairs(values) do
        table.insert(samples[name][field], value)
        table.insert(samples[name][field .. "_ratio"], value / first[field])
      end
    end
    io.stderr:write(".")
  end
  io.stderr:write("\n")
  for name, fields in pairs(samples) do
    results[name] = {}
    for field, values in pairs(fields) do
      results[name][field] = tool.median(values)
    end
  end
  return results
end

--- Prints a heading and what `compare` returned, in the order of the rows.
function tool.print_table(heading, rows, results)
  print(("\n### %s\n"):format(heading))
  print("| | wall µs | CPU µs | × C | peak MiB | × C, wall |")
  print("| --- | --: | --: | --: | --: | --: |")
  for _, row in ipairs(rows) do
    local result = results[row.name]
    print(("| %s | %.1f | %.1f | %.2f | %.1f | %.2f |"):format(row.name, result.wall, result.cpu, result.cpu_ratio,
      result.memory / 1024, result.wall_ratio))
  end
end

--- Notes a target and whether it is met.
function tool.target(number, name, value, most, unit, at_least)
  local met = at_least and value >= most or not at_least and value <= most
  tool.failed = tool.failed + (met and 0 or 1)
  targets[#targets + 1] = ("| %s | %s | %s %g%s | %.3g%s | %s |"):format(number, name,
    at_least and "≥" or "≤", most, unit, value, unit, met and "pass" or "FAIL")
end

function tool.print_targets()
  print("\n### Targets\n")
  print("| | target | | measured | |")
  print("| --- | --- | --- | --- | --- |")
  print(table.concat(targets, "\n"))
end

--- The instructions of a command, by callgrind.
function tool.instructions(command)
  local path = os.tmpname()
  local counter = "valgrind --tool=callgrind --callgrind-out-file=" .. path .. " "
  local printed = system.capture(clean .. under(counter, command) .. " 2>&1")
  os.remove(path)
  return assert(tonumber(printed:match("Collected : (%d+)")), printed)
end

--- The instructions of each part that a command has callgrind count.
function tool.counted(command)
  local path = os.tmpname()
  local counter = "valgrind --tool=callgrind --instr-atstart=no --callgrind-out-file=" .. path .. " "
  local printed = system.capture(clean .. under(counter, command) .. " 2>&1")
  local counts = {}
  repeat
    local part = system.read_file(("%s.%d"):format(path, #counts + 1))
    local total = part and tonumber(part:match("\ntotals: (%d+)") or part:match("\nsummary: (%d+)"))
    counts[#counts + 1] = total
  until not total
  os.execute("rm -f " .. path .. "*")
  assert(counts[1], printed)
  return counts
end

--- The system calls of a command, by strace.
function tool.system_calls(command)
  local path = os.tmpname()
  system.capture(clean .. under("strace -f -c -o " .. path .. " ", command) .. " 2>&1")
  local text = assert(system.read_file(path))
  os.remove(path)
  return assert(tonumber(text:match("100%.00%s+%S+%s+%d+%s+(%d+).-total")), text)
end

return tool
