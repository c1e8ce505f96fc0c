--- `memories.callback`: what Memories.ai posts when a stream ends, in every shape that its pages give.
local core = require("mediastop.core")
local mediastop = require("mediastop")
local support = require("spec.support")

local callback = mediastop.memories.callback

local stop = '{"code":200,"message":"SUCCESS","task_id":"t-1","data":{"status":14,"message":"Stopped by the user",'
  .. '"data":null,"token":null}}'

local function good(body)
  local result, message = callback(body)
  assert.is_table(result, message)
  return result
end

local function refused(body, words)
  local result, message, err = callback(body)
  assert.is_nil(result)
  assert.is_string(message)
  assert.is_nil(message:find("%c"))
  assert.are.equal("protocol", err.kind)
  assert.are.equal(message, err.message)
  assert.are.equal("memories", err.provider)
  assert.are.equal("callback", err.operation)
  assert.is_false(err.retryable)
  assert.are.equal("memories.callback: protocol: ", message:sub(1, 29))
  assert.is_truthy(message:find(words, 1, true), message)
end

describe("memories.callback reads", function()
  it("the end of a stream", function()
    local result = good(stop)
    assert.are.equal("t-1", result.id)
    assert.are.equal("200", result.code)
    assert.are.equal(14, result.status)
    assert.is_true(support.is_whole(result.status))
    assert.is_true(result.ended)
    assert.are.equal("stopped_by_user", result.state)
    assert.are.equal("Stopped by the user", result.message)
    assert.are.equal("t-1", result.body.task_id)
    assert.are.equal(mediastop.null, result.body.data.data)
    assert.are.equal(1, select("#", callback(stop)))
  end)

  it("the end of an audio stream", function()
    local result = good('{"code":200,"message":"SUCCESS","task_id":"t-2","data":{"segment_index":7,'
      .. '"segment_start_time":"00:35","segment_end_time":"00:40","status":14,"message":"Stopped","transcript":null}}')
    assert.is_true(result.ended)
    assert.are.equal("t-2", result.id)
    assert.are.equal(7, result.body.data.segment_index)
  end)

  it("a segment, which ends nothing", function()
    local result = good('{"code":200,"message":"SUCCESS","task_id":"t-3","data":{"status":0,"message":"ok","data":'
      .. '{"segment_index":1,"start_time":"0","end_time":"5","video_url":"https://x.example/1.mp4",'
      .. '"content_moderation":{"has_unsafe_content":false}}}}')
    assert.is_false(result.ended)
    assert.are.equal(0, result.status)
    assert.is_nil(result.state)
    assert.are.equal("ok", result.message)
    assert.is_false(result.body.data.data.content_moderation.has_unsafe_content)
  end)

  it("every other status as a number without a state", function()
    for _, status in ipairs({ -1, 0, 1, 13, 15, 16, 1001, 2001, 5000, 140, 1414 }) do
      local result = good(('{"task_id":"t","data":{"status":%d}}'):format(status))
      assert.are.equal(status, result.status)
      assert.is_true(support.is_whole(result.status))
      assert.is_false(result.ended)
      assert.is_nil(result.state)
    end
  end)

  it("a status that is a string, or a number with a fraction of nought", function()
    for _, status in ipairs({ '"14"', "14.0", "1.4e1", "14e0" }) do
      local result = good('{"task_id":"t","data":{"status":' .. status .. "}}")
      assert.are.equal(14, result.status)
      assert.is_true(support.is_whole(result.status))
      assert.is_true(result.ended)
    end
    assert.are.equal(-1, good('{"task_id":"t","data":{"status":"-1"}}').status)
  end)

  it("no status where there is none", function()
    for _, status in ipairs({
      "null", '""', '"stopped"', '"0x0e"', '" 14"', '"14 "', '"1e1"', '"-"', "14.5", "true", "{}", "[14]", "1e300",
      '"99999999999999999999"', '"14\\u0000"',
    }) do
      local result = good('{"task_id":"t","data":{"status":' .. status .. "}}")
      assert.is_nil(result.status)
      assert.is_false(result.ended)
      assert.is_nil(result.state)
    end
  end)

  it("a callback whose data is null, missing, or something else", function()
    for _, data in ipairs({ "null", "[]", '"x"', "14", "false" }) do
      local result = good('{"code":500,"message":"Failed","task_id":"t","data":' .. data .. "}")
      assert.is_nil(result.status)
      assert.is_false(result.ended)
      assert.are.equal("Failed", result.message)
      assert.are.equal("500", result.code)
    end
    assert.is_false(good('{"task_id":"t"}').ended)
  end)

  it("a code of any form as text", function()
    for json, text in pairs({
      ["200"] = "200", ["200.0"] = "200", ['"200"'] = "200", ['"0000"'] = "0000", ['"0429"'] = "0429", ["0"] = "0",
      ["-1"] = "-1", ["5000"] = "5000",
    }) do
      assert.are.equal(text, good('{"task_id":"t","code":' .. json .. "}").code)
    end
    for _, json in ipairs({ "null", "true", "{}", "[]" }) do
      assert.is_nil(good('{"task_id":"t","code":' .. json .. "}").code)
    end
    assert.is_nil(good('{"task_id":"t","status":14}').code)
  end)

  it("the message of data, else the envelope's, by either of its names", function()
    assert.are.equal("inner", good('{"task_id":"t","message":"outer","data":{"message":"inner"}}').message)
    assert.are.equal("outer", good('{"task_id":"t","message":"outer","data":{"message":""}}').message)
    assert.are.equal("outer", good('{"task_id":"t","message":"outer","data":{"message":null}}').message)
    assert.are.equal("outer", good('{"task_id":"t","msg":"outer","data":{"message":5}}').message)
    assert.is_nil(good('{"task_id":"t"}').message)
  end)

  it("a message as one line, the whole of it in body", function()
    local result = good('{"task_id":"t","data":{"message":"a\\r\\nb\\u0000\\u001b[1m\\u2028c"}}')
    assert.is_nil(result.message:find("%c"))
    assert.are.equal("a\r\nb", result.body.data.message:sub(1, 4))
    assert.is_true(#good('{"task_id":"t","message":"' .. ("x"):rep(10000) .. '"}').message <= 503)
  end)

  it("an id from data, and one that is a number", function()
    assert.are.equal("inner", good('{"data":{"task_id":"inner","status":14}}').id)
    assert.are.equal("outer", good('{"task_id":"outer","data":{"task_id":"inner"}}').id)
    assert.are.equal("123456789012345", good('{"task_id":123456789012345}').id)
    assert.are.equal(("x"):rep(255), good('{"task_id":"' .. ("x"):rep(255) .. '"}').id)
  end)

  it("a status beside data, where data has none", function()
    assert.is_true(good('{"task_id":"t","status":14}').ended)
    assert.is_false(good('{"task_id":"t","status":14,"data":{"status":0}}').ended)
  end)

  it("a body with a byte order mark, or white space around it", function()
    for _, body in ipairs({ "\239\187\191" .. stop, " \r\n\t" .. stop .. "\n" }) do
      assert.is_true(good(body).ended)
    end
  end)

  it("a body of 1 MiB", function()
    local front = '{"task_id":"t","data":{"status":14},"x":"'
    assert.is_true(good(front .. ("x"):rep(1024 * 1024 - #front - 2) .. '"}').ended)
  end)

  it("what the two names of the module give", function()
    assert.is_true(core.memories.callback(stop).ended)
    assert.are.equal(callback, require("mediastop.memories").callback)
    local client = mediastop.new()
    assert.is_true(client.memories.callback(stop).ended)
    client:close()
    assert.is_true(client.memories.callback(stop).ended)
  end)
end)

describe("memories.callback refuses", function()
  it("what is no JSON object", function()
    for _, body in ipairs({
      "", " ", "null", "true", "14", '"t-1"', "[]", "[" .. stop .. "]", stop:sub(1, -2), stop .. "x", stop .. "\0",
      "task_id=t-1&status=14", "<html>", "{task_id:1}", "\0", "\255\254{\0}\0", "{'task_id':'t'}",
    }) do
      refused(body, "no JSON object")
    end
  end)

  it("what is nested over 100 levels, or over 1 MiB", function()
    refused('{"task_id":"t","x":' .. ("["):rep(100) .. ("]"):rep(100) .. "}", "nested too deeply")
    refused(("["):rep(1024 * 1024), "no JSON object")
    refused(stop .. (" "):rep(1024 * 1024), "over 1 MiB")
  end)

  it("what names no task, or one that cannot be", function()
    for _, body in ipairs({
      "{}", '{"code":200}', '{"task_id":null}', '{"task_id":""}', '{"task_id":{}}', '{"task_id":true}',
      '{"task_id":"a\\nb"}', '{"task_id":"a\\u0000b"}', '{"task_id":"' .. ("x"):rep(256) .. '"}',
      '{"data":{"status":14}}', '{"id":"t"}', '{"task_id":9007199254740992}', '{"task_id":1e20}', '{"task_id":1.5}',
      '{"task_id":-1}',
    }) do
      refused(body, "names no task")
    end
  end)

  it("and raises on what is no string", function()
    for _, body in ipairs({ 42, true, {}, print }) do
      local fine, message = pcall(callback, body)
      assert.is_false(fine)
      assert.is_truthy(message:find("bad argument #1 to 'callback' (string expected, got " .. type(body), 1, true))
    end
    local fine, message = pcall(callback)
    assert.is_false(fine)
    assert.is_truthy(message:find("bad argument #1 to 'callback' (string expected, got nil)", 1, true), message)
  end)
end)
