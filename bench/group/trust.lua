--- Target 2: processes that make one call over TLS with the system's trusted roots, and connections that are made anew.
-- The system's folder of certificates is replaced, in a mount namespace, by a copy that trusts the server's.
local subject = require("bench.subject")
local tool = require("bench.tool")
local system = require("spec.emulator.system")

local CONNECTIONS = 40

-- What runs a command where /etc/ssl/certs has the root of the server as well; nil where that cannot be.
local function trusting(origins)
  local folder = origins.directory .. "/certs"
  local made = system.capture(([[
    cp -a /etc/ssl/certs %s && cd %s && cp ../ca.pem bench.pem && cat bench.pem >>ca-certificates.crt &&
    ln -sf bench.pem "$(openssl x509 -noout -hash -in bench.pem).0" && echo made]]):format(folder, folder))
  for _, unshare in ipairs({ "unshare -m ", "unshare -r -m " }) do
    local before = ("%s sh -c 'mount --bind %s /etc/ssl/certs && exec \"$@\"' sh "):format(unshare, folder)
    if made == "made" and system.capture(before .. "echo yes 2>/dev/null") == "yes" then
      return before
    end
  end
end

local function cold(origins, before)
  local url = origins.tls .. "/v1/live/streams/91a264dcc447b63da6fb79ef925cd76d/finish"
  local rows = {
    { name = "bare C on libcurl", count = 1, before = before, command = subject.limit("one", origins.tls, "-", 0) },
    { name = "bare C, the folder alone", count = 1, before = before,
      command = subject.limit("one", origins.tls, "folder", 0) },
    { name = "curl(1)", count = 1, before = before, command = function()
      return "curl -sSf -o /dev/null -X PUT -d '' -H 'Content-Type:' "
        .. "-H 'Authorization: Basic ZmFzdHBpeC1iZW5jaDpmYXN0cGl4LWJlbmNoLTAxMjM0NTY3ODlhYmNkZWY=' " .. url
    end },
  }
  for _, on in ipairs(subject.luas) do
    table.insert(rows, { name = on.name .. ", mediastop", on = on, count = 1, before = before,
      command = subject.module(on, "one", origins.tls, "-", 0) })
  end
  for _, row in ipairs(subject.peers(origins.tls, "-", 0, 1, before)) do
    row.count = 1
    table.insert(rows, row)
  end
  local results = tool.compare(rows, true)
  tool.print_table("A process from start to end, with one call over TLS; the system's trusted roots", rows, results)
  for _, row in ipairs(rows) do
    if row.on then
      tool.target("2", row.name .. ": cold process, wall time by the C program's",
        results[row.name].wall_ratio, 0.3, "")
      tool.target("2", row.name .. ": cold process, wall time by curl(1)'s",
        results[row.name].wall / results["curl(1)"].wall, 0.3, "")
    end
  end
end

local function further(origins, before)
  local rows = { { name = "bare C on libcurl", count = CONNECTIONS, before = before,
    command = subject.limit("one", origins.closing, "-", 4) } }
  for _, on in ipairs(subject.luas) do
    table.insert(rows, { name = on.name .. ", mediastop", on = on, count = CONNECTIONS, before = before,
      command = subject.module(on, "one", origins.closing, "-", 4) })
  end
  local results = tool.compare(rows)
  tool.print_table("Each further connection over TLS, with its call; the system's trusted roots", rows, results)
  for _, row in ipairs(rows) do
    if row.on then
      tool.target("2", row.name .. ": further connection, CPU by the C program's", results[row.name].cpu_ratio, 0.1, "")
    end
  end
end

-- What `require` takes, and how much of it is the system's loading of libcurl and of its libraries.
local function loading()
  print("\n### require \"mediastop\"\n")
  print("| | ms | of which loading libcurl | the rest |\n| --- | --: | --: | --: |")
  for _, on in ipairs(subject.luas) do
    local script = [[
local before = os.clock()
package.loadlib("libcurl.so.4", "*")
local loaded = os.clock()
require "mediastop"
print("loading " .. (loaded - before) * 1000 .. " " .. (os.clock() - loaded) * 1000)]]
    local path, all, rest = os.tmpname(), {}, {}
    system.write_file(path, script)
    for i = 1, 3 * tool.rounds do
      local command = "env LUA_PATH='./lua/?.lua;./lua/?/init.lua;;' LUA_CPATH='build/%s/?.so;;' %s %s"
      local printed = tool.measure(command:format(on.version, on.program, path)).text
      local library, ours = printed:match("loading (%S+) (%S+)")
      all[i], rest[i] = library + ours, tonumber(ours)
    end
    os.remove(path)
    local whole, ours = tool.median(all), tool.median(rest)
    print(("| %s | %.2f | %.2f | %.2f |"):format(on.name, whole, whole - ours, ours))
    tool.target("2", on.name .. ": require \"mediastop\"", whole, 1, " ms")
    tool.target("2", on.name .. ": require \"mediastop\" where libcurl is loaded", ours, 1, " ms")
  end
end

return function(origins)
  local before = trusting(origins)
  if before then
    cold(origins, before)
    further(origins, before)
  else
    print("\nThe trust store needs a mount namespace (root, or namespaces for users), and so is left out.")
  end
  loading()
end
