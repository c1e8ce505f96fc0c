--- Every public name is in types.lua, in the comments that make the reference, in the README, and in a spec. The names
--- come from the loaded modules and from the tables of the C sources.
local core = require("mediastop.core")
local mediastop = require("mediastop")
local mime = require("mime")
local rooms = require("rooms")
local support = require("spec.support")
local system = require("spec.emulator.system")

local function read(path)
  return assert(system.read_file(path))
end

-- The texts of the files that the shell pattern names.
local function texts(pattern)
  local list = {}
  for path in system.capture("ls " .. pattern):gmatch("[^\n]+") do
    list[#list + 1] = read(path)
  end
  return table.concat(list, "\n")
end

local types, readme = read("lua/mediastop/types.lua"), read("README.md")
local sources = texts("lua/mediastop/*.lua csrc/*.c")
local specs = texts("spec/*_spec.lua spec/source/*_spec.lua")

-- Of types.lua, by class: its fields, each with its type, and its functions.
local classes, parents = {}, {}
do
  local class, class_of = nil, {}
  for line in types:gmatch("[^\n]*") do
    local name, parent = line:match("^%-%-%-@class ([%w_.]+):? ?([%w_.]*)")
    local field, of_type = line:match("^%-%-%-@field ([%w_]+)%?? (.*)")
    local variable = line:match("^local (%w+) = {}")
    local owner, method = line:match("^function (%w+)[.:]([%w_]+)%(")
    if name then
      class, classes[name], parents[name] = name, classes[name] or {}, parent ~= "" and parent or nil
    elseif field then
      classes[class][field] = of_type
    elseif variable then
      class_of[variable] = class
    elseif owner then
      classes[class_of[owner]][method] = "function"
    end
  end
end

local function typed(class, name)
  while class do
    if classes[class][name] then
      return classes[class][name]
    end
    class = parents[class]
  end
end

-- The words of an alias: ---| "word"
local function words_of(alias)
  local words = {}
  for word in types:match("%-%-%-@alias " .. alias:gsub("%.", "%%.") .. "\n(.-)\n\n"):gmatch('%-%-%-| "([^"]+)"') do
    words[word] = true
  end
  return words
end

-- What the comments for LDoc document: functions by their names, and the fields of a table.
local function documented(name)
  local plain = name:gsub("%p", "%%%0")
  return sources:find("@function " .. plain .. "%s") or sources:find("\nfunction " .. plain .. "%(")
end

local function documented_fields(name)
  local fields = {}
  local block = assert(sources:match("@table " .. name .. "\n(.-)%*/"), name)
  for field in block:gmatch("@field ([%w_]+) ") do
    fields[field] = true
  end
  return fields
end

-- A word by itself: "step" in "step()", not in "steps".
local function has_word(text, name)
  return (" " .. text .. " "):find("[^%w_]" .. name:gsub("%p", "%%%0") .. "[^%w_]") ~= nil
end

local function in_readme_and_specs(name)
  assert.is_true(has_word(readme, name), name .. " is not in README.md")
  assert.is_true(has_word(specs, name), name .. " is not in a spec")
end

-- All that stands between two texts of a file, matched by a pattern.
local function names_in(path, from, to, pattern)
  local block = assert(read(path):match(from .. "(.-)" .. to), path .. " has changed its form")
  local names = {}
  for name in block:gmatch(pattern) do
    names[#names + 1] = name
  end
  assert.is_true(#names > 0, path .. " has changed its form")
  return names
end

describe("a public function", function()
  -- Calls `see` with each function and what it is called, and goes through the tables in the module.
  local function walk(module, class, front, see)
    for _, name in ipairs(support.keys(module)) do
      local value, full = module[name], front .. name
      local of_type = typed(class, name)
      assert.is_truthy(of_type, full .. " is not in types.lua")
      if type(value) == "function" then
        see(full, name)
      elseif type(value) == "table" then
        walk(value, of_type, full .. ".", see)
      end
    end
  end

  it("of mediastop has its entries", function()
    local count = 0
    walk(mediastop, "mediastop.Module", "", function(full, name)
      assert.is_truthy(documented(full), full .. " has no comment")
      in_readme_and_specs(name == "find" and "credentials" or full)
      count = count + 1
    end)
    assert.is_true(count >= 18)
  end)

  it("of mediastop.core that users call is one of mediastop, and typed so", function()
    local ours = { "bind", "close", "console", "constructor", "engine", "secret", "system", "tickets" }
    for _, name in ipairs(ours) do
      assert.is_not_nil(core[name])
      ours[name] = true
    end
    for name in pairs(core) do
      assert.is_true(ours[name] or mediastop[name] ~= nil, name)
    end
  end)

  local function methods(class, names)
    for _, name in ipairs(names) do
      local short = class:match("%w+$")
      assert.is_truthy(typed(class, name), name .. " is not in types.lua")
      assert.is_truthy(documented(short .. ":" .. name) or documented(name), name .. " has no comment")
      in_readme_and_specs(name)
    end
  end

  it("of a client has its entries", function()
    methods("mediastop.Client", names_in("csrc/handle.c", "handle_add_functions.-luaL_Reg functions%[%] = {",
      "NULL, NULL", '{ "([%w_]+)",'))
    methods("mediastop.Client", { "each" })
  end)

  it("of a job has its entries", function()
    methods("mediastop.Job", names_in("csrc/handle.c", "luaL_Reg methods%[%] = {", "NULL, NULL", '{ "([%w_]+)",'))
  end)

  it("of mediastop.resty has its entries", function()
    local count = 0
    for name in read("lua/mediastop/resty.lua"):gmatch("\nfunction resty%.([%w_]+)%(") do
      assert.is_truthy(typed("mediastop.Resty", name), name .. " is not in types.lua")
      assert.is_truthy(documented("resty." .. name))
      in_readme_and_specs(name)
      count = count + 1
    end
    assert.is_true(count >= 7)
  end)

  it("of a client of mediastop.resty is typed", function()
    for _, name in ipairs(names_in("lua/mediastop/resty.lua", "local functions = {}", "local methods = {}",
      "function functions%.([%w_]+)%(")) do
      assert.is_truthy(typed("mediastop.RestyClient", name), name .. " is not in types.lua")
    end
  end)

  it("of mediastop.loader has its entries", function()
    for name in pairs(require("mediastop.loader")) do
      assert.is_truthy(typed("mediastop.Loader", name))
    end
    in_readme_and_specs("loader")
  end)
end)

describe("an option", function()
  it("of a call or a client has its entries", function()
    local comments = documented_fields("Options")
    local row = '{ "([%w_]+)", SCOPE'
    for _, name in ipairs(names_in("csrc/options.c", "} rows%[%] = {", "\n};", row)) do
      local of_client = typed("mediastop.ClientOptions", name)
      assert.is_truthy(of_client, name .. " is not in types.lua")
      assert.is_true(comments[name], name .. " has no comment")
      in_readme_and_specs(name)
      -- A call's options are those that it takes.
      local good, problem = pcall(core.fastpix.finish, "", { [name] = {} })
      local takes = good or not problem:find("belongs to mediastop.new", 1, true)
      assert.are.equal(takes, typed("mediastop.CallOptions", name) ~= nil, name)
    end
  end)

  it("of each and of later has its entries", function()
    for _, name in ipairs({ "concurrency", "delay", "key" }) do
      assert.is_truthy(typed("mediastop.EachOptions", name) or typed("mediastop.LaterOptions", name))
      in_readme_and_specs(name)
    end
  end)
end)

describe("a kind of error", function()
  local kinds = names_in("csrc/mediastop.h", "define ERROR_KINDS", "enum kind", 'X%([%u_]+, "([%w_]+)"')
  kinds[#kinds + 1] = "misuse"

  it("has its entries", function()
    local words, comments = words_of("mediastop.Kind"), documented_fields("Kinds")
    for _, kind in ipairs(kinds) do
      assert.is_true(words[kind], kind .. " is not in types.lua")
      assert.is_true(comments[kind], kind .. " has no comment")
      in_readme_and_specs(kind)
      words[kind], comments[kind] = nil, nil
    end
    assert.is_nil(next(words))
    assert.is_nil(next(comments))
  end)
end)

describe("an operation", function()
  it("has its entries", function()
    local words = words_of("mediastop.Operation")
    for _, operation in ipairs(core.engine.operations) do
      assert.is_true(words[operation], operation .. " is not in types.lua")
      in_readme_and_specs(operation)
      words[operation] = nil
    end
    assert.is_nil(next(words))
  end)
end)

describe("a field", function()
  -- Those that a function of result.c, and what it calls, sets in the table on the top.
  local set = { 'set_[%l]+%(L, "([%l_]+)"', 'lua_setfield%(L, %-2, "([%l_]+)"' }
  local function fields_of(path, ...)
    local fields = {}
    for _, name in ipairs({ ... }) do
      local body = assert(read(path):match("\n[^\n]*[ *]" .. name .. "%([^;]-%)\n{\n(.-)\n}"), name)
      for _, pattern in ipairs(set) do
        for field in body:gmatch(pattern) do
          fields[field] = true
        end
      end
    end
    return fields
  end

  local function check(class, fields, comments)
    local count = 0
    for name in pairs(fields) do
      assert.is_truthy(typed(class, name), class .. " has no " .. name .. " in types.lua")
      assert.is_true(comments == nil or comments[name], class .. "'s " .. name .. " has no comment")
      in_readme_and_specs(name)
      count = count + 1
    end
    for name in pairs(classes[class]) do
      assert.is_not_nil(fields[name], class .. "'s " .. name .. " is set by nobody")
    end
    return count
  end

  it("of a result has its entries", function()
    local fields = fields_of("csrc/result.c", "set_common", "push_success", "result_confirm")
    assert.is_true(check("mediastop.Result", fields, documented_fields("Result")) >= 13)
  end)

  it("of an error has its entries", function()
    local fields = fields_of("csrc/result.c", "set_common", "push_failure")
    assert.is_true(check("mediastop.Error", fields, documented_fields("Error")) >= 17)
  end)

  it("of an event has its entries", function()
    local fields = fields_of("csrc/event.c", "begin", "event_attempt", "event_retry")
    fields.result, fields.error = true, true
    assert.is_true(check("mediastop.Event", fields, documented_fields("Event")) >= 9)
  end)

  it("of a callback has its entries", function()
    local callback = mediastop.memories.callback('{"code":"0000","task_id":"one","data":{"status":14,"message":"m"}}')
    assert.are.equal(7, check("mediastop.Callback", callback))
  end)

  it("of an event of FastPix has its entries", function()
    local body = '{"id":"one","type":"video.live_stream.idle","createdAt":"now","data":{"streamId":"two"},'
      .. '"object":{"type":"live_stream","id":"two"}}'
    local signature = mime.b64(rooms.hmac("key", body))
    local event = assert(mediastop.fastpix.webhook(body, signature, (mime.b64("key"))))
    assert.are.equal(10, check("mediastop.Webhook", event))
  end)
end)
