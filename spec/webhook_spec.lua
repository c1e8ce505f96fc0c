--- `fastpix.webhook`: the signature of an event, and the event.
local core = require("mediastop.core")
local mediastop = require("mediastop")
local mime = require("mime")
local rooms = require("rooms")
local support = require("spec.support")
local system = require("spec.emulator.system")

local webhook = mediastop.fastpix.webhook

local KEY = "0123456789abcdef0123456789ABCDEF\0\1\2\255"
local SECRET = mime.b64(KEY)
local OLD_SECRET = mime.b64("the one before it")

local idle = '{"type":"video.live_stream.idle","object":{"type":"live_stream","id":"91a264dcc447b63da6fb79ef925cd76d"},'
  .. '"id":"event-1","workspace":{"id":"w-1","name":"Development"},"status":"idle","data":{"streamId":'
  .. '"91a264dcc447b63da6fb79ef925cd76d","status":"idle"},"createdAt":"2026-11-25T10:00:00.000Z","attempts":[]}'

-- OpenSSL signs, so that the hash is not judged by itself.
local function openssl_sign(body, key)
  local path = support.scratch("webhook.body")
  system.write_file(path, body)
  local hex = key:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
  return system.capture(("openssl dgst -sha256 -mac HMAC -macopt hexkey:%s -binary %s | openssl base64 -A"):format(hex,
    system.quote(path)))
end

local function sign(body, secret)
  return (mime.b64(rooms.hmac(mime.unb64(secret or SECRET), body)))
end

local function good(body, secret)
  local event, message = webhook(body, sign(body), secret or SECRET)
  assert.is_table(event, message)
  return event
end

local function refused(kind, words, ...)
  local event, message, err = webhook(...)
  assert.is_nil(event)
  assert.is_string(message)
  assert.is_nil(message:find("%c"))
  assert.are.equal(kind, err.kind, message)
  assert.are.equal(message, err.message)
  assert.are.equal("fastpix", err.provider)
  assert.are.equal("webhook", err.operation)
  assert.is_false(err.retryable)
  assert.is_truthy(message:find("fastpix.webhook: " .. kind .. ": ", 1, true), message)
  assert.is_truthy(message:find(words, 1, true), message)
  for _, secret in ipairs({ SECRET, OLD_SECRET, KEY }) do
    assert.is_nil(message:find(secret, 1, true))
  end
end

