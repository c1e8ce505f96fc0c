local json = require("cjson")
local finding = require("spec.support.finding")
local support = require("spec.support")
local system = require("spec.emulator.system")

local sent, fails, with_file = finding.sent, finding.fails, finding.with_file

local text = json.encode({
  default = {
    memories = { api_key = "of-default" },
    emogg = { token = "of-default" },
    fastpix = { username = "id", password = "of-default" },
  },
  staging = { memories = { api_key = "of-staging" } },
})

-- A folder with mediastop/credentials.json in it, or .config/mediastop/credentials.json.
local function config(below, key)
  local path = finding.folder()
  os.execute(("mkdir -p %s/%s"):format(path, below))
  local file = ("%s/%s/credentials.json"):format(path, below)
  system.write_file(file, json.encode({ default = { memories = { api_key = key } } }))
  os.execute("chmod 600 " .. file)
  return path
end

describe("the credentials file", function()
  local found = { memories = "of-default", screenplay = "of-default", emogg = "Bearer of-default",
    fastpix = finding.basic("id", "of-default") }

  for provider, value in pairs(found) do
    it("has the credential of " .. provider, function()
      assert.are.equal(value, sent(provider, with_file(text)))
    end)
  end

  it("stands at $MEDIASTOP_CREDENTIALS_FILE, else in $XDG_CONFIG_HOME, else in ~/.config", function()
    local environment = {
      MEDIASTOP_CREDENTIALS_FILE = finding.file('{"default":{"memories":{"api_key":"of-the-name"}}}'),
      XDG_CONFIG_HOME = config("mediastop", "of-xdg"),
      HOME = config(".config/mediastop", "of-home"),
    }
    assert.are.equal("of-the-name", sent("memories", environment))
    environment.MEDIASTOP_CREDENTIALS_FILE = ""
    assert.are.equal("of-xdg", sent("memories", environment))
    environment.MEDIASTOP_CREDENTIALS_FILE = nil
    assert.are.equal("of-xdg", sent("memories", environment))
    environment.XDG_CONFIG_HOME = ""
    assert.are.equal("of-home", sent("memories", environment))
    environment.XDG_CONFIG_HOME = nil
    assert.are.equal("of-home", sent("memories", environment))
  end)

  it("is one file: where that is not there, no other is looked for", function()
    local home = config(".config/mediastop", "secret")
    fails("memories", { XDG_CONFIG_HOME = "/nonexistent", HOME = home }, nil,
      "/nonexistent/mediastop/credentials.json does not exist")
    fails("memories", { MEDIASTOP_CREDENTIALS_FILE = "/nonexistent/file", HOME = home }, nil,
      "/nonexistent/file does not exist")
  end)

  it("is in the home folder that the system knows where $HOME is not set", function()
    local home = system.capture("getent passwd $(id -u) | cut -d: -f6")
    for _, value in ipairs({ false, "" }) do
      fails("emogg", { HOME = value or nil }, nil, home .. "/.config/mediastop/credentials.json")
    end
  end)

  it("has no place where the user has no home folder", function()
    if not finding.can_change_user() then
      pending("needs root and setpriv")
      return
    end
    fails("emogg", {}, { prefix = "setpriv --reuid=54321 --clear-groups" }, "no home directory")
  end)

  it("has profiles", function()
    local environment = with_file(text)
    assert.are.equal("of-staging", sent("memories", environment, { call = 'profile = "staging"' }))
    assert.are.equal("of-staging", sent("screenplay", environment, { new = 'profile = "staging"' }))
    assert.are.equal("of-default",
      sent("memories", environment, { new = 'profile = "staging"', call = 'profile = "default"' }))
    fails("emogg", environment, { call = 'profile = "staging"' }, { "profile 'staging'", "no emogg" })
    fails("emogg", environment, { call = 'profile = "none"' }, { "profile 'none'", "no such profile" })
  end)
end)

