local finding = require("spec.support.finding")

local sent, fails, basic = finding.sent, finding.fails, finding.basic

local names = {
  memories = { "MEMORIES_API_KEY", "MEMORIES_AI_API_KEY", "MAVI_API_KEY" },
  screenplay = { "MEMORIES_API_KEY", "MEMORIES_AI_API_KEY", "MAVI_API_KEY" },
  emogg = { "EMOGG_API_TOKEN" },
}

local pairs_of_names = {
  { "FASTPIX_USERNAME", "FASTPIX_PASSWORD" },
  { "FASTPIX_ACCESS_TOKEN_ID", "FASTPIX_SECRET_KEY" },
  { "FASTPIX_ACCESS_TOKEN", "FASTPIX_SECRET_KEY" },
  { "FASTPIX_TOKEN_ID", "FASTPIX_SECRET_KEY" },
}

local fastpix_names = { "FASTPIX_USERNAME", "FASTPIX_PASSWORD", "FASTPIX_ACCESS_TOKEN_ID", "FASTPIX_ACCESS_TOKEN",
  "FASTPIX_TOKEN_ID", "FASTPIX_SECRET_KEY" }

describe("a credential of the environment", function()
  for _, provider in ipairs({ "memories", "screenplay", "emogg" }) do
    local scheme = provider == "emogg" and "Bearer " or ""
    local own = names[provider]

    for index, name in ipairs(own) do
      it(("is found under %s for %s, before the names behind it"):format(name, provider), function()
        local environment = {}
        for later = index, #own do
          environment[own[later]] = "value-of-" .. own[later]
        end
        assert.are.equal(scheme .. "value-of-" .. name, sent(provider, environment))
      end)

      it(("is found in the file of %s_FILE for %s"):format(name, provider), function()
        assert.are.equal(scheme .. "value", sent(provider, { [name .. "_FILE"] = finding.file("value") }))
      end)
    end

    it("counts as unset when it is empty, and when its file's name or content is: " .. provider, function()
      local environment = {}
      for _, name in ipairs(own) do
        environment[name] = ""
        environment[name .. "_FILE"] = ""
      end
      fails(provider, environment, nil, own)
      environment[own[1] .. "_FILE"] = finding.file("\n")
      fails(provider, environment, nil, own)
      local last = own[#own]
      environment[last] = "the-last"
      if #own > 1 then
        assert.are.equal(scheme .. "the-last", sent(provider, environment))
      end
      environment[own[1] .. "_FILE"] = ""
      assert.are.equal(scheme .. "the-last", sent(provider, environment))
    end)

    it("is missed with the names of the places, and no value: " .. provider, function()
      fails(provider, { FASTPIX_USERNAME = "secret", FASTPIX_PASSWORD = "secret", OTHER = "secret" }, nil, own)
    end)

    it("that cannot stand in a header is an error that names it: " .. provider, function()
      for _, value in ipairs({ "secret\n", "secret\27x", "secret\r\nX: y", "Bearer secret", "bearer secret", " secret",
        "secret ", "secret\195\169" }) do
        fails(provider, { [own[1]] = value }, nil, own[1])
      end
    end)

    it("is an error that names both when it is set twice: " .. provider, function()
      fails(provider, { [own[1]] = "secret", [own[1] .. "_FILE"] = finding.file("secret") }, nil,
        { own[1] .. " and " .. own[1] .. "_FILE are both set" })
    end)
  end

  for index, names_of_pair in ipairs(pairs_of_names) do
    it("is found under " .. table.concat(names_of_pair, " and ") .. ", before the pairs behind it", function()
      local environment = {}
      for later = index, #pairs_of_names do
        for _, name in ipairs(pairs_of_names[later]) do
          environment[name] = "value-of-" .. name
        end
      end
      assert.are.equal(basic("value-of-" .. names_of_pair[1], "value-of-" .. names_of_pair[2]),
        sent("fastpix", environment))
    end)

    it("may have a half in a file: " .. table.concat(names_of_pair, ", "), function()
      for half = 1, 2 do
        local file, plain = names_of_pair[half], names_of_pair[3 - half]
        local parts = { [file] = "in-a-file", [plain] = "plain" }
        assert.are.equal(basic(parts[names_of_pair[1]], parts[names_of_pair[2]]),
          sent("fastpix", { [file .. "_FILE"] = finding.file("in-a-file\n"), [plain] = "plain" }))
      end
    end)
  end

  it("of FastPix is missed with the names of the places", function()
    fails("fastpix", { MEMORIES_API_KEY = "secret" }, nil, fastpix_names)
  end)

  it("of FastPix may have no colon and no control byte in its id", function()
    for _, id in ipairs({ "secret:x", "secret\n", "secret\127" }) do
      fails("fastpix", { FASTPIX_USERNAME = id, FASTPIX_PASSWORD = "secret" }, nil, "FASTPIX_USERNAME")
    end
    fails("fastpix", { FASTPIX_USERNAME = "id", FASTPIX_PASSWORD = "secret\rsecret" }, nil, "FASTPIX_PASSWORD")
    assert.are.equal(basic("id", "a:b\195\169"), sent("fastpix", { FASTPIX_USERNAME = "id",
      FASTPIX_PASSWORD = "a:b\195\169" }))
  end)

  it("is the first complete pair, whatever half stands before it", function()
    local found = basic("id", "key")
    for _, half in ipairs({ "FASTPIX_USERNAME", "FASTPIX_PASSWORD" }) do
      assert.are.equal(found,
        sent("fastpix", { [half] = "secret", FASTPIX_TOKEN_ID = "id", FASTPIX_SECRET_KEY = "key" }))
    end
    assert.are.equal(found,
      sent("fastpix", { FASTPIX_USERNAME = "", FASTPIX_PASSWORD = "secret", FASTPIX_ACCESS_TOKEN = "id",
        FASTPIX_SECRET_KEY = "key" }))
  end)

  for _, name in ipairs(fastpix_names) do
    it("is an error when it is a half alone, that names it and the missing one: " .. name, function()
      local other = name:find("KEY") and "FASTPIX_ACCESS_TOKEN_ID" or name == "FASTPIX_PASSWORD" and "FASTPIX_USERNAME"
        or name == "FASTPIX_USERNAME" and "FASTPIX_PASSWORD" or "FASTPIX_SECRET_KEY"
      local words = { name .. " is set", other .. " is not" }
      fails("fastpix", { [name] = "secret" }, nil, words)
      words[1] = name .. "_FILE is set"
      fails("fastpix", { [name .. "_FILE"] = finding.file("secret") }, nil, words)
    end)
  end

  it("is never made of the halves of two pairs", function()
    fails("fastpix", { FASTPIX_USERNAME = "secret", FASTPIX_SECRET_KEY = "secret" })
    fails("fastpix", { FASTPIX_ACCESS_TOKEN_ID = "secret", FASTPIX_PASSWORD = "secret" })
    fails("fastpix", { FASTPIX_TOKEN_ID = "secret", FASTPIX_ACCESS_TOKEN = "secret", FASTPIX_PASSWORD = "secret" })
  end)

  it("is read at the call, not at require", function()
    local child = finding.run([[
      local read = {}
      local getenv = os.getenv
      os.getenv = function(name) read[#read + 1] = name return getenv(name) end
      local mediastop = require("mediastop")
      mediastop.new()
      assert(#read == 0, read[1])
    ]], { MEMORIES_API_KEY = "x" })
    assert.are.equal("", child.stderr)
    assert.are.equal(0, child.status)
  end)
end)

describe("a file named by the environment", function()
  local function with(path)
    return { MEMORIES_API_KEY_FILE = path }
  end

  local endings = {
    [""] = "value", ["\n"] = "value", ["\r\n"] = "value",
    ["\n\n"] = false, ["\n\r\n"] = false, ["\n "] = false, ["\0"] = false, ["\n\0"] = false,
  }

  for ending, value in pairs(endings) do
    local shown = ending:gsub("%c", function(byte) return ("<%d>"):format(byte:byte()) end)

    it(("with '%s' at its end %s"):format(shown, value and "loses no more" or "is an error"), function()
      if value then
        assert.are.equal(value, sent("memories", with(finding.file("value" .. ending))))
      else
        fails("memories", with(finding.file("secret" .. ending)), nil, "MEMORIES_API_KEY_FILE")
      end
    end)
  end

  it("may be open to all, and a link", function()
    local path = finding.file("value", "644")
    assert.are.equal("value", sent("memories", with(path)))
    os.execute(("ln -s %s %s.link"):format(path, path))
    assert.are.equal("value", sent("memories", with(path .. ".link")))
  end)

  local function made(command)
    local path = finding.path()
    os.execute(command:format(path))
    return path
  end

  local broken = {
    { "is not there", function() return finding.path() end, "does not exist" },
    { "is a folder", function() return made("mkdir %s") end, "is no regular file" },
    { "is a pipe nobody writes to", function() return made("mkfifo %s") end, "is no regular file" },
    { "is a device", function() return "/dev/zero" end, "is no regular file" },
    { "is a link to itself", function() return made("path=%s; ln -s $path $path") end, "cannot be read" },
    { "is over 64 KiB", function() return finding.file(("secret"):rep(10923)) end, "is over 64 KiB" },
    { "never ends", function() return "/proc/self/mem" end, "cannot be read" },
  }

  for _, case in ipairs(broken) do
    it("is an error that says why when it " .. case[1], function()
      local path = case[2]()
      fails("memories", with(path), nil, { "MEMORIES_API_KEY_FILE", path .. " " .. case[3] })
    end)
  end

  it("that fails is not made good by another name or source", function()
    local environment = with(finding.path())
    environment.MAVI_API_KEY = "secret"
    environment.CREDENTIALS_DIRECTORY = finding.folder({ memories_api_key = "secret" })
    fails("memories", environment)
  end)
end)