describe("fastpix.webhook verifies", function()
  it("what OpenSSL signs, of every length", function()
    for _, body in ipairs({ idle, "{}", '{"id":"' .. ("x"):rep(1000) .. '"}', '{"type":"\195\188\\u0000"}' }) do
      local event, message = webhook(body, openssl_sign(body, KEY), SECRET)
      assert.is_table(event, message)
    end
    local long = ("k"):rep(200)
    assert.is_table(webhook(idle, openssl_sign(idle, long), (mime.b64(long))))
    local signature = sign(idle)
    assert.are.equal(44, #signature)
    assert.are.equal(openssl_sign(idle, KEY), signature)
  end)

  it("by one of two secrets, whichever is first", function()
    for _, secrets in ipairs({
      { SECRET, OLD_SECRET }, { OLD_SECRET, SECRET }, { SECRET }, { OLD_SECRET, SECRET, "YQ==" },
    }) do
      assert.are.equal("event-1", good(idle, secrets).id)
    end
    refused("unauthorized", "not that of this body", idle, sign(idle), { OLD_SECRET, OLD_SECRET })
  end)

  it("a secret and a signature with white space around them, or without padding", function()
    for _, secret in ipairs({ SECRET .. "\n", " " .. SECRET .. "\r\n", (SECRET:gsub("=", "")),
      (SECRET:gsub("+", "-"):gsub("/", "_")) }) do
      assert.is_table((webhook(idle, sign(idle), secret)))
    end
    for _, signature in ipairs({ " " .. sign(idle), sign(idle) .. "\r\n", (sign(idle):gsub("=", "")) }) do
      assert.is_table((webhook(idle, signature, SECRET)))
    end
  end)

  it("every bit of the body", function()
    local signature = sign(idle)
    for i = 1, #idle, 7 do
      local other = idle:sub(1, i - 1) .. string.char((idle:byte(i) + 1) % 256) .. idle:sub(i + 1)
      refused("unauthorized", "not that of this body", other, signature, SECRET)
    end
    for _, other in ipairs({ idle .. " ", idle .. "\n", " " .. idle, idle:sub(1, -2), idle .. "\0" }) do
      refused("unauthorized", "not that of this body", other, signature, SECRET)
    end
  end)

  it("every bit of the signature", function()
    local digest = rooms.hmac(KEY, idle)
    for i = 1, #digest do
      for bit = 0, 7 do
        local byte = digest:byte(i)
        local flipped = math.floor(byte / 2 ^ bit) % 2 == 1 and byte - 2 ^ bit or byte + 2 ^ bit
        local other = digest:sub(1, i - 1) .. string.char(flipped) .. digest:sub(i + 1)
        refused("unauthorized", "not that of this body", idle, (mime.b64(other)), SECRET)
      end
    end
  end)

  it("the form of the signature", function()
    local signature = sign(idle)
    for _, other in ipairs({
      "x", "=", signature:sub(1, 40), signature .. "AAAA", signature .. signature, "t=1,v1=" .. signature,
      "sha256=" .. signature, (mime.b64(rooms.hmac(KEY, idle):sub(1, 31))),
      signature:sub(1, 20) .. "\0" .. signature:sub(21), ("A"):rep(1000000),
    }) do
      refused("unauthorized", "the signature is not", idle, other, SECRET)
    end
    local hex = rooms.hmac(KEY, idle):gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
    refused("unauthorized", "the signature is not", idle, hex, SECRET)
  end)

  it("nothing by the secret's own text in place of its bytes", function()
    refused("unauthorized", "not that of this body", idle, (mime.b64(rooms.hmac(SECRET, idle))), SECRET)
  end)

  it("that there is a signature", function()
    for _, body in ipairs({ idle, '{"type":"x"}', '{"id":"x"}', "[]", "x", '{"x":"' .. ("x"):rep(2000) .. '"}' }) do
      refused("unauthorized", "not signed", body, nil, SECRET)
      refused("unauthorized", "not signed", body, "", SECRET)
    end
  end)
end)

describe("fastpix.webhook reads", function()
  it("the end of a stream", function()
    local event = good(idle)
    assert.are.equal("video.live_stream.idle", event.type)
    assert.are.equal("event-1", event.id)
    assert.are.same({ type = "live_stream", id = "91a264dcc447b63da6fb79ef925cd76d" }, event.object)
    assert.are.equal("91a264dcc447b63da6fb79ef925cd76d", event.stream_id)
    assert.are.equal("idle", event.state)
    assert.is_true(event.ended)
    assert.is_false(event.probe)
    assert.are.equal("2026-11-25T10:00:00.000Z", event.created_at)
    assert.are.equal("idle", event.data.status)
    assert.are.equal("w-1", event.body.workspace.id)
    assert.are.equal(1, select("#", webhook(idle, sign(idle), SECRET)))
  end)

  it("which types are an end", function()
    for word, ended in pairs({
      idle = true, disabled = true, created = false, connected = false, preparing = false, active = false,
      recording = false, disconnected = false, updated = false, deleted = false, ["simulcast_target.updated"] = false,
      ["simulcast_target.idle"] = false, [""] = false, ["something.new"] = false,
    }) do
      local event = good(('{"type":"video.live_stream.%s","id":"e","data":{"status":"idle"}}'):format(word))
      assert.are.equal(ended, event.ended, word)
    end
    for _, other in ipairs({ "video.media.created", "video.media.idle", "idle", "live_stream.idle" }) do
      assert.is_false(good(('{"type":"%s","id":"e"}'):format(other)).ended)
    end
  end)

  it("the state by the type, else by data", function()
    local body = '{"type":"video.live_stream.%s","data":{"status":"%s"}}'
    assert.are.equal("active", good(body:format("active", "preparing")).state)
    assert.are.equal("disabled", good(body:format("disabled", "idle")).state)
    assert.are.equal("idle", good(body:format("created", "idle")).state)
    assert.is_nil(good('{"type":"video.live_stream.created"}').state)
  end)

  it("the stream of an event, and none of another object's", function()
    assert.are.equal("o", good('{"type":"video.live_stream.idle","object":{"id":"o"}}').stream_id)
    local both = '{"type":"video.live_stream.idle","object":{"id":"o"},"data":{"streamId":"d"}}'
    assert.are.equal("d", good(both).stream_id)
    assert.is_nil(good('{"type":"video.media.created","object":{"id":"o"}}').stream_id)
    assert.is_nil(good('{"type":"video.live_stream.simulcast_target.deleted","object":{"id":"o"}}').stream_id)
  end)

  it("the names of the pages as well as those of the SDK", function()
    local event = good('{"webhookId":"w","type":"video.live_stream.active","object":{"name":"live_stream","id":"o"},'
      .. '"created_at":"2026","environment":{"id":"e"}}')
    assert.are.equal("w", event.id)
    assert.are.equal("live_stream", event.object.type)
    assert.are.equal("2026", event.created_at)
  end)

  it("what it does not know, as it came", function()
    for _, body in ipairs({
      '{"type":5,"id":6,"object":null,"data":null}', '{"type":{},"id":"x","object":[],"data":"x"}', '{"id":"only"}',
      '{"type":"only"}', '{"type":"x","object":{"id":{}},"createdAt":true}',
    }) do
      local event = good(body)
      assert.is_false(event.ended)
      assert.is_false(event.probe)
      assert.is_table(event.object)
      assert.is_table(event.body)
    end
    local event = good('{"type":5,"id":6,"object":null,"data":null}')
    assert.are.equal("5", event.type)
    assert.are.equal("6", event.id)
    assert.is_nil(event.data)
  end)

  it("nothing signed that is no JSON object", function()
    for _, body in ipairs({ "[]", "null", "x", '{"id":"x"', '{"id":"x"}\0', '{"id":' .. ("["):rep(200) }) do
      refused("protocol", "no JSON object", body, sign(body), SECRET)
    end
  end)

  it("a body of 1 MiB, and no larger one", function()
    local body = '{"id":"' .. ("x"):rep(1024 * 1024 - 9) .. '"}'
    assert.are.equal(1024 * 1024, #body)
    assert.is_table(good(body))
    body = body .. " "
    refused("protocol", "over 1 MiB", body, sign(body), SECRET)
    refused("protocol", "over 1 MiB", body, nil, SECRET)
  end)
end)

describe("fastpix.webhook tells a probe apart:", function()
  local probes = { "", " \r\n", "{}", " {} ", "{\n}", '{"test":true}', '{"data":{"x":1}}', '{"id":null,"type":null}' }

  for _, body in ipairs(probes) do
    it(("%q"):format(body):gsub("\n", "n"), function()
      for _, signature in ipairs({ false, "", sign(body) }) do
        local event, message = webhook(body, signature or nil, SECRET)
        assert.are.same({ probe = true, ended = false }, event, message)
      end
      -- A signature that is wrong is none of FastPix's.
      refused("unauthorized", "not that of this body", body, sign("other"), SECRET)
    end)
  end

  it("no probe is over 1 KiB", function()
    local body = '{"x":"' .. ("x"):rep(1024) .. '"}'
    refused("unauthorized", "not signed", body, nil, SECRET)
  end)
end)

describe("fastpix.webhook and its secret:", function()
  it("one that is no base64, or empty, is an error of kind credentials that shows none of it", function()
    for _, secret in ipairs({ "not base64!", "abc de", "ab=c", "a", "ä", "A\0AA", ("A"):rep(2000) }) do
      refused("credentials", "secret 1 is no base64", idle, sign(idle), secret)
      local _, message = webhook(idle, sign(idle), secret)
      assert.is_true(#secret < 3 or message:find(secret, 1, true) == nil)
      refused("credentials", "secret 2 is no base64", idle, sign(idle), { SECRET, secret })
      refused("credentials", "secret 1 is no base64", "{}", nil, secret)
    end
    for _, secret in ipairs({ "", "  ", "\n", "==" }) do
      local words = secret == "==" and "secret 1 is no base64" or "secret 1 is empty"
      refused("credentials", words, idle, sign(idle), secret)
    end
  end)

  it("one of another type is misuse", function()
    for _, secret in ipairs({ 42, true, print }) do
      local fine, message = pcall(webhook, idle, sign(idle), secret)
      assert.is_false(fine)
      assert.is_truthy(message:find("bad argument #3 to 'webhook' (string or list of strings expected, got "
        .. type(secret), 1, true), message)
    end
    assert.is_truthy(select(2, pcall(webhook, idle, sign(idle))):find("#3 to 'webhook'", 1, true))
    for _, list in ipairs({ {}, { 1 }, { SECRET, false }, { SECRET, SECRET, {} }, { secret = SECRET } }) do
      local fine, message = pcall(webhook, idle, sign(idle), list)
      assert.is_false(fine)
      assert.is_truthy(message:find("bad argument #3 to 'webhook' (", 1, true), message)
      assert.is_nil(message:find(SECRET, 1, true))
    end
    local many = {}
    for i = 1, 9 do
      many[i] = SECRET
    end
    assert.is_false((pcall(webhook, idle, sign(idle), many)))
    many[9] = nil
    assert.is_table((webhook(idle, sign(idle), many)))
  end)
end)

describe("fastpix.webhook raises on", function()
  it("a body that is no string", function()
    for _, body in ipairs({ 42, true, {}, print }) do
      local fine, message = pcall(webhook, body, "x", SECRET)
      assert.is_false(fine)
      assert.is_truthy(message:find("bad argument #1 to 'webhook' (string expected, got " .. type(body), 1, true))
    end
  end)

  it("a signature that is neither a string nor nil", function()
    for _, signature in ipairs({ 42, true, {}, print }) do
      local fine, message = pcall(webhook, idle, signature, SECRET)
      assert.is_false(fine)
      assert.is_truthy(message:find("bad argument #2 to 'webhook' (string or nil expected, got " .. type(signature), 1,
        true))
    end
  end)
end)

it("fastpix.webhook is there under all its names", function()
  assert.is_true(core.fastpix.webhook(idle, sign(idle), SECRET).ended)
  assert.are.equal(webhook, require("mediastop.fastpix").webhook)
  local client = mediastop.new()
  assert.is_true(client.fastpix.webhook(idle, sign(idle), SECRET).ended)
  client:close()
end)