describe("an entry of the credentials file", function()
  -- The file, and words of the error.
  local broken = {
    { "", "is empty" },
    { "{", "is no JSON object" },
    { "secret", "is no JSON object" },
    { '{"default":{"memories":{"api_key":"secret"}}', "is no JSON object" },
    { '[{"memories":{"api_key":"secret"}}]', "is no JSON object" },
    { '"secret"', "is no JSON object" },
    { "null", "is no JSON object" },
    { ('{"a":'):rep(2000) .. "1" .. ("}"):rep(2000), "is no JSON object" },
    { "{}", "no such profile" },
    { '{"default":null}', "no such profile" },
    { '{"default":{}}', "no memories" },
    { '{"default":{"memories":{"api_key":"secret"}}}\0', "JSON object" },
    { '{"default":"secret"}', "not as it should be" },
    { '{"default":{"memories":null}}', "no memories" },
    { '{"default":{"memories":"secret"}}', "not as it should be" },
    { '{"default":{"memories":true}}', "not as it should be" },
    { '{"default":{"memories":{}}}', "gives nothing" },
    { '{"default":{"memories":{"api_key":null}}}', "gives nothing" },
    { '{"default":{"memories":{"api_key":""}}}', "gives nothing" },
    { '{"default":{"memories":{"api_key":5}}}', "'api_key' is no string" },
    { '{"default":{"memories":{"api_key":["secret"]}}}', "'api_key' is no string" },
    { '{"default":{"memories":["secret"]}}', "unknown field" },
    { '{"default":{"memories":{"token":"secret"}}}', "unknown field 'token'" },
    { '{"default":{"memories":{"api_key":"secret","more":"secret"}}}', "unknown field 'more'" },
    { '{"default":{"memories":{"api_key":"secret\\n"}}}', "control byte" },
    { '{"default":{"memories":{"api_key":"secret\\u0000"}}}', "control byte" },
    { '{"default":{"memories":{"api_key":"Bearer secret"}}}', "Bearer" },
    { '{"default":{"memories":{"api_key":"secret","base_url":5}}}', "not as it should be" },
    { '{"default":{"memories":{"api_key":"secret","process":["true"]}}}', "no other fields" },
    { '{"default":{"memories":{"process":"secret"}}}', "must be a list" },
  }

  for _, case in ipairs(broken) do
    it("is an error that says why: " .. case[1]:sub(1, 70), function()
      local environment = with_file(case[1])
      fails("memories", environment, nil, { environment.MEDIASTOP_CREDENTIALS_FILE, case[2] })
    end)
  end

  local halves = {
    { '{"username":"secret"}', "fastpix has username but no password" },
    { '{"password":"secret","username":""}', "fastpix has password but no username" },
    { '{"username":"secret","password":null}', "fastpix has username but no password" },
  }

  it("is an error when it is a half alone, that names both", function()
    for _, case in ipairs(halves) do
      local environment = with_file(('{"default":{"fastpix":%s}}'):format(case[1]))
      fails("fastpix", environment, nil, case[2])
      assert.is_truthy(finding.explained("fastpix", environment):find(case[2], 1, true))
    end
  end)

  it("may have null for what it does not say", function()
    for _, more in ipairs({ '"base_url":null', '"process":null', '"more":null' }) do
      assert.are.equal("value", sent("memories", with_file(('{"default":{"memories":{"api_key":"value",%s}}}')
        :format(more))))
    end
  end)

  it("may be spread over lines, and hold escapes", function()
    local spread = '\n{\n "default": {"memories": {"api_key": "va\\/\\u006cue"}}}\n'
    assert.are.equal("va/lue", sent("memories", with_file(spread)))
  end)

  local elsewhere = "https://mediastop-spec.invalid/v1"

  local function entry(provider, base_url)
    local fields = { memories = { api_key = "secret" }, emogg = { token = "secret" },
      fastpix = { username = "secret", password = "secret" } }
    local all = support.merge(fields[provider == "screenplay" and "memories" or provider], { base_url = base_url })
    return with_file(json.encode({ default = { [provider == "screenplay" and "memories" or provider] = all } }))
  end

  for _, operation in ipairs(support.operations) do
    it("goes where its own base_url points, and nowhere else: " .. operation.full, function()
      local provider, more = operation.provider, { base_url = elsewhere }
      for _, address in ipairs({ elsewhere, elsewhere .. "/" }) do
        local found, printed = sent(provider, entry(provider, address), more)
        assert.is_nil(found)
        assert.are.equal("dns ", printed:sub(1, 4))
      end
      for _, address in ipairs({ "https://mediastop-spec.invalid/v2", "https://mediastop-spec.invalid",
        "https://mediastop-spec.invalid/v1/x", "http://mediastop-spec.invalid/v1", "", "https://api.emogg.com/v1" }) do
        fails(provider, entry(provider, address), more, { elsewhere, "options.credentials", '"base_url"' })
      end
    end)
  end

  it("with a base_url still goes to this machine", function()
    assert.are.equal("secret", sent("memories", entry("memories", elsewhere)))
  end)
end)

