--- Every code block of the README is run, against the emulator: one that nobody runs here fails.
local command = require("spec.support.command")
local mediastop = require("mediastop")
local mime = require("mime")
local nginx = require("spec.support.nginx")
local rooms = require("rooms")
local support = require("spec.support")
local system = require("spec.emulator.system")

local emulator = support.emulator()
local version = rawget(_G, "jit") and "jit" or _VERSION:match("%d.%d")

-- The blocks, in their order: { language, text, line }.
local blocks = {}
do
  local number, block = 0, nil
  for line in (assert(system.read_file("README.md")) .. "\n"):gmatch("(.-)\n") do
    number = number + 1
    local language = line:match("^```(.*)$")
    if block and language then
      block.text = table.concat(block, "\n") .. "\n"
      block = nil
    elseif block then
      block[#block + 1] = line
    elseif language then
      block = { language = language, line = number }
      blocks[#blocks + 1] = block
    end
  end
  assert(not block)
end

-- Runs Lua in which `mediastop` is a client of the emulator, and `more` are globals. Returns what it printed, the words
-- of each line parted by single spaces; and what comments behind --> say of that.
local function run_lua(text, more)
  local client = support.client()
  local module = { credentials = mediastop.credentials, null = mediastop.null, new = mediastop.new }
  for _, provider in ipairs({ "memories", "screenplay", "emogg", "fastpix" }) do
    module[provider] = client[provider]
  end
  for _, name in ipairs({ "start", "each", "step", "fd", "due" }) do
    module[name] = function(...)
      return client[name](client, ...)
    end
  end
  local printed, said = {}, {}
  local environment = setmetatable({
    mediastop = module,
    require = function(name)
      return name == "mediastop" and module or require(name)
    end,
    print = function(...)
      local words = { ... }
      for i = 1, select("#", ...) do
        words[i] = tostring(words[i])
      end
      printed[#printed + 1] = table.concat(words, " ")
    end,
  }, { __index = function(_, name)
    return more and more[name] or _G[name]
  end })
  local chunk
  if rawget(_G, "setfenv") then
    chunk = setfenv(assert(loadstring(text, "=README.md")), environment) -- luacheck: globals setfenv loadstring
  else
    chunk = assert(load(text, "=README.md", "t", environment))
  end
  chunk()
  client:close()
  for words in text:gmatch("%-%-> *([^\n]*)") do
    said[#said + 1] = words:gsub("%s+", " "):gsub(" $", "")
  end
  return printed, said
end

-- Jobs of the ids that a text names, so that they can be ended.
local function make_jobs(text)
  emulator:reset()
  for provider, id in text:gmatch('(%a+)%.%a+[ (]"?([%w-]+)') do
    if emulator.credentials[provider] or provider == "screenplay" then
      emulator:job(provider, id)
    end
  end
end

-- By a text that only that block has: who runs it.
local runners = {}

runners["make demo"] = function(text)
  for target in text:gmatch("make (%l+)") do
    local said = system.capture("make -n DEPS=skip " .. target .. " 2>&1; echo status $?")
    assert.is_truthy(said:find("status 0$"), said)
  end
  local said = system.capture(("env -u MAKEFLAGS -u MFLAGS make -s demo DEPS=skip LUA_VERSION=%s 2>&1"):format(version))
  local _, count = said:gsub('outcome = "%l+"', "")
  assert.are.equal(4, count, said)
end

runners['memories.stop("550e8400'] = function(text)
  make_jobs(text)
  assert.are.same({}, (run_lua(text)))
  assert.are.equal("stopped", emulator:state("memories", "550e8400-e29b-41d4-a716-446655440000"))
  assert.are.equal("cancelled", emulator:state("screenplay", "ros-sd-20260313-a3f8c2b1"))
  assert.are_not.equal("active", emulator:state("emogg", "65ea1530bb50af72b6e3dc1e"))
  assert.are.equal("idle", emulator:state("fastpix", "91a264dcc447b63da6fb79ef925cd76d"))
end

runners['err.kind == "not_active"'] = function(text)
  local id = support.id("fastpix")
  assert.are.same({ "ended" }, (run_lua(text, { id = id })))
  assert.are.same({ "is not running (any more)" }, (run_lua(text, { id = id })))
  emulator:faults(id, { { status = 429, headers = { ["Retry-After"] = "1000" } } })
  assert.matches("^try again 1000%.?0? false$", run_lua(text, { id = id })[1])
  emulator:faults(id, { { status = 403 } })
  assert.matches("^for a person to look at fastpix.finish .*forbidden", run_lua(text, { id = id })[1])
end

-- The file and what explain says of it belong together.
local file
runners['"default": {'] = function(text)
  file = text
  local path, helper = support.scratch("readme-credentials.json"), support.scratch("pass-helper")
  system.write_file(helper, '#!/bin/sh\necho \'{"username": "one", "password": "two"}\'\n')
  system.write_file(path, (text:gsub("pass%-helper", helper):gsub("…", "key")))
  os.execute("chmod 600 " .. system.quote(path) .. "; chmod 700 " .. system.quote(helper))
  local run = support.run([[
    local credentials = require("mediastop").credentials
    for _, provider in ipairs({ "memories", "fastpix" }) do
      assert(credentials.explain(provider).found, tostring(credentials.explain(provider)))
    end
    assert(credentials.explain("emogg", { profile = "staging" }).found)
  ]], { MEDIASTOP_CREDENTIALS_FILE = path })
  assert.are.equal("", run.stderr)
end

runners["fastpix, profile 'default'"] = function(text)
  local home, helpers = support.scratch("readme-home"), support.scratch("readme-path")
  system.capture(("mkdir -p %s/.config/mediastop %s"):format(home, helpers))
  local path = home .. "/.config/mediastop/credentials.json"
  system.write_file(path, (file:gsub("…", "key")))
  system.write_file(helpers .. "/pass-helper", '#!/bin/sh\necho \'{"username": "one", "password": "two"}\'\n')
  os.execute(("chmod 600 %s; chmod 700 %s/pass-helper"):format(path, helpers))
  local run = support.run('print(require("mediastop").credentials.explain("fastpix"))', {
    PATH = helpers .. ":" .. os.getenv("PATH"),
    XDG_CONFIG_HOME = home .. "/.config",
  })
  assert.are.equal("", run.stderr)
  -- The README cuts the list of variables short.
  local said = run.stdout:gsub(home:gsub("%p", "%%%0"), "/home/me"):gsub("(FASTPIX_PASSWORD), [^)]*%)", "%1, …)")
  assert.are.equal(text, said)
end

runners["confirm = true"] = function(text)
  local printed, said = run_lua(text, { id = support.id("emogg") })
  assert.are.equal(2, #printed)
  assert.are.same(said, printed)
end

runners["concurrency = 64"] = function(text)
  local id = support.id("fastpix")
  local requests = { { "fastpix.finish", id }, { "fastpix.finish", "" } }
  local printed = run_lua(text, { requests = requests })
  table.sort(printed)
  assert.are.equal(2, #printed)
  assert.matches("invalid_id", printed[1])
  assert.are.equal(id .. " ended", printed[2])
end

runners["job:wait(0.5)"] = function(text)
  local id = support.id("fastpix")
  run_lua(text, { id = id })
  assert.is_true(#emulator:requests(id) <= 1)
end

-- The parts of the configuration that the harness has itself are its own.
runners["content_by_lua_block"] = function(text)
  local location = assert(text:match("location = /done {.*"))
  assert.is_truthy(text:find("lua_package_path", 1, true))
  local id = support.id("fastpix")
  local server = nginx.start({
    init = assert(text:match("init_by_lua_block { (.-) }\n")),
    server = location,
    main = "env FASTPIX_USERNAME; env FASTPIX_PASSWORD;",
    environment = ("env FASTPIX_USERNAME=%s FASTPIX_PASSWORD=%s"):format(emulator.credentials.fastpix.username,
      emulator.credentials.fastpix.password),
  })
  -- It calls the true provider, to which nothing is sent from here: an id that cannot be sent shows that it runs.
  assert.matches("^fastpix.finish : invalid_id", (server:get("/done?id=")))
  assert.are.equal("true", server:run('return require("mediastop").credentials.explain("fastpix").found'))
  server:stop()
  assert.are.equal("active", emulator:state("fastpix", id))
end

runners["resty.later("] = function(text)
  local id = support.id("fastpix")
  local server = nginx.start({})
  local said = server:run(([[
    local plain, id, name = require "mediastop.resty", %q, "stream"
    local answers = {}
    local resty = {
      later = function(operation, of, options)
        local all = { %s }
        for field, value in pairs(options) do all[field] = value end
        answers[#answers + 1] = tostring(plain.later(operation, of, all))
      end,
      keep = function(key) answers[#answers + 1] = tostring(plain.keep(key)) end,
    }
    %s
    return table.concat(answers, " ")
  ]]):format(id, nginx.options("fastpix"), text))
  server:stop()
  assert.are.equal("true true", said)
  assert.are.equal(0, #emulator:requests(id))
end

runners["mediastop.memories.callback(body)"] = function(text)
  local first, second = text:match("^(.-\n)(.*)$")
  local function fields(line)
    local names = {}
    for name in line:match("{ (.-) }"):gsub("%s*%-%-%s*", " "):gmatch("[%l_]+") do
      names[#names + 1] = name
    end
    table.sort(names)
    return names
  end
  local got = {}
  local function see(name, source, more)
    run_lua(source .. "see(" .. name .. ")", support.merge(more, { see = function(value) got[name] = value end }))
  end
  see("ended", first, { body = '{"code":200,"message":"m","task_id":"one","data":{"status":14}}' })
  assert.are.same(fields(first), support.keys(got.ended))
  local body = '{"id":"1","type":"video.live_stream.idle","createdAt":"now","object":{"id":"2"},"data":{}}'
  see("event", second, { body = body, signature = mime.b64(rooms.hmac("key", body)), secret = mime.b64("key") })
  assert.are.same(fields(second), support.keys(got.event))
end

-- The session of a shell: each command and what it printed, to the next one. The first starts the emulator, which runs.
runners["$ mediastop emulator"] = function(text)
  make_jobs(text)
  local port = emulator:base_url().emogg:match(":(%d+)/")
  local script, expected, in_file = {}, {}, false
  for line in text:gmatch("[^\n]+") do
    local typed = line:match("^%$ (.*)$")
    if typed and in_file then
      script[#script + 1] = "END"
    end
    if not typed then
      table.insert(in_file and script or expected, line)
    else
      local name = typed:match("^cat (%S+)$")
      in_file = name ~= nil
      if in_file then
        script[#script + 1] = "cat >" .. name .. " <<'END'"
      elseif not typed:find("^mediastop emulator") then
        script[#script + 1] = typed
      end
    end
  end
  script = table.concat(script, "\n"):gsub("127%.0%.0%.1:%d+", "127.0.0.1:" .. port)
    :gsub("EMOGG_API_TOKEN=%S+", "EMOGG_API_TOKEN=" .. emulator.credentials.emogg.token)
    :gsub("jq %-c '.-'", system.quote(support.interpreter()) .. " jq.lua")
  local folder = support.scratch("readme-session")
  system.capture("mkdir -p " .. system.quote(folder))
  -- jq, as far as the README takes it.
  system.write_file(folder .. "/jq.lua", [[
    for line in io.lines() do
      local words = {}
      for _, name in ipairs { "id", "outcome", "state" } do
        words[#words + 1] = line:match('"' .. name .. '":("[^"]*")') or "null"
      end
      print("[" .. table.concat(words, ",") .. "]")
    end
  ]])
  local environment = support.variables()
  for name in pairs(environment) do
    if name:find("^EMOGG_") or name:find("^FASTPIX_") then
      environment[name] = nil
    end
  end
  local exports = {}
  for name, value in pairs(environment) do
    exports[#exports + 1] = ("export %s=%s"):format(name, system.quote(value))
  end
  system.write_file(folder .. "/session.sh", ("exec 2>&1\ncd %s\nmediastop() { %s \"$@\"; }\n%s\n%s"):format(
    system.quote(folder), system.quote(command.path()), table.concat(exports, "\n"), script))
  local said = system.capture("env -i PATH=" .. system.quote(os.getenv("PATH")) .. " sh " .. folder .. "/session.sh")
  local printed = {}
  for line in said:gmatch("[^\n]+") do
    printed[#printed + 1] = line
  end
  -- What stop-all prints comes as jobs end.
  table.sort(printed)
  table.sort(expected)
  assert.are.same(expected, printed)
end

describe("the README's block", function()
  for _, block in ipairs(blocks) do
    local runner, count = nil, 0
    for text, run in pairs(runners) do
      if block.text:find(text, 1, true) then
        runner, count = run, count + 1
      end
    end
    it(("of line %d, %s"):format(block.line, block.language), function()
      assert.are.equal(1, count, "the runners of this block")
      runner(block.text)
    end)
  end

  it("of each runner is there", function()
    local count = 0
    for _ in pairs(runners) do
      count = count + 1
    end
    assert.are.equal(#blocks, count)
  end)
end)
