local finding = require("spec.support.finding")

local sent, fails, folder = finding.sent, finding.fails, finding.folder

local function with(contents)
  return { CREDENTIALS_DIRECTORY = type(contents) == "table" and folder(contents) or contents }
end

describe("a credential of systemd's", function()
  local found = {
    memories = { { memories_api_key = "value" }, "value" },
    screenplay = { { memories_api_key = "value" }, "value" },
    emogg = { { emogg_api_token = "value" }, "Bearer value" },
    fastpix = { { fastpix_username = "id", fastpix_password = "key" }, finding.basic("id", "key") },
  }

  for provider, case in pairs(found) do
    it("is found for " .. provider .. ", and loses one line end", function()
      assert.are.equal(case[2], sent(provider, with(case[1])))
      local lines = {}
      for name, value in pairs(case[1]) do
        lines[name] = value .. "\n"
      end
      assert.are.equal(case[2], sent(provider, with(lines)))
    end)

    it("loses no second line end: " .. provider, function()
      local lines = {}
      for name in pairs(case[1]) do
        lines[name] = "secret\n\n"
      end
      fails(provider, with(lines), nil, "control byte")
    end)
  end

  it("stands under the first name of the environment's and no other", function()
    local others = { mavi_api_key = "secret", MEMORIES_API_KEY = "secret", memories_ai_api_key = "secret" }
    fails("memories", with(others), nil, "has no memories_api_key")
    fails("fastpix", with({ fastpix_token_id = "secret", fastpix_secret_key = "secret" }), nil,
      "has no fastpix_username")
  end)

  local halves = {
    { { fastpix_username = "secret" }, "has fastpix_username but no fastpix_password" },
    { { fastpix_password = "secret" }, "has fastpix_password but no fastpix_username" },
    { { fastpix_username = "secret", fastpix_password = "" }, "has fastpix_username but no fastpix_password" },
    { { fastpix_username = "\n", fastpix_password = "secret" }, "has fastpix_password but no fastpix_username" },
  }

  it("is an error when it is a half alone, that names both", function()
    for _, case in ipairs(halves) do
      fails("fastpix", with(case[1]), nil, case[2])
    end
  end)

  it("counts as unset when it is empty, and when the folder is not there", function()
    local path = finding.file('{"default":{"memories":{"api_key":"of-the-file"}}}')
    for _, directory in ipairs({ folder({ memories_api_key = "" }), folder({ memories_api_key = "\n" }), folder(), "",
      "/nonexistent" }) do
      assert.are.equal("of-the-file",
        sent("memories", { CREDENTIALS_DIRECTORY = directory, MEDIASTOP_CREDENTIALS_FILE = path }))
      fails("memories", { CREDENTIALS_DIRECTORY = directory }, nil, "$CREDENTIALS_DIRECTORY")
    end
  end)

  local broken = {
    { "mkdir %s", "is no regular file" },
    { "mkfifo %s", "is no regular file" },
    { "head -c 65537 /dev/zero >%s", "is over 64 KiB" },
    { "path=%s; ln -s $path $path", "cannot be read" },
  }

  for _, case in ipairs(broken) do
    it("is an error that says why: " .. case[2] .. ", " .. case[1]:match("%a+"), function()
      local directory = folder()
      local path = directory .. "/memories_api_key"
      os.execute(case[1]:format(path))
      fails("memories", { CREDENTIALS_DIRECTORY = directory }, nil, path .. " " .. case[2])
    end)
  end

  -- systemd's own have mode 0440.
  it("may be readable by others", function()
    local directory = folder({ memories_api_key = "value" })
    os.execute(("chmod 755 %s && chmod 444 %s/memories_api_key"):format(directory, directory))
    assert.are.equal("value", sent("memories", { CREDENTIALS_DIRECTORY = directory }))
  end)
end)
