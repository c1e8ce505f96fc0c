local cjson = require("cjson")
local support = require("spec.support")

local emulator = support.emulator()

local retryable = { rate_limited = true, server = true, dns = true, connect = true, network = true, timeout = true }

local html = "<!DOCTYPE html>\r\n<html><body><h1>Error</h1>\ncloudflare</body></html>\r\n"

local function deep(levels)
  return ('{"a":'):rep(levels - 1) .. "{}" .. ("}"):rep(levels - 1)
end

-- What is true of every error of a call, whatever its kind.
local function check(provider, id, kind, result, message, err)
  assert.is_nil(result)
  assert.are.equal(kind, err.kind, message)
  assert.is_string(message)
  assert.are.equal(message, err.message)
  assert.is_nil(message:find("%c"), "a control byte in the message")
  local operation = support.operation(provider)
  assert.are.equal(provider, err.provider)
  assert.are.equal(operation.name, err.operation)
  assert.are.equal(id, err.id)
  assert.are.equal(retryable[kind] or false, err.retryable)
  assert.is_true(support.is_whole(err.attempts))
  assert.is_number(err.elapsed)
  local front = ("%s %s: %s: "):format(operation.full, id:sub(1, 64), kind)
  if #id <= 64 and not id:find("%c") then
    assert.are.equal(front, message:sub(1, #front))
  end
  return err
end

local client

-- Calls for a fresh id that the provider answers as the step says, and checks the error that comes of it.
local function answered(provider, step, kind, options)
  local id, result, message, err = support.answered(client, provider, step, options)
  return check(provider, id, kind, result, message, err), id
end

describe("an error", function()
  setup(function() client = support.client({ attempts = 1 }) end)
  teardown(function() client:close() end)

  -- Where a status's kind is not the same for all: 400 and 409.
  local own_kinds = {
    [400] = { memories = "not_found", screenplay = "not_active", emogg = "not_active", fastpix = "invalid_request" },
    [409] = { memories = "invalid_request", screenplay = "not_active", emogg = "invalid_request",
      fastpix = "invalid_request" },
  }

  local kinds = {
    [401] = "unauthorized", [402] = "payment_required", [403] = "forbidden", [404] = "not_found",
    [405] = "invalid_request", [406] = "invalid_request", [408] = "timeout", [410] = "invalid_request",
    [415] = "invalid_request", [418] = "invalid_request", [422] = "invalid_request", [425] = "invalid_request",
    [429] = "rate_limited", [431] = "invalid_request", [451] = "invalid_request", [499] = "invalid_request",
    [500] = "server", [501] = "server", [502] = "server", [503] = "server", [504] = "server", [520] = "server",
    [522] = "server", [524] = "server", [529] = "server", [599] = "server",
    [300] = "redirect", [301] = "redirect", [302] = "redirect", [303] = "redirect", [305] = "redirect",
    [307] = "redirect", [308] = "redirect",
  }

  for _, operation in ipairs(support.operations) do
    local provider = operation.provider

    describe("of " .. operation.full, function()
      for status = 300, 599 do
        local kind = kinds[status] or own_kinds[status] and own_kinds[status][provider]
        if kind then
          it(("is %s for HTTP %d, whatever the body"):format(kind, status), function()
            local bodies = { "", html, "{", "\0", "[]", "null", '"text"', deep(101), "{}", { own = true } }
            for _, body in ipairs(bodies) do
              local step = { status = status, body = body }
              if body == "" or (body.own and status < 400) then
                step = { status = status, empty = true }
              elseif body.own then
                step = { status = status }
              end
              local err, id = answered(provider, step, kind)
              assert.are.equal(status, err.status)
              assert.is_true(support.is_whole(err.status))
              assert.are.equal("yes", err.reached)
              assert.are.equal(1, err.attempts)
              assert.are.equal(1, #emulator:requests(id))
              assert.is_string(err.raw)
              if type(body) == "string" then
                assert.are.equal(body, err.raw)
              end
              if body == "{}" then
                assert.are.same({}, err.body)
              elseif step.empty or body == html or body == "{" or body == "\0" or body == deep(101) then
                assert.is_nil(err.body)
                assert.is_nil(err.code)
                assert.is_nil(err.detail)
              elseif body.own then
                assert.are.same(cjson.decode(err.raw), err.body)
                assert.are.equal(tostring(status), err.code)
                assert.is_truthy(err.detail:lower():find("emulated fault", 1, true))
              end
            end
          end)
        end
      end

      it("keeps the status's kind when the body is over 1 MiB, and 4 KiB of it at most", function()
        for status, kind in pairs({ [403] = "forbidden", [500] = "server" }) do
          local err = answered(provider, { status = status, big = 1024 * 1024 + 1 }, kind)
          assert.are.equal(status, err.status)
          assert.is_true(#err.raw <= 4096)
          assert.is_nil(err.body)
        end
      end)

      it("keeps no more than 4 KiB of the answer in raw, and all of it in body", function()
        local err = answered(provider, { status = 403, big = 5000 }, "forbidden")
        assert.are.equal('{"padding":"' .. ("x"):rep(4096 - 12), err.raw)
        assert.are.equal(5000 - 14, #err.body.padding)
        assert.are.equal(4096, #answered(provider, { status = 403, big = 4096 }, "forbidden").raw)
      end)

      it("is unauthorized with a credential that the provider does not know", function()
        local others = { emogg = { token = "wrong" }, fastpix = { username = "wrong", password = "wrong" } }
        local wrong = others[provider] or { api_key = "wrong" }
        local id = support.id(provider)
        local before = emulator:state(provider, id)
        local err = check(provider, id, "unauthorized", support.call(client, provider, id, { credentials = wrong }))
        assert.are.equal("401", err.code)
        assert.are.equal(before, emulator:state(provider, id))
      end)

      it("is protocol for a 2xx that is no JSON object, and reached is yes", function()
        local bodies = {
          html, "OK", "{", '{"success":true', '{"success":true}}', '{"success":true} x', "[]", '[{"success":true}]',
          '"success"', "200", "true", "null", "\0", '{"success":true}\0', '{"success":true,\0"a":1}', deep(101),
          "{'success':true}", '{"success":true,"a":NaN}', '{"success":true,"a":0x10}',
        }
        for _, body in ipairs(bodies) do
          local err = answered(provider, { body = body }, "protocol")
          assert.are.equal("yes", err.reached)
          assert.are.equal(200, err.status)
          assert.are.equal(body, err.raw)
        end
      end)

      it("is protocol for a 2xx of over 1 MiB", function()
        local err = answered(provider, { big = 1024 * 1024 + 1 }, "protocol")
        assert.are.equal("yes", err.reached)
        assert.is_true(#err.raw <= 4096)
      end)

      -- the body of a 2xx, its kind, its code
      local failures = {
        { '{"success":false}', "rejected" },
        { '{"failed":true}', "rejected" },
        { '{"success":true,"failed":true}', "rejected" },
        { '{"success":false,"failed":false}', "rejected" },
        { '{"error":true}', "rejected" },
        { '{"error":{}}', "rejected" },
        { '{"error":{"message":"no"}}', "rejected" },
        { '{"error":"no"}', "rejected" },
        { '{"success":true,"error":{"message":"no"}}', "rejected" },
        { '{"code":200,"success":false}', "rejected", "200" },
        { '{"code":"0001","msg":"no"}', "rejected", "0001" },
        { '{"code":"0003"}', "rejected", "0003" },
        { '{"code":"9009"}', "rejected", "9009" },
        { '{"code":16,"success":true}', "rejected", "16" },
        { '{"code":-1}', "rejected", "-1" },
        { '{"code":"no such code"}', "rejected", "no such code" },
        { '{"code":302}', "rejected", "302" },
        { '{"code":5000}', "rejected", "5000" },
        { '{"code":401}', "unauthorized", "401" },
        { '{"code":"401"}', "unauthorized", "401" },
        { '{"code":"0401"}', "unauthorized", "0401" },
        { '{"code":"0402"}', "payment_required", "0402" },
        { '{"code":"0403"}', "forbidden", "0403" },
        { '{"code":404}', "not_found", "404" },
        { '{"code":408}', "timeout", "408" },
        { '{"code":422,"success":false}', "invalid_request", "422" },
        { '{"code":429,"msg":"Rate limit exceeded","data":null}', "rate_limited", "429" },
        { '{"code":"0429"}', "rate_limited", "0429" },
        { '{"code":500}', "server", "500" },
        { '{"code":"503","success":true}', "server", "503" },
        { '{"code":400}', own_kinds[400][provider], "400" },
        { '{"code":"0409"}', own_kinds[409][provider], "0409" },
        { '{"success":false,"error":{"code":401,"message":"unauthorized"}}', "unauthorized", "401" },
        { '{"success":false,"error":{"code":"422","message":"payload validation failed"}}', "invalid_request", "422" },
      }
      for _, case in ipairs(failures) do
        it(("is %s for a 200 that answers %s"):format(case[2], case[1]), function()
          local err = answered(provider, { body = case[1] }, case[2])
          assert.are.equal(200, err.status)
          assert.are.equal("yes", err.reached)
          assert.are.equal(case[3], err.code)
          assert.are.equal(case[1], err.raw)
          assert.is_table(err.body)
        end)
      end
    end)
  end

  -- provider, status, body, kind, code, detail
  local bodies = {
    { "memories", 400, '{"code":400,"msg":"Task not found","data":null}', "not_found", "400", "Task not found" },
    { "memories", 400, '{"code":"400","message":"Invalid task_id"}', "not_found", "400", "Invalid task_id" },
    { "memories", 200, '{"code":400,"msg":"Task not found","data":null}', "not_found", "400", "Task not found" },
    { "memories", 200, '{"code":"0001","msg":"No static resource api.","success":false,"failed":true}', "rejected",
      "0001", "No static resource api." },
    { "screenplay", 409, '{"code":409,"msg":"Task is already completed","data":null}', "not_active", "409",
      "Task is already completed" },
    { "screenplay", 400, '{"code":400,"msg":"Task is already completed","data":null}', "not_active", "400",
      "Task is already completed" },
    { "screenplay", 400, '{"code":400,"msg":"Task not found","data":null}', "not_found", "400", "Task not found" },
    { "screenplay", 400, '{"code":400,"message":"The task does not exist"}', "not_found", "400",
      "The task does not exist" },
    { "screenplay", 400, '{"code":400,"message":"No such task"}', "not_found", "400", "No such task" },
    { "screenplay", 200, '{"code":400,"msg":"Task not found","data":null}', "not_found", "400", "Task not found" },
    { "emogg", 400, '{"error":true,"status":400,"message":"The session is not active."}', "not_active", "400",
      "The session is not active." },
    { "emogg", 404, '{"error":true,"status":404,"message":"The requested resource does not exist."}', "not_found",
      "404", "The requested resource does not exist." },
    { "emogg", 200, '{"error":true,"status":404,"message":"gone"}', "not_found", "404", "gone" },
    { "emogg", 200, '{"error":true,"status":400,"message":"The session is not active."}', "not_active", "400",
      "The session is not active." },
    { "emogg", 200, '{"error":true,"status":429,"message":"slow down"}', "rate_limited", "429", "slow down" },
    { "emogg", 200, '{"status":401,"message":"bad token"}', "unauthorized", "401", "bad token" },
    { "emogg", 200, '{"error":true,"state":"finished"}', "rejected", nil, nil },
    { "fastpix", 400, '{"success":false,"error":{"code":400,"message":"stream cannot be completed",'
      .. '"description":"Only active streams can be marked as completed."}}', "not_active", "400",
      "stream cannot be completed: Only active streams can be marked as completed." },
    { "fastpix", 200, '{"success":false,"error":{"code":400,"message":"stream cannot be completed",'
      .. '"description":"Only active streams can be marked as completed."}}', "not_active", "400",
      "stream cannot be completed: Only active streams can be marked as completed." },
    { "fastpix", 400, '{"success":false,"error":{"code":"400","message":"stream already disabled"}}',
      "invalid_request", "400", "stream already disabled" },
    { "fastpix", 404, '{"success":false,"error":{"code":404,"message":"stream not found",'
      .. '"description":"The requested resource does not exist."}}', "not_found", "404",
      "stream not found: The requested resource does not exist." },
    { "fastpix", 403, '{"success":false,"error":{"code":403,"message":"unauthorized"}}', "forbidden", "403",
      "unauthorized" },
    { "fastpix", 400, '{"success":false,"error":{"code":null,"message":null}}', "invalid_request", nil, nil },
    { "emogg", 500, '{"error":true,"status":500,"message":null}', "server", "500", nil },
    { "memories", 500, '{"timestamp":"2026-01-01","path":"/x","status":500,"error":"Internal Server Error"}',
      "server", "500", "Internal Server Error" },
  }

  for _, case in ipairs(bodies) do
    local provider, status, body, kind, code, detail = case[1], case[2], case[3], case[4], case[5], case[6]
    it(("of %s is %s for a %d that says %s"):format(provider, kind, status, body:sub(1, 80)), function()
      local err = answered(provider, { status = status, body = body }, kind)
      assert.are.same({ status, code, detail }, { err.status, err.code, err.detail })
      assert.are.equal(body, err.raw)
      assert.are.same(cjson.decode(body), err.body)
    end)
  end

  it("has FastPix's list of fields at fault", function()
    local body = '{"success":false,"error":{"code":422,"message":"payload validation failed",'
      .. '"fields":[{"field":"streamId","message":"must be 32 characters"},{"field":"x","message":"y"}]}}'
    local err = answered("fastpix", { status = 422, body = body }, "invalid_request")
    assert.are.same({ { field = "streamId", message = "must be 32 characters" }, { field = "x", message = "y" } },
      err.fields)
    assert.are.equal("payload validation failed", err.detail)
    assert.are.equal("422", err.code)
  end)

  it("is protocol for a success that speaks of another id", function()
    local cases = {
      { "memories", '{"code":200,"message":"success","data":{"task_id":"another","message":"stopped"}}' },
      { "memories", '{"code":200,"data":{"task_id":"{id}0"}}' },
      { "memories", '{"code":200,"data":{"task_id":"spec"}}' },
      { "memories", '{"code":200,"data":{"task_id":""}}' },
      { "memories", '{"code":200,"data":{"task_id":"{id}\\u0000"}}' },
      { "memories", '{"code":200,"data":{"task_id":12}}' },
      { "screenplay", '{"code":200,"data":{"task_id":"another","status":"cancelled"},"success":true}' },
      { "emogg", '{"_id":"another","state":"finished"}' },
      { "emogg", '{"_id":"another","state":"active"}' },
    }
    for _, case in ipairs(cases) do
      local err = answered(case[1], { body = case[2] }, "protocol")
      assert.are.equal("yes", err.reached)
      assert.is_table(err.body)
    end
  end)

  it("names the provider's request", function()
    local err = answered("emogg", { status = 403, body = "{}", headers = { ["cf-ray"] = "8f-AMS" } }, "forbidden")
    assert.are.equal("8f-AMS", err.request_id)
    local both = { ["cf-ray"] = "8f-AMS", ["x-request-id"] = "abc" }
    err = answered("emogg", { body = "[]", headers = both }, "protocol")
    assert.are.equal("abc", err.request_id)
  end)

  it("has retry_after where the provider asked to wait", function()
    -- A client of its own, whose next call would wait.
    local function asked(status, headers, kind)
      local own = support.client({ attempts = 1 })
      local id, result, message, err = support.answered(own, "memories",
        { status = status, body = "{}", headers = headers })
      own:close()
      return check("memories", id, kind, result, message, err).retry_after
    end
    assert.are.equal(7, asked(429, { ["Retry-After"] = "7" }, "rate_limited"))
    assert.are.equal(120, asked(503, { ["Retry-After"] = "120" }, "server"))
    assert.is_nil(asked(429, {}, "rate_limited"))
    assert.is_nil(asked(429, { ["Retry-After"] = "soon" }, "rate_limited"))
    local later = os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + 100)
    local date = asked(429, { ["Retry-After"] = later }, "rate_limited")
    assert.is_true(date > 80 and date <= 100)
  end)

  it("comes at once where the wait asked for does not fit into timeout", function()
    local id, result, message, err = support.answered(client, "fastpix",
      { { status = 503, headers = { ["Retry-After"] = "60" } } }, { attempts = 3, timeout = 5 })
    check("fastpix", id, "server", result, message, err)
    assert.are.equal(1, err.attempts)
    assert.are.equal(60, err.retry_after)
    assert.is_true(err.elapsed < 4)
  end)

  it("counts its attempts, and no attempt follows one that is not tried again", function()
    local id, result, message, err = support.answered(client, "emogg", { status = 503, times = 9 }, { attempts = 2 })
    check("emogg", id, "server", result, message, err)
    assert.are.equal(2, err.attempts)
    assert.are.equal("yes", err.reached)
    assert.are.equal(2, #emulator:requests(id))
    for _, status in ipairs({ 302, 400, 401, 403, 404, 409, 422 }) do
      local other = support.answered(client, "emogg", { status = status, times = 9 }, { attempts = 3 })
      assert.are.equal(1, #emulator:requests(other))
    end
    local unread = support.answered(client, "emogg", { body = "[]", times = 9 }, { attempts = 3 })
    assert.are.equal(1, #emulator:requests(unread))
  end)

  it("is not_active for a job that is not running", function()
    for _, provider in ipairs({ "screenplay", "emogg", "fastpix" }) do
      local id = support.id(provider)
      assert(support.call(client, provider, id))
      local err = check(provider, id, "not_active", support.call(client, provider, id))
      assert.are.equal("yes", err.reached)
    end
  end)

  it("is not_found for a job that is not there", function()
    for _, operation in ipairs(support.operations) do
      local id = support.id()
      check(operation.provider, id, "not_found", support.call(client, operation.provider, id))
    end
  end)
end)

describe("an error's message", function()
  setup(function() client = support.client({ attempts = 1 }) end)
  teardown(function() client:close() end)

  it("reads as the README says", function()
    local cases = {
      { "fastpix", 400, '{"success":false,"error":{"code":400,"message":"stream cannot be completed","description":'
        .. '"Only active streams can be marked as completed."}}', "fastpix.finish {id}: not_active: stream cannot be "
        .. "completed: Only active streams can be marked as completed. (HTTP 400, 1 attempt)" },
      { "memories", 400, '{"code":400,"msg":"Task not found","data":null}',
        "memories.stop {id}: not_found: Task not found (HTTP 400, 1 attempt)" },
      { "screenplay", 409, '{"code":409,"msg":"Task is already completed"}',
        "screenplay.cancel {id}: not_active: Task is already completed (HTTP 409, 1 attempt)" },
      { "emogg", 200, '{"error":true,"status":404,"message":"gone"}',
        "emogg.stop {id}: not_found: gone (HTTP 200, 1 attempt)" },
    }
    for _, case in ipairs(cases) do
      local id, _, message = support.answered(client, case[1], { status = case[2], body = case[3] })
      assert.are.equal((case[4]:gsub("{id}", id)), message)
    end
  end)

  it("says how many attempts there were", function()
    local body = '{"code":500,"msg":"Oops"}'
    local id, _, message = support.answered(client, "memories", { status = 500, body = body, times = 2 },
      { attempts = 2 })
    assert.are.equal("memories.stop " .. id .. ": server: Oops (HTTP 500, 2 attempts)", message)
  end)

  it("is one line whatever the provider says", function()
    local said = {
      "two\\nlines", "carriage\\rreturn", "tab\\there", "bell\\u0007", "escape\\u001b[31mred", "nul\\u0000nul",
      "delete\\u007f", "\\n\\n\\n", ("long "):rep(20000), ("\\n"):rep(5000), ("\195\188"):rep(3000),
    }
    for _, words in ipairs(said) do
      for _, body in ipairs({
        '{"code":500,"msg":"%s"}', '{"code":"%s","msg":"x"}', '{"error":{"message":"%s","description":"%s"}}',
        '{"error":"%s"}',
      }) do
        local err = answered("memories", { status = 500, body = body:gsub("%%s", (words:gsub("%%", "%%%%"))) },
          "server")
        assert.is_true(#err.message < 4096)
      end
    end
  end)

  it("is one line whatever the id, of which it shows 64 bytes", function()
    local long = ("0123456789"):rep(20)
    local _, message = client.fastpix.finish(long)
    assert.is_truthy(message:find("fastpix.finish " .. long:sub(1, 64), 1, true))
    assert.is_nil(message:find(long:sub(1, 65), 1, true))
    for _, id in ipairs({ "a\nb", "a\0b", "\27[31m", "\127", ("\n"):rep(100) }) do
      local err = check("fastpix", id, "invalid_id", client.fastpix.finish(id))
      assert.is_true(#err.message < 200)
    end
  end)

  -- In a process of its own: busted's assert is not Lua's.
  it("is what assert raises", function()
    local child = support.run([[
      local fastpix = require("mediastop").fastpix
      local good, raised = pcall(function() assert(fastpix.finish("..")) end)
      local _, message = fastpix.finish("..")
      print(good, type(raised), raised:sub(-#message) == message)
      assert(fastpix.finish(".."))
    ]])
    assert.are.equal("false\tstring\ttrue\n", child.stdout)
    assert.are.equal(1, child.status)
    assert.is_truthy(child.stderr:find("fastpix.finish ..: invalid_id: ", 1, true))
  end)
end)

describe("without an answer, an error", function()
  local nowhere

  setup(function() nowhere = "http://127.0.0.1:1" end)

  local function fails(origin, options, provider, kind)
    local lost = support.origin_client(origin, options)
    local id = support.id()
    local result, message, err = support.call(lost, provider, id)
    lost:close()
    check(provider, id, kind, result, message, err)
    assert.are.equal("no", err.reached)
    for _, field in ipairs({ "status", "body", "code", "detail", "fields", "request_id" }) do
      assert.is_nil(err[field])
    end
    assert.is_true(err.raw == nil or err.raw == "")
    assert.is_nil(message:find("HTTP %d"))
    assert.are.same({}, emulator:requests(id))
    return err, message
  end

  for _, operation in ipairs(support.operations) do
    local provider = operation.provider

    it("is connect where nobody listens: " .. operation.full, function()
      local err, message = fails(nowhere, { attempts = 1 }, provider, "connect")
      assert.are.equal(1, err.attempts)
      assert.is_truthy(message:find("1 attempt)", 1, true))
    end)

    it("is tls for a certificate that does not prove the host: " .. operation.full, function()
      for _, origin in ipairs({ "expired", "wrong_host", "unknown_ca" }) do
        local err = fails(emulator[origin], { attempts = 3 }, provider, "tls")
        assert.are.equal(1, err.attempts)
      end
    end)

    it("is tls where no ca_file vouches for the provider: " .. operation.full, function()
      local lone = require("mediastop").new({ base_url = emulator:base_url(emulator.tls), proxy = "",
        credentials = emulator.credentials })
      local id = support.id()
      local err = check(provider, id, "tls", support.call(lone, provider, id))
      lone:close()
      assert.are.equal("no", err.reached)
      assert.are.same({}, emulator:requests(id))
    end)

    it("is timeout when the provider says nothing, and the job may have been ended: " .. operation.full, function()
      local timed = support.client({ attempts = 1, timeout = 0.3 })
      local id, result, message, err = support.answered(timed, provider, { hang = 5 })
      timed:close()
      check(provider, id, "timeout", result, message, err)
      assert.are.equal("maybe", err.reached)
      assert.are.equal(1, err.attempts)
      assert.is_nil(err.status)
      assert.is_nil(err.body)
      assert.is_true(err.elapsed < 3)
    end)

    it("is timeout when every attempt had its time, and the last one decides: " .. operation.full, function()
      local timed = support.client({ attempts = 2, attempt_timeout = 0.2 })
      local id, result, message, err = support.answered(timed, provider, { hang = 5, times = 2 })
      timed:close()
      check(provider, id, "timeout", result, message, err)
      assert.are.equal(2, err.attempts)
      assert.are.equal("maybe", err.reached)
      assert.are.equal(2, #emulator:requests(id))
    end)

    for what, step in pairs({ closed = { drop = true }, reset = { reset = true } }) do
      for _, origin in ipairs({ "http", "tls", "h2" }) do
        local where = ("%s (%s)"):format(operation.full, origin)
        it(("is network, and reached is maybe, when the connection is %s: %s"):format(what, where), function()
          local single = support.origin_client(emulator[origin], { attempts = 1 })
          local id, result, message, err = support.answered(single, provider, step)
          single:close()
          check(provider, id, "network", result, message, err)
          assert.are.equal("maybe", err.reached)
          assert.are.equal(1, #emulator:requests(id))
        end)
      end
    end

    it("is network, and reached is yes, when the answer is cut short: " .. operation.full, function()
      local single = support.client({ attempts = 1 })
      for _, cut in ipairs({ { at = 3 }, { head_at = 40 } }) do
        cut.status, cut.body = 200, '{"success":true,"code":200}'
        local id, result, message, err = support.answered(single, provider, { cut = cut })
        check(provider, id, "network", result, message, err)
        assert.are.equal("yes", err.reached)
      end
      single:close()
    end)
  end

  it("is tls where ca_file is no file of certificates", function()
    fails(emulator.tls, { attempts = 1, ca_file = "/nonexistent/ca.pem" }, "fastpix", "tls")
  end)

  it("is dns where the name has no address", function()
    fails("https://mediastop-spec.invalid", { attempts = 1, timeout = 10 }, "fastpix", "dns")
  end)

  it("is closed when the client is", function()
    for _, operation in ipairs(support.operations) do
      local gone = support.client()
      gone:close()
      local id = support.id(operation.provider)
      local err = check(operation.provider, id, "closed", support.call(gone, operation.provider, id))
      assert.are.equal("no", err.reached)
      assert.are.equal(0, err.attempts)
      assert.are.same({}, emulator:requests(id))
    end
  end)
end)
