local mime = require("mime")
local support = require("spec.support")

local emulator = support.emulator()
local given = emulator.credentials

local secrets = {
  memories = { given.memories.api_key },
  screenplay = { given.memories.api_key },
  emogg = { given.emogg.token, "Bearer " .. given.emogg.token },
  fastpix = { given.fastpix.password, given.fastpix.username .. ":" .. given.fastpix.password,
    mime.b64(given.fastpix.username .. ":" .. given.fastpix.password) },
}

-- Fails if any string of the value, keys included, holds the word.
local function assert_free(value, word, where)
  if type(value) == "string" then
    assert.is_nil(value:find(word, 1, true), where .. " holds the credential: " .. value)
  elseif type(value) == "table" then
    for key, item in pairs(value) do
      assert_free(key, word, where .. " key")
      assert_free(item, word, where .. "." .. tostring(key))
    end
  end
end

describe("a provider that echoes the credential", function()
  local client

  setup(function() client = support.client({ attempts = 1 }) end)
  teardown(function() client:close() end)

  local function assert_masked(provider, ...)
    for _, answer in ipairs({ ... }) do
      for _, secret in ipairs({ given.memories.api_key, given.emogg.token, given.fastpix.password,
        mime.b64(given.fastpix.username .. ":" .. given.fastpix.password) }) do
        assert_free(answer, secret, provider)
      end
    end
  end

  for _, operation in ipairs(support.operations) do
    local provider = operation.provider

    for _, secret in ipairs(secrets[provider]) do
      local shape = secret:sub(1, 12) .. "..."

      it(("in a success has it replaced: %s, %s"):format(operation.full, shape), function()
        local body = ('{"success":true,"code":200,"message":"for %s ok","deep":[{"%s":"x%sx"}]}')
          :format(secret, secret, secret)
        local _, result = support.answered(client, provider, { body = body })
        assert_masked(provider, result)
        assert.is_truthy(result.body.message:find("^for .*%*%*%* ok$"))
        assert.is_truthy(result.raw:find("***", 1, true))
      end)

      it(("in an error has it replaced: %s, %s"):format(operation.full, shape), function()
        local bodies = {
          '{"code":401,"msg":"bad key %s!"}', '{"error":{"code":"%s","message":"bad key %s!"}}',
          '{"error":true,"status":401,"message":"bad key %s!"}', "<html>bad key %s!</html>", "bad key %s!", "%s",
        }
        for _, status in ipairs({ 401, 500 }) do
          for _, body in ipairs(bodies) do
            local text = body:gsub("%%s", (secret:gsub("%%", "%%%%")))
            local _, result, message, err = support.answered(client, provider, { status = status, body = text })
            assert.is_nil(result)
            assert_masked(provider, message, err)
            assert.is_truthy(err.raw:find("***", 1, true))
            if err.detail then
              assert.is_truthy(err.detail:find("***", 1, true))
              assert.is_truthy(message:find("***", 1, true))
            end
          end
        end
      end)

      it(("in an answer that cannot be read has it replaced: %s, %s"):format(operation.full, shape), function()
        local bodies = { secret, "<" .. secret .. ">", secret .. secret, "{" .. secret, ("x"):rep(4090) .. secret,
          ("x"):rep(1000) .. secret .. "\0" .. secret }
        for _, body in ipairs(bodies) do
          local _, _, message, err = support.answered(client, provider, { body = body })
          assert.are.equal("protocol", err.kind)
          assert_masked(provider, message, err)
        end
      end)

      it(("in a header has it replaced: %s, %s"):format(operation.full, shape), function()
        local headers = { ["x-request-id"] = "id-" .. secret, ["cf-ray"] = secret, ["Retry-After"] = secret,
          ["Location"] = "https://mediastop-spec.invalid/" .. secret }
        for _, step in ipairs({ { status = 302 }, { status = 429, body = "{}" }, { body = "{}" }, { body = "[]" } }) do
          step.headers = headers
          assert_masked(provider, select(2, support.answered(client, provider, step)))
        end
      end)

      it(("in an answer that is cut short has it replaced: %s, %s"):format(operation.full, shape), function()
        for _, cut in ipairs({ { at = #secret + 4 }, { at = #secret + 4, chunked = true } }) do
          cut.status, cut.body = 200, "key " .. secret .. " and more"
          assert_masked(provider, select(2, support.answered(client, provider, { cut = cut })))
        end
        for kept = 4, secret:find("[ :]") and 0 or #secret - 1 do
          local answer = "bad key " .. secret:sub(1, kept)
          local raw = ("HTTP/1.1 401 No\r\nContent-Length: 900\r\n\r\n%s"):format(answer)
          local _, _, _, err = support.answered(client, provider, { raw = raw })
          assert.are.equal("bad key ***", err.raw)
        end
        local raw = "HTTP/1.1 200 " .. secret .. "\r\nContent-Length: 2\r\n\r\n{}"
        assert_masked(provider, select(2, support.answered(client, provider, { raw = raw })))
        assert_masked(provider, select(2, support.answered(client, provider, { raw = secret .. "\r\n\r\n" .. secret })))
      end)
    end
  end

  it("has it replaced where it is cut within escapes, and where an answer ends with its connection", function()
    local key = 'sk/mavi"0123\195\169456\240\159\152\128789'
    local as_json = { '"', '\\"', "/", "\\/", "\195\169", "\\u00e9", "\240\159\152\128", "\\ud83d\\ude00" }
    local escaped = key
    for i = 1, #as_json, 2 do
      escaped = escaped:gsub(as_json[i], (as_json[i + 1]:gsub("%%", "%%%%")))
    end
    local every = key:gsub("[%w/\"]", function(c) return ("\\u%04X"):format(c:byte()) end)
    -- What comes ahead of the body, and from how many bytes of the echo on four of the key are in it.
    for _, head in ipairs({ "HTTP/1.1 401 No\r\nContent-Length: 900\r\n\r\n", "HTTP/1.0 401 No\r\n\r\n" }) do
      for echo, least in pairs({ [key] = 4, [escaped] = 5, [every] = 24 }) do
        for kept = least, #echo do
          local id = support.id()
          emulator:faults(id, { { raw = head .. '{"m":"' .. echo:sub(1, kept) } })
          local _, _, err = client.fastpix.finish(id, { credentials = { username = "nobody", password = key } })
          assert.are.equal('{"m":"***', err.raw)
        end
      end
    end
  end)

  -- PHP writes a slash as \/, others write what they like as \u002d.
  it("as JSON escapes has it replaced in what is decoded too", function()
    local key = "sk-mavi/0123+456/789"
    for _, status in ipairs({ 200, 401 }) do
      for _, escaped in ipairs({ (key:gsub("/", "\\/")), (key:gsub("-", "\\u002d")) }) do
        local body = ('{"code":%d,"message":"bad key %s"}'):format(status, escaped)
        local id = support.id()
        emulator:faults(id, { { status = status, body = body } })
        local result, message, err = client.memories.stop(id, { credentials = { api_key = key } })
        assert_free({ result and result.body or {}, message, err and { err.detail, err.body } }, key, "answer")
      end
    end
  end)

  -- PHP and Python write what is beyond ASCII as \u00e4, and what is beyond the first plane as two of these.
  it("as JSON escapes it beyond ASCII has it replaced", function()
    local password = "p\195\164ssword-0123-\226\130\172-\240\157\132\158"
    local escaped = "p\\u00e4ssword-0123-\\u20AC-\\ud834\\udd1e"
    for _, status in ipairs({ 200, 403 }) do
      local id = support.id()
      emulator:faults(id, { { status = status, body = ('{"success":false,"message":"bad key %s!"}'):format(escaped) } })
      local credentials = { username = "user-0123", password = password }
      local _, message, err = client.fastpix.finish(id, { credentials = credentials })
      assert_free({ message, err }, password, "answer")
      assert_free({ message, err }, escaped, "answer")
      assert.are.equal("bad key ***!", err.detail)
    end
    local latin = "p\228ssword-0123"
    local id = support.id()
    emulator:faults(id, { { status = 403, body = '{"message":"bad key p\\u00e4ssword-0123!"}' } })
    local _, _, err = client.fastpix.finish(id, { credentials = { username = "user-0123", password = latin } })
    assert.are.equal("bad key ***!", err.detail)
  end)

  it("of the call, not the client's, has it replaced", function()
    local id = support.id()
    emulator:faults(id, { { status = 401, body = '{"msg":"bad key key-of-the-call-1234"}' } })
    local _, message, err = client.memories.stop(id, { credentials = { api_key = "key-of-the-call-1234" } })
    assert_free(err, "key-of-the-call", "err")
    assert.is_truthy(message:find("bad key ***", 1, true))
  end)
end)
