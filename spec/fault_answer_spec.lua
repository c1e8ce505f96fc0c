--- Faults in a whole answer: too much of it, none of it, another one than was due.
local fault = require("spec.support.fault")
local raw_server = require("spec.support.raw_server")
local support = require("spec.support")

local function answered(kind, status, more)
  return support.merge({ kind = kind, reached = "yes", status = status }, more)
end

local function faults(list)
  for _, one in ipairs(list) do
    local name, expected, step = one[1], one[2], one[3]
    expected.name = name
    it(name, function()
      fault.on_emulator(expected, step)
    end)
  end
end

local function wire_faults(list)
  for _, one in ipairs(list) do
    local name, expected, steps = one[1], one[2], one[3]
    expected.name, expected.requests = name, 1
    it(name, function()
      fault.on_wire(expected, steps, { attempt_timeout = 5 })
    end)
  end
end

-- The keys of an object, each of which has the next as its value.
local function nested(depth)
  return ('{"a":'):rep(depth) .. "1" .. ("}"):rep(depth)
end

describe("an answer that is too much to take cannot be read:", function()
  faults({
    { "2 MiB of body", answered("protocol", 200), { big = 2 * 1024 * 1024 } },
    { "2 MiB of success", answered("protocol", 200), { body = '{"code":200,"x":"' .. ("x"):rep(2097152) .. '"}' } },
    { "2 MiB of body under a 404", answered("not_found", 404), { status = 404, big = 2 * 1024 * 1024 } },
    { "a body nested deeper than 100 levels", answered("protocol", 200),
      { body = '{"code":200,"x":' .. nested(101) .. "}" } },
    { "a body nested 100,000 levels deep", answered("protocol", 200),
      { body = '{"code":200,"x":' .. nested(100000) .. "}" } },
    { "100,000 levels of arrays under a 400", answered("not_found", 400), { status = 400, body = ("["):rep(100000) } },
  })
  wire_faults({
    { "100,000 header lines", answered("protocol"), { { read = true }, { send = "HTTP/1.1 200 OK\r\n" },
      { send = "X-Line: nothing to say\r\n", times = 100000 }, { send = '\r\n{"code":200}' }, { close = true } } },
    { "headers without end", answered("protocol"), { { read = true }, { send = "HTTP/1.1 200 OK\r\n" },
      { send = "X-Line: nothing to say\r\n", times = 100000 }, { hold = true } } },
    { "a header line of 2 MiB", answered("protocol"), { { read = true }, { send = "HTTP/1.1 200 OK\r\nX-Line: " },
      { send = "x", times = 2097152 }, { send = '\r\n\r\n{"code":200}' }, { close = true } } },
    { "a body without end", answered("protocol", 200), { { read = true }, { send = "HTTP/1.1 200 OK\r\n\r\n" },
      { send = "          ", times = 200000 }, { hold = true } } },
  })

  it("100 levels are not too deep", function()
    local client, id = support.client(), support.id("memories")
    support.emulator():faults(id, { { body = '{"code":200,"x":' .. nested(98) .. "}" } })
    local result, message = client.memories.stop(id)
    assert.is_table(result, message)
    assert.are.equal("ended", result.outcome)
    client:close()
  end)
end)

