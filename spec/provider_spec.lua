--- A new provider is one row for itself, one for each operation, and one with the names of its variables: so says
--- CONTRIBUTING.md, and here a copy of the sources gets one, which is built and called.
local raw_server = require("spec.support.raw_server")
local support = require("spec.support")
local system = require("spec.emulator.system")

local quote = system.quote
local version = rawget(_G, "jit") and "jit" or _VERSION:match("%d.%d")

-- The code blocks of CONTRIBUTING.md: what goes into which file, and behind which line of it.
local function rows()
  local list = {}
  local text = assert(system.read_file("CONTRIBUTING.md"))
  for path, front, row in text:gmatch("`([%w_/.]+)`, behind `([^`\n]+)`:\n\n```%l*\n(.-\n)```") do
    list[#list + 1] = { path = path, front = front, row = row }
  end
  return list
end

local function insert(folder, row)
  local path = folder .. "/" .. row.path
  local text = assert(system.read_file(path))
  local first, last = text:find(row.front, 1, true)
  assert(first, row.path .. " has no " .. row.front)
  assert(not text:find(row.front, last, true), row.path .. " has more than one " .. row.front)
  system.write_file(path, text:sub(1, last) .. "\n" .. row.row .. text:sub(last + 2))
end

it("a provider is added by the rows of CONTRIBUTING.md", function()
  local folder = support.scratch("sources")
  assert.are.equal("", system.capture(("mkdir -p %s && cp -r Makefile bin csrc lua %s 2>&1"):format(quote(folder),
    quote(folder))))
  local added = rows()
  assert.are.equal(5, #added)
  for _, row in ipairs(added) do
    insert(folder, row)
  end
  local said = system.capture(
    ("cd %s && env -u MAKEFLAGS -u MFLAGS -u BUILD make -s LUA_VERSION=%s CFLAGS=-O0 build/%s/mediastop/core.so 2>&1")
      :format(quote(folder), version, version))
  assert.are.equal("", said)

  local body = '{"job":{"id":"one/two","state":"over"}}'
  local answer = ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"):format(#body, body)
  local server = raw_server.listen({ { { read = true }, { send = answer }, { read = true }, { send = answer } } })
  local run = support.run(([[
    local mediastop = require "mediastop"
    local client = mediastop.new { base_url = { acme = %q }, proxy = "" }
    local result = assert(client.acme.halt("one/two"))
    print(result.provider, result.operation, result.outcome, result.confirmed, result.state)
    print(assert(client.acme.halt("one/two")).status, select(3, mediastop.acme.halt("")).kind)
    print(mediastop.credentials.explain("acme").source)
  ]]):format(server.origin), {
    ACME_TOKEN = "acme-token",
    LUA_PATH = folder .. "/lua/?.lua;" .. folder .. "/lua/?/init.lua;;",
    LUA_CPATH = folder .. "/build/" .. version .. "/?.so;" .. package.cpath,
  })
  assert.are.equal("", run.stderr)
  assert.are.equal("acme\thalt\tended\ttrue\tover\n200\tinvalid_id\nthe environment (ACME_TOKEN)\n", run.stdout)
  assert.are.equal(2, server:requests())
  server:close()
end)
