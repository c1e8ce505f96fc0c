--- Every failure of the library, with credentials that are looked for in all that anybody gets to see of it: what is
--- returned, raised, told to listeners, printed, and shown of children.
local finding = require("spec.support.finding")
local json = require("cjson")
local mime = require("mime")
local support = require("spec.support")
local system = require("spec.emulator.system")

local emulator = support.emulator()
local given = emulator.credentials

local marks = {
  given.memories.api_key, given.emogg.token, given.fastpix.username, given.fastpix.password,
  mime.b64(given.fastpix.username .. ":" .. given.fastpix.password), "proxy-password-0123",
}

local wire = {
  memories = given.memories.api_key,
  screenplay = given.memories.api_key,
  emogg = "Bearer " .. given.emogg.token,
  fastpix = "Basic " .. marks[5] .. " " .. given.fastpix.username .. ":" .. given.fastpix.password,
}

local function assert_free(text, where)
  for _, mark in ipairs(marks) do
    local first = text:find(mark, 1, true)
    assert.is_nil(first, first and ("%s: %s"):format(where, text:sub(math.max(1, first - 200), first + #mark)))
  end
end

-- What the provider does, the call's options, the kind where it is the same for all. ECHO stands for what was sent.
local nowhere = "http://127.0.0.1:1"
local failures = {
  { "unauthorized", { status = 401 }, "attempts = 1" },
  { "payment_required", { status = 402 } },
  { "forbidden", { status = 403, body = '{"message":"no ECHO"}' } },
  { "not_found", { status = 404, body = '{"error":{"code":"ECHO","message":"ECHO","description":"ECHO"}}' } },
  { "invalid_request", { status = 422, body = '{"error":{"fields":[{"field":"ECHO","message":"ECHO"}]}}' } },
  { "rate_limited", { status = 429, headers = { ["Retry-After"] = "90", ["x-request-id"] = "ECHO" } } },
  { "rejected", { body = '{"success":false,"failed":true,"message":"ECHO","deep":{"ECHO":["ECHO"]}}' } },
  { "server", { status = 500, body = "<html>ECHO", times = 2 }, "attempts = 2" },
  { "redirect", { status = 302, headers = { Location = "https://example.invalid/?ECHO", ["cf-ray"] = "ECHO" } } },
  { "network", { drop = true }, "attempts = 1" },
  { "network", { cut = { status = 200, body = "ECHO ECHO ECHO", at = 60 } }, "attempts = 1" },
  { "timeout", { hang = 3 }, "timeout = 0.2" },
  { "protocol", { body = "ECHO" } },
  { "protocol", { raw = "ECHO\r\n\r\nECHO" }, "attempts = 1" },
  { "protocol", { big = 1024 * 1024 + 1 } },
  { "dns", nil, 'attempts = 1, timeout = 5, base_url = "https://mediastop-spec.invalid"', "given" },
  { "connect", nil, ("attempts = 1, base_url = %q"):format(nowhere) },
  { "tls", nil, "attempts = 1, base_url = unknown_ca[provider]" },
  { "invalid_id", nil, "attempts = 1", nil, "''" },
  { "credentials", nil, "credentials = bad[provider]" },
  { "credentials", nil, "credentials = function() return bad[provider] end" },
  { "credentials", nil, "credentials = function() return nil, 'the vault is sealed' end" },
  { "credentials", nil, "base_url = 'https://mediastop-spec.invalid'", "found" },
}

local own_failures = {
  { "not_active", { status = 400, body = '{"error":{"message":"stream cannot be completed ECHO"}}' }, "fastpix" },
  { "not_active", { status = 400, body = '{"message":"not active ECHO"}' }, "emogg" },
  { "not_active", { status = 409, body = '{"msg":"conflict ECHO"}' }, "screenplay" },
}

-- What the failures are tried with: Lua source of the client's options, and the environment.
local ways = {
  ["the client's"] = { "given", ("credentials = { memories = { api_key = %q }, emogg = { token = %q }, "
    .. "fastpix = { username = %q, password = %q } }"):format(given.memories.api_key, given.emogg.token,
    given.fastpix.username, given.fastpix.password), function() return {} end },
  ["the environment's"] = { "found", "", function()
    return { MEMORIES_API_KEY = given.memories.api_key, EMOGG_API_TOKEN = given.emogg.token,
      FASTPIX_USERNAME = given.fastpix.username, FASTPIX_PASSWORD = given.fastpix.password }
  end },
  ["the file's"] = { "found", "", function() return finding.with_file(json.encode({ default = given })) end },
  ["a program's"] = { "found", "", function()
    local default = {}
    for provider, fields in pairs(given) do
      default[provider] = { process = { "cat", finding.file(json.encode(fields)) } }
    end
    return finding.with_file(json.encode({ default = default }))
  end },
}

-- Defines show(...), which writes down all that the values hold, and what becomes of them as strings.
local prelude = [[
local mediastop = require("mediastop")
local core = require("mediastop.core")
local cjson = require("cjson")
local function walk(value, seen)
  if type(value) == "table" and not seen[value] then
    seen[value] = true
    for key, item in pairs(value) do
      walk(key, seen)
      walk(item, seen)
    end
  end
  write(tostring(value))
end
local function show(...)
  for index = 1, select("#", ...) do
    local value = select(index, ...)
    walk(value, {})
    write((select(2, pcall(cjson.encode, value))))
  end
end
local kinds = {}
local function note(wanted, result, message, err)
  show(result, message, err)
  if type(err) ~= "table" or err.kind ~= wanted then
    error(("%s expected: %s"):format(wanted, tostring(message)), 0)
  end
  kinds[err.kind] = true
end
local function raises(f, ...)
  local fine, message = pcall(f, ...)
  show(message)
  if fine then
    error("nothing was raised", 0)
  end
end
]]

local misuses = [[
for _, functions in ipairs({ mediastop, core, client }) do
  local stop = functions.fastpix.finish
  raises(stop, "x", { credentials = secret })
  raises(stop, "x", { credentials = { secret } })
  raises(stop, "x", { credentials = { token = secret } })
  raises(stop, "x", { credentials = { username = secret, password = { secret } } })
  raises(stop, "x", { credentials = { username = secret, password = secret }, time_out = 1 })
  raises(stop, "x", { credentials = { username = secret, password = secret }, timeout = -1 })
  raises(stop, { secret })
end
raises(mediastop.new, { credentials = secret })
raises(mediastop.new, { credentials = { fastpix = secret } })
raises(mediastop.new, { credentials = { fastpix = { secret } } })
raises(mediastop.new, { credentials = { fastpix = { username = secret, password = 5 } } })
raises(mediastop.new, { credentials = { fastpix = { username = secret, password = secret } }, wrong = 1 })
raises(mediastop.new, { proxy = "http://user:proxy-password-0123@127.0.0.1:1", wrong = 1 })
raises(mediastop.new, { proxy = "http://user:proxy-password-0123@127.0.0.1:1\n" })
raises(core.secret, "fastpix", "x", secret)
raises(core.secret, "nobody", "x", { secret })
]]

-- Source of all failures of all providers, with fresh ids.
local function build(way, client_options)
  local lines = { prelude, ("local unknown_ca = {}"), "local bad = { memories = {}, screenplay = {}, emogg = {}, "
    .. "fastpix = { username = secret } }" }
  local function add(line, ...)
    lines[#lines + 1] = line:format(...)
  end
  local function echo(step, provider)
    return json.decode((json.encode(step):gsub("ECHO", function() return wire[provider] end)))
  end
  for provider, url in pairs(emulator:base_url(emulator.unknown_ca)) do
    add("unknown_ca.%s = %q", provider, url)
  end
  for name, field in pairs({ memories = "api_key", screenplay = "api_key", emogg = "token" }) do
    add("bad.%s.%s = secret .. '\\n'", name, field)
  end
  add("local urls = { memories = %q, screenplay = %q, emogg = %q, fastpix = %q }", emulator:base_url().memories,
    emulator:base_url().screenplay, emulator:base_url().emogg, emulator:base_url().fastpix)
  add("local client = mediastop.new({ base_url = urls, proxy = '', on_event = show, %s })", client_options)
  add("local provider")
  for _, operation in ipairs(support.operations) do
    local provider = operation.provider
    local function fail(kind, step, options, id_source)
      local id = support.id()
      if step then
        emulator:faults(id, { echo(step, provider) })
      end
      add("note(%q, client.%s(%s, { %s }))", kind, operation.full, id_source or ("%q"):format(id), options or "")
    end
    add("provider = %q", provider)
    for _, case in ipairs(failures) do
      if not case[4] or case[4] == way then
        fail(case[1], case[2], case[3], case[5])
      end
    end
    for _, case in ipairs(own_failures) do
      if case[3] == provider then
        fail(case[1], case[2])
      end
    end
    local id = support.id()
    emulator:faults(id, { { hang = 3 } })
    add("do local job = client:start(%q, %q) show(job) job:wait(0.05)", operation.full, id)
    add("show(job, job:result()) job:cancel()")
    add("note('cancelled', job:result()) end")
  end
  add("for request, result, message, err in client:each({ { 'memories.stop', 5 }, { 'no', 'x' } }) do")
  add("  show(request) note('misuse', result, message, err) end")
  add("show(client, mediastop, core)")
  add("for _, name in ipairs({ 'memories', 'screenplay', 'emogg', 'fastpix' }) do")
  add("  show(mediastop.credentials.explain(name)) end")
  add("do local through = mediastop.new({ base_url = urls, attempts = 1,")
  add("  proxy = 'http://user:proxy-password-0123@127.0.0.1:%s', %s })", nowhere:match("%d+$"), client_options)
  add("  note('connect', through.memories.stop('x')) show(through) end")
  for url, kind in pairs({ ["ftp://user:proxy-password-0123@127.0.0.1:1"] = "connect",
    ["http://user:proxy-password-0123@127.0.0.1:99999999"] = "dns" }) do
    add("do local through = mediastop.new({ base_url = urls, attempts = 1, proxy = %q, %s })", url, client_options)
    add("  note(%q, through.memories.stop('x')) end", kind)
  end
  lines[#lines + 1] = misuses
  add("client:close() note('closed', client.memories.stop('x')) show(client)")
  add("return kinds")
  return table.concat(lines, "\n")
end

-- Every kind of the contract that can come about here.
local all_kinds = { "cancelled", "closed", "connect", "credentials", "forbidden", "invalid_id", "invalid_request",
  "misuse", "network", "not_active", "not_found", "payment_required", "protocol", "rate_limited", "redirect",
  "rejected", "server", "timeout", "tls", "unauthorized" }

describe("no failure gives a credential away:", function()
  local secret = ("local secret = %q\n"):format(given.fastpix.password)
  local list_kinds = [[
    kinds.dns = nil
    local list = {}
    for kind in pairs(kinds) do
      list[#list + 1] = kind
    end
    table.sort(list)
    print("kinds: " .. table.concat(list, " "))
  ]]

  it("in the process", function()
    local written = {}
    local chunk = "local write = ...\n" .. secret .. build("given", ways["the client's"][2])
    local kinds = assert((loadstring or load)(chunk))(function(text) written[#written + 1] = text end)
    kinds.dns = nil
    assert.are.same(all_kinds, support.keys(kinds))
    assert.is_true(#written > 1000)
    assert_free(table.concat(written, "\n"), "what was seen")
  end)

  for name, way in pairs(ways) do
    it("in a process of its own, credentials being " .. name, function()
      local body = build(way[1], way[2])
      local child = finding.run("local write = print\n" .. secret .. "local kinds = (function()\n" .. body
        .. "\nend)()\n" .. list_kinds, way[3]())
      assert_free(child.stdout, "stdout")
      assert_free(child.stderr, "stderr")
      assert.are.equal("", child.stderr)
      assert.are.equal("kinds: " .. table.concat(all_kinds, " "), child.stdout:match("(kinds: [^\n]*)\n$"))
    end)

    it("nor an error that nobody catches, credentials being " .. name, function()
      local child = finding.run(([[
        local mediastop = require("mediastop")
        local client = mediastop.new({ base_url = { fastpix = %q }, %s })
        assert(client.fastpix.finish("not-there"))
      ]]):format(emulator:base_url().fastpix, way[2]), way[3]())
      assert.are.equal(1, child.status)
      assert.is_truthy(child.stderr:find("fastpix.finish not-there: not_found", 1, true), child.stderr)
      assert_free(child.stdout .. child.stderr, "output")
    end)
  end

  -- Words in the file or the program's output that are no credential, for being in the wrong place.
  local broken = {
    '{"default":{"memories":{"api_key":"MARK"', '{"default":{"memories":"MARK"}}', '["MARK"]', '"MARK"', "MARK",
    '{"default":{"memories":{"api_key":["MARK"]}}}', '{"default":{"memories":{"api_key":"MARK\\n"}}}',
    '{"default":{"memories":{"api_key":"MARK","more":"MARK"}}}', '{"default":{"memories":{"token":"MARK"}}}',
    '{"default":{"memories":{"process":"MARK"}}}', '{"default":{"memories":{"process":["sh","-c","exit 1","MARK"]}}}',
    '{"default":{"memories":{"process":["sh","-c","echo MARK; echo MARK >&2"]}}}',
    '{"default":{"memories":{"api_key":"MARK","base_url":5}}}', '{"default":{"memories":{"api_key":"Bearer MARK"}}}',
  }

  for _, text in ipairs(broken) do
    it("nor a broken file: " .. text:gsub("MARK", "..."), function()
      local mark = given.memories.api_key
      local environment = finding.with_file((text:gsub("MARK", mark)))
      local child = finding.run(prelude:gsub("^", "local write = print\n", 1) .. [[
        note("credentials", mediastop.memories.stop("x"))
        show(mediastop.credentials.explain("memories"))
        mediastop.credentials.preload()
      ]], environment)
      assert.are.equal("", child.stderr)
      assert.are.equal(0, child.status)
      assert_free(child.stdout, "stdout")
    end)
  end

  it("nor the command line of the program, nor of the process that runs it", function()
    local log, id = finding.path(), support.id("memories")
    local helper = finding.program(('tr "\\0" " " </proc/$$/cmdline >>%s; tr "\\0" " " </proc/$PPID/cmdline >>%s; '
      .. "echo >>%s; cat %s"):format(log, log, log, finding.file(json.encode(given.memories))))
    emulator:faults(id, { { status = 401 } })
    local child = finding.run(([[
      local _, _, err = require("mediastop").memories.stop(%q, { base_url = %q })
      print(err.kind)
    ]]):format(id, emulator:base_url().memories), finding.with_program(helper, "an argument"))
    assert.are.equal("unauthorized\n", child.stdout)
    local lines = system.read_file(log)
    assert.are.equal(2, select(2, lines:gsub(" an argument ", "")))
    assert_free(lines, "command lines")
  end)
end)