describe("an answer that is not the JSON object that was due cannot be read:", function()
  local list = {}
  for name, body in pairs({
    ["no JSON"] = "OK",
    ["HTML"] = "<html><body>Success</body></html>",
    ["JSON that is cut"] = '{"code":200,"message":"succ',
    ["JSON with more behind it"] = '{"code":200} {"code":200}',
    ["JSON with a NUL behind it"] = '{"code":200}\0',
    ["JSON with a NUL in it"] = '{"code":200,"message":"suc\0cess"}',
    ["single quotes"] = "{'code':200}",
    ["a bare word"] = "true",
    ["a bare number"] = "200",
    ["a text"] = '"success"',
    ["null"] = "null",
    ["an array"] = '[{"code":200}]',
    ["a byte order mark alone"] = "\239\187\191",
    ["UTF-16"] = "\255\254{\0}\0",
  }) do
    list[#list + 1] = { name, answered("protocol", 200), { body = body } }
  end
  faults(list)
end)

describe("an answer with odd JSON", function()
  local cases = {
    ["a huge exponent"] = '{"code":200,"x":1e999999}',
    ["a huge whole number"] = '{"code":200,"x":' .. ("9"):rep(5000) .. "}",
    ["a long fraction"] = '{"code":200,"x":0.' .. ("1"):rep(5000) .. "}",
    ["an infinite code"] = '{"code":1e999}',
    ["a negative infinite code"] = '{"code":-1e999}',
    ["a code with 5,000 digits"] = '{"code":' .. ("2"):rep(5000) .. "}",
    ["a code as a text of 5,000 digits"] = '{"code":"' .. ("2"):rep(5000) .. '"}',
    ["a fractional code"] = '{"code":200.5}',
    ["a lone surrogate"] = '{"code":200,"message":"\\ud800"}',
    ["an escaped NUL"] = '{"code":200,"message":"a\\u0000b"}',
    ["bytes that are no UTF-8"] = '{"code":200,"message":"\255\254\192\128"}',
    ["an empty key"] = '{"code":200,"":{"":1}}',
    ["10,000 fields"] = '{"code":200' .. (',"k":1'):rep(10000) .. "}",
    ["the same field twice, both a success"] = '{"code":200,"code":"0000"}',
    ["the same field twice, the last a failure"] = '{"code":200,"code":500}',
  }
  for _, name in ipairs(support.keys(cases)) do
    it(name .. " ends in a result or in an error, and never crashes", function()
      local client, id = support.client(), support.id("memories")
      support.emulator():faults(id, { { body = cases[name] } })
      local result, message, err = client.memories.stop(id, { attempts = 1 })
      if result then
        assert.is_truthy(cases[name]:find('"code":200', 1, true))
        assert.is_nil(cases[name]:find('"code":500', 1, true))
      else
        assert.are.equal(message, err.message)
        assert.are.equal("yes", err.reached)
        assert.is_nil(message:find("[%c]"))
      end
      fault.check_next_call(client)
      client:close()
    end)
  end
end)

describe("an empty answer", function()
  for _, case in ipairs({
    { "200 with no body", { status = 200, empty = true }, 200 },
    { "200 with blanks only", { body = " \r\n\t" }, 200 },
    { "201", { status = 201, empty = true }, 201 },
    { "202", { status = 202, empty = true }, 202 },
    { "204", { status = 204, empty = true }, 204 },
  }) do
    it(case[1] .. " is accepted, not ended", function()
      for _, operation in ipairs(support.operations) do
        local client, id = support.client(), support.id(operation.provider)
        support.emulator():faults(id, { case[2] })
        local result, message = support.call(client, operation.provider, id)
        assert.is_table(result, message)
        assert.are.equal("accepted", result.outcome)
        assert.is_false(result.confirmed)
        assert.is_nil(result.body)
        assert.are.equal(case[3], result.status)
        assert.are.equal(1, result.attempts)
        client:close()
      end
    end)
  end

  faults({
    { "400 with no body", answered("not_found", 400), { status = 400, empty = true } },
    { "500 with no body", answered("server", 500), { status = 500, empty = true } },
  })
end)

describe("a page in place of an answer:", function()
  local page = "<!DOCTYPE html><html><head><title>%s</title></head><body>" .. ("<p>&nbsp;</p>"):rep(600) .. "</html>"
  local function html(status, title)
    return { status = status, body = page:format(title), headers = { ["Content-Type"] = "text/html" } }
  end
  faults({
    { "HTML 502", answered("server", 502), html(502, "Bad Gateway") },
    { "HTML 524", answered("server", 524, { provider = "fastpix" }), html(524, "A timeout occurred") },
    { "HTML 403", answered("forbidden", 403), html(403, "Attention Required!") },
    { "HTML 408", answered("timeout", 408), html(408, "Request Timeout") },
    { "HTML 429", answered("rate_limited", 429), html(429, "Slow down") },
  })

  it("an error keeps no more than 4 KiB of it", function()
    local client, id = support.client(), support.id("memories")
    support.emulator():faults(id, { html(502, "Bad Gateway") })
    local _, _, err = client.memories.stop(id, { attempts = 1 })
    assert.are.equal(4096, #err.raw)
    assert.is_nil(err.body)
    assert.is_nil(err.code)
    client:close()
  end)
end)

describe("a redirect is never followed:", function()
  for _, status in ipairs({ 300, 301, 302, 303, 304, 307, 308 }) do
    it(tostring(status), function()
      local other = raw_server.listen({})
      local err = fault.on_emulator(answered("redirect", status, { name = "redirect " .. status }),
        { status = status, headers = { Location = other.origin .. "/serve/api/v2/stream/stop" }, empty = true })
      assert.are.equal(0, #other:connections())
      assert.are.equal(1, err.attempts)
      other:close()
    end)
  end
end)

describe("an interim answer", function()
  local success = 'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"code":200}'
  for name, interim in pairs({
    ["100"] = "HTTP/1.1 100 Continue\r\n\r\n",
    ["103"] = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\nRetry-After: 9\r\n\r\n",
    ["several"] = ("HTTP/1.1 102 Processing\r\n\r\n"):rep(20) .. "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n",
  }) do
    it(name .. " is not the answer", function()
      local server = raw_server.listen({ { { read = true }, { send = interim .. success }, { serve = true } } })
      local client = fault.client(server)
      local result, message = client.memories.stop(support.id(), { attempts = 1 })
      assert.is_table(result, message)
      assert.are.equal(200, result.status)
      assert.are.equal("ended", result.outcome)
      fault.check_next_call(client)
      client:close()
      server:close()
    end)
  end

  local early = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n"
  wire_faults({
    { "103, then the connection is closed", answered("network"),
      { { read = true }, { send = early .. "\r\n" }, { close = true } } },
    { "103 that is cut", answered("network"), { { read = true }, { send = early }, { close = true } } },
    { "100, then the answer is cut", answered("network"),
      { { read = true }, { send = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-" }, { close = true } } },
  })

  it("101, which nobody asked for, is no success", function()
    local upgrade = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"
    local server = raw_server.listen({ { { read = true }, { send = upgrade .. success }, { close = true } } })
    local client = fault.client(server)
    local _, message, err = client.memories.stop(support.id(), { attempts = 1 })
    assert.is_table(err, message)
    assert.are.equal("yes", err.reached)
    fault.check_next_call(client)
    client:close()
    server:close()
  end)
end)

describe("an answer about another id cannot be believed:", function()
  for provider, body in pairs({
    memories = '{"code":200,"message":"success","data":{"task_id":"another"}}',
    screenplay = '{"code":200,"data":{"task_id":"another","status":"cancelled"},"success":true,"failed":false}',
    emogg = '{"_id":"another","state":"finished"}',
  }) do
    it(provider, function()
      fault.on_emulator(answered("protocol", 200, { provider = provider, name = "another id, " .. provider }),
        { body = body })
    end)
  end
end)
