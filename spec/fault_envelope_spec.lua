--- What an answer's JSON says: failures under a 200, and fields of every wrong type.
local fault = require("spec.support.fault")
local support = require("spec.support")
local json = require("cjson").new()

describe("a 200 that says failure is a failure:", function()
  local memories_success = '"message":"success","data":{"task_id":"ID","message":"Stream stopped successfully"}'
  for _, case in ipairs({
    { "memories", '{"code":400,"msg":"Invalid task_id","data":null}', "not_found", "400" },
    { "memories", '{"code":401,"msg":"Unauthorized","data":null}', "unauthorized", "401" },
    { "memories", '{"code":"0401","msg":"Unauthorized"}', "unauthorized", "0401" },
    { "memories", '{"code":"0402","msg":"Balance"}', "payment_required", "0402" },
    { "memories", '{"code":"0403","msg":"Forbidden"}', "forbidden", "0403" },
    { "memories", '{"code":"0409","msg":"Conflict"}', "invalid_request", "0409" },
    { "memories", '{"code":429,"msg":"Rate limit exceeded","data":null}', "rate_limited", "429" },
    { "memories", '{"code":"0429","msg":"Rate limit exceeded","data":null}', "rate_limited", "0429" },
    { "memories", '{"code":"0001","msg":"No static resource api.","success":false,"failed":true}', "rejected", "0001" },
    { "memories", '{"code":"9009","msg":"Permission denied"}', "rejected", "9009" },
    { "memories", '{"code":16,"msg":"capacity reached"}', "rejected", "16" },
    { "memories", '{"code":-1,"msg":"Unknown"}', "rejected", "-1" },
    { "memories", '{"code":5000,"msg":"Internal"}', "rejected", "5000" },
    { "memories", '{"code":500,"msg":"Internal"}', "server", "500" },
    { "memories", '{"code":408,"msg":"Too slow"}', "timeout", "408" },
    { "memories", '{"code":200,"failed":true,' .. memories_success .. "}", "rejected" },
    { "memories", '{"code":200,"success":false,' .. memories_success .. "}", "rejected" },
    { "memories", '{"code":200,"error":"no",' .. memories_success .. "}", "rejected" },
    { "memories", '{"code":200,"error":{"message":"no"},' .. memories_success .. "}", "rejected" },
    { "memories", '{"status":500,"error":"Internal Server Error","path":"/x","requestId":"r"}', "server" },
    { "screenplay", '{"code":200,"data":{"task_id":"ID","status":"cancelled"},"failed":true,"success":true}',
      "rejected" },
    { "screenplay", '{"code":200,"data":{"task_id":"ID","status":"cancelled"},"failed":false,"success":false}',
      "rejected" },
    { "screenplay", '{"code":409,"msg":"Task is already completed","data":null,"failed":true,"success":false}',
      "not_active", "409" },
    { "screenplay", '{"code":400,"msg":"Task not found","data":null,"failed":true}', "not_found", "400" },
    { "screenplay", '{"code":400,"msg":"Only pending or running tasks","failed":true}', "not_active", "400" },
    { "emogg", '{"error":true,"status":400,"message":"The session is not active."}', "not_active" },
    { "emogg", '{"error":true,"status":401,"message":"Unauthorized"}', "unauthorized" },
    { "emogg", '{"error":true,"status":404,"message":"Missing"}', "not_found" },
    { "emogg", '{"error":true,"status":429,"message":"Slow"}', "rate_limited" },
    { "emogg", '{"error":true,"status":503,"message":"Busy"}', "server" },
    { "emogg", '{"error":true,"status":"401","message":"Unauthorized"}', "unauthorized", "401" },
    { "emogg", '{"error":true,"status":"0429","message":"Slow"}', "rate_limited", "0429" },
    { "emogg", '{"status":"503","message":"Busy"}', "server", "503" },
    { "emogg", '{"error":true,"status":"error","message":"no"}', "rejected" },
    { "emogg", '{"error":true,"message":"no"}', "rejected" },
    { "emogg", '{"_id":"ID","state":"finished","error":true}', "rejected" },
    { "fastpix", '{"success":false}', "rejected" },
    { "fastpix", '{"success":false,"error":{"code":401,"message":"unauthorized","description":"Invalid"}}',
      "unauthorized", "401" },
    { "fastpix", '{"success":false,"error":{"code":400,"message":"stream cannot be completed"}}', "not_active", "400" },
    { "fastpix", '{"success":false,"error":{"code":404,"message":"stream not found"}}', "not_found", "404" },
    { "fastpix", '{"success":false,"error":{"code":422,"message":"payload validation failed","fields":[]}}',
      "invalid_request", "422" },
    { "fastpix", '{"success":true,"error":{"code":500,"message":"x"}}', "server", "500" },
  }) do
    local provider, body, kind, code = case[1], case[2], case[3], case[4]
    it(provider .. " " .. body, function()
      local expected = { kind = kind, reached = "yes", status = 200, provider = provider }
      expected.name = "200 that says failure: " .. provider .. " " .. body
      local err = fault.on_emulator(expected, { body = body })
      if code then
        assert.are.equal(code, err.code)
      end
    end)
  end
end)

