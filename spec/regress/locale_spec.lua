--- A host that changed its locale after `require` got `protocol` for jobs that had ended, and [200,4] could be read as
--- 200.4: lua-cjson looks at the locale's decimal point only when an instance is made.
local json = require("cjson")
local support = require("spec.support")
local system = require("spec.emulator.system")

-- Runs a child that has `cjson`, `mediastop` and `set(locale)`. The locale is made of that of the system's.
local function run(locale, base, environment, source)
  local folder = support.scratch("locale")
  os.execute(("mkdir -p %s; localedef -i %s -f UTF-8 %s/%s >/dev/null 2>&1"):format(folder, base, folder, locale))
  if not system.read_file(folder .. "/" .. locale .. "/LC_NUMERIC") then
    return "localedef makes no locale here"
  end
  local child = support.run([[
    local cjson = require("cjson")
    local mediastop = require("mediastop")
    local function set(locale)
      assert(os.setlocale(locale), locale)
    end
  ]] .. source, support.merge(environment, { LOCPATH = folder }))
  assert.are.equal("", child.stderr)
  assert.are.equal(0, child.status)
end

-- Four calls with a new client, which finds its credentials in a file.
local function calls()
  local words = {}
  for _, operation in ipairs(support.operations) do
    words[#words + 1] = ("assert(client.%s(%q, { confirm = %s }))"):format(operation.full,
      support.id(operation.provider), tostring(operation.provider == "emogg"))
  end
  local urls = {}
  for provider, url in pairs(support.emulator():base_url(support.emulator().http)) do
    urls[#urls + 1] = ("%s = %q"):format(provider, url)
  end
  return ("do local client = mediastop.new({ base_url = { %s }, proxy = '' }) %s client:close() end\n"):format(
    table.concat(urls, ", "), table.concat(words, " "))
end

describe("a host that changes its locale after require", function()
  it("has its jobs ended as before, there and back", function()
    local file = support.scratch("locale.json")
    system.write_file(file, json.encode({ default = support.emulator().credentials, more = { 1.5, 2 } }))
    os.execute("chmod 600 " .. file)
    local missing = run("de", "de_DE", { MEDIASTOP_CREDENTIALS_FILE = file }, calls()
      .. "set('de')\n" .. calls()
      .. "set('C') cjson.new() set('de')\n" .. calls() -- others make instances, too
      .. "assert(cjson.decode('[0.5]')[1] == 0.5)\n"
      .. "set('C')\n" .. calls())
    if missing then
      return pending(missing)
    end
  end)

  it("reads what is posted as before, also where memory runs short", function()
    local missing = run("de", "de_DE", {}, [[
      local shortage = require("shortage")
      local body = '{"code":1.5,"task_id":"t","data":{"status":14},"x":[200,4,-2.5e1]}'
      local function check()
        local posted = assert(mediastop.memories.callback(body))
        assert(posted.code == "1.5" and posted.ended, posted.code)
        assert(#posted.body.x == 3 and posted.body.x[1] == 200 and posted.body.x[2] == 4 and posted.body.x[3] == -25)
        local event, _, err = mediastop.fastpix.webhook('{"x":0.5}', "c2lnbmF0dXJl", "c2VjcmV0")
        assert(not event and err.kind == "unauthorized", err.kind)
      end
      for _, lasting in ipairs({ false, true }) do
        local n, failed, good, message = 0, true
        while failed do
          set(n % 2 == 0 and "de" or "C")
          failed, good, message = shortage.within(n, lasting, check)
          assert(good or failed and tostring(message):find("not enough memory", 1, true), message)
          check()
          n = n + 1
        end
        assert(n > 10)
      end
    ]])
    if missing then
      return pending(missing)
    end
  end)

  it("goes on where the decimal point has several bytes", function()
    local missing = run("ps", "ps_AF", {}, [[
      set("ps")
      assert(mediastop.memories.callback('{"code":200,"task_id":"t","data":{"status":14}}').ended)
    ]])
    if missing then
      return pending(missing)
    end
  end)
end)