describe("the credentials file is refused", function()
  for _, mode in ipairs({ "640", "644", "604", "620", "610", "601", "602", "660", "666", "777" }) do
    it("with mode 0" .. mode .. ", with the chmod that mends it, which does", function()
      local environment = with_file('{"default":{"memories":{"api_key":"secret"}}}', mode)
      local message = fails("memories", environment, nil, "is open to group or others")
      os.execute(assert(message:match("chmod 600 [^ )]+")))
      assert.are.equal("secret", sent("memories", environment))
    end)
  end

  for _, mode in ipairs({ "600", "400", "700" }) do
    it("but not with mode 0" .. mode, function()
      assert.are.equal("value", sent("memories", with_file('{"default":{"memories":{"api_key":"value"}}}', mode)))
    end)
  end

  it("with a path that a shell would take apart, with a chmod that it does not", function()
    local path = finding.folder() .. "/it's a; $(file)"
    system.write_file(path, '{"default":{"memories":{"api_key":"secret"}}}')
    os.execute("chmod 644 " .. system.quote(path))
    local environment = { MEDIASTOP_CREDENTIALS_FILE = path }
    local message = fails("memories", environment)
    os.execute(assert(message:match("chmod 600 '.*file%)'")))
    assert.are.equal("secret", sent("memories", environment))
  end)

  it("by the mode of the file itself, not of a link to it", function()
    local path = finding.file('{"default":{"memories":{"api_key":"secret"}}}')
    os.execute(("ln -s %s %s.link"):format(path, path))
    local environment = { MEDIASTOP_CREDENTIALS_FILE = path .. ".link" }
    assert.are.equal("secret", sent("memories", environment))
    os.execute("chmod 644 " .. path)
    fails("memories", environment, nil, "chmod 600")
  end)

  local broken = {
    { "mkdir %s", "is no regular file" },
    { "mkfifo -m 600 %s", "is no regular file" },
    { "ln -s /dev/null %s", "is no regular file" },
    { "umask 077; head -c 65537 /dev/zero >%s", "is over 64 KiB" },
    { "ln -s nowhere %s", "does not exist" },
    { "path=%s; ln -s $path $path", "cannot be read" },
  }

  for _, case in ipairs(broken) do
    it("with a sentence: " .. case[1], function()
      local path = finding.path()
      os.execute(case[1]:format(path))
      fails("memories", { MEDIASTOP_CREDENTIALS_FILE = path }, nil, path .. " " .. case[2])
    end)
  end

  it("over 64 KiB and no byte below", function()
    local start = '{"default":{"memories":{"api_key":"value"}}}'
    assert.are.equal("value", sent("memories", with_file(start .. (" "):rep(65536 - #start))))
    fails("memories", with_file(start .. (" "):rep(65537 - #start)), nil, "is over 64 KiB")
  end)

  describe("by its owner:", function()
    local as_other = { prefix = "setpriv --reuid=54321 --clear-groups" }
    local entry = '{"default":{"memories":{"api_key":"secret"}}}'

    -- The scratch folder is closed to other users.
    local function open_folder()
      local path = system.capture("mktemp -d")
      finally(function() system.remove_directory(path) end)
      os.execute("chmod 755 " .. path)
      return path
    end

    local function owned(owner, mode)
      local path = open_folder() .. "/credentials.json"
      system.write_file(path, entry)
      os.execute(("chown %d %s && chmod %s %s"):format(owner, path, mode, path))
      return { MEDIASTOP_CREDENTIALS_FILE = path }
    end

    -- The file's owner, who looks, the words of the error.
    local cases = {
      { "ours", 54321, as_other },
      { "another's, to root", 54321, nil, "belongs to another user" },
      { "root's, which we may not read", 0, as_other, "cannot be read: " },
    }

    for _, case in ipairs(cases) do
      it(case[1], function()
        if not finding.can_change_user() then
          pending("needs root and setpriv")
          return
        end
        local environment = owned(case[2], "600")
        if case[4] then
          fails("memories", environment, case[3], { environment.MEDIASTOP_CREDENTIALS_FILE .. " " .. case[4] })
        else
          assert.are.equal("secret", sent("memories", environment, case[3]))
        end
      end)
    end

    -- An open mode is what lets us read it at all, and the owner is what cannot be mended by a chmod alone.
    it("another's with an open mode, which gives both commands", function()
      if not finding.can_change_user() then
        pending("needs root and setpriv")
        return
      end
      local environment = owned(54322, "644")
      fails("memories", environment, as_other, { "belongs to another user", "chown", "chmod 600" })
    end)

    it("root's with an open mode", function()
      if not finding.can_change_user() then
        pending("needs root and setpriv")
        return
      end
      fails("memories", owned(0, "644"), as_other, { "is open to group or others", "chmod 600" })
    end)
  end)
end)