-- The envelopes of success and of failure, and which of their fields say the success: with another value of a wrong
-- type there, nobody has said it.
local envelopes = {
  memories = {
    success = { code = 200, message = "success", msg = "success", data = { task_id = "ID", message = "stopped" } },
    decisive = { "code" },
    failure = { code = 400, msg = "Task not found", message = "Task not found", data = json.null },
    kind = "not_found",
    status = 400,
  },
  screenplay = {
    success = { code = 200, msg = "success", data = { task_id = "ID", status = "cancelled" }, failed = false,
      success = true },
    decisive = { "data", "data.status" },
    failure = { code = 409, msg = "Task is already completed", data = json.null, failed = true, success = false },
    kind = "not_active",
    status = 409,
  },
  emogg = {
    success = { _id = "ID", name = "x", state = "finished", duration = 120, meta = { workerState = "working" },
      product = "p", version = 3 },
    decisive = { "state" },
    failure = { error = true, status = 404, message = "Missing" },
    kind = "not_found",
    status = 404,
  },
  fastpix = {
    success = { success = true },
    decisive = { "success" },
    failure = { success = false, error = { code = 404, message = "stream not found", description = "None" } },
    kind = "not_found",
    status = 404,
  },
}

-- Beside the fields of the envelope itself: those of the others.
local foreign = { "code", "message", "msg", "data", "data.task_id", "data.status", "data.message", "success", "failed",
  "error", "error.code", "error.message", "error.description", "error.fields", "status", "state", "_id" }

local values = {
  { "true", true }, { "false", false }, { "null", json.null }, { "a number", 7 }, { "a fraction", -1.5 },
  { "an empty text", "" }, { "a text", "x" }, { "a long text", ("é\n"):rep(5000) }, { "an empty object", {} },
  { "an array", { "x", { "y" }, json.null } }, { "an object", { code = { 1 }, message = { 2 }, status = {} } },
}

-- A copy with the value at a dotted path; nil where the way there is no object.
local function with(envelope, path, value)
  local copy = support.copy(envelope)
  local at, last = copy, path
  local first, second = path:match("^([^.]+)%.(.+)$")
  if first then
    at[first] = type(at[first]) == "table" and at[first] or {}
    at, last = at[first], second
  end
  at[last] = value
  return copy
end

local function is_of(list, word)
  for _, one in ipairs(list) do
    if one == word then
      return true
    end
  end
  return false
end

local known = {}
for kind in ("unauthorized payment_required forbidden not_found not_active invalid_request rate_limited rejected "
  .. "server timeout protocol"):gmatch("%S+") do
  known[kind] = true
end

local function check_shape(err, message, about)
  assert.are.equal(message, err.message, about)
  assert.is_true(known[err.kind], about)
  assert.are.equal("yes", err.reached, about)
  assert.are.equal(1, err.attempts, about)
  assert.is_nil(message:find("[%c]"), about)
  for _, field in ipairs({ "code", "detail" }) do
    assert.is_true(err[field] == nil or type(err[field]) == "string", about)
  end
  assert.is_true(err.fields == nil or type(err.fields) == "table", about)
end

-- Calls check(path, name, value, ...) for the outcome of each envelope with one field of a wrong type.
local function for_each_wrong_type(provider, envelope, status, check)
  local client, id, steps, cases = support.client(), support.id(provider), {}, {}
  envelope = support.copy(envelope)
  for _, path in ipairs(foreign) do
    for _, value in ipairs(values) do
      local body = json.encode(with(envelope, path, value[2])):gsub('"ID"', '"' .. id .. '"')
      steps[#steps + 1] = { status = status, body = body }
      cases[#cases + 1] = { path, value[1], value[2], body }
    end
  end
  support.emulator():faults(id, steps)
  for _, case in ipairs(cases) do
    check(case, support.call(client, provider, id, { attempts = 1 }))
  end
  fault.check_next_call(client)
  client:close()
end

describe("a field of a wrong type", function()
  -- Both "yes" and "no" are said by these; which counts is nobody's promise.
  local function is_decisive_and_wrong(provider, case)
    return is_of(envelopes[provider].decisive, case[1]) and not (case[1] == "success" and case[3] == true)
  end

  for _, provider in ipairs(support.keys(envelopes)) do
    it("of a success of " .. provider .. " never makes it say more than it did", function()
      for_each_wrong_type(provider, envelopes[provider].success, 200, function(case, result, message, err)
        local about = case[1] .. " = " .. case[2]
        if not result then
          return check_shape(err, message, about)
        end
        assert.is_true(is_of({ "ended", "accepted" }, result.outcome), about)
        assert.is_true(type(result.state) == "string" or result.state == nil, about)
        if is_decisive_and_wrong(provider, case) then
          assert.are.equal("accepted", result.outcome, about)
          assert.is_false(result.confirmed, about)
        end
        assert.is_false(case[1] == "failed" and case[3] == true, about)
        assert.is_false(case[1] == "success" and case[3] == false, about)
      end)
    end)

    it("of a failure of " .. provider .. " changes nothing about its kind", function()
      local envelope = envelopes[provider]
      for_each_wrong_type(provider, envelope.failure, envelope.status, function(case, result, message, err)
        local about = case[1] .. " = " .. case[2]
        assert.is_nil(result, about)
        check_shape(err, message, about)
        assert.are.equal(envelope.kind, err.kind, about)
        assert.are.equal(envelope.status, err.status, about)
      end)
    end)
  end
end)
