--- Faults before a request can be sent: no address, no connection, no TLS. The provider never got anything.
local fault = require("spec.support.fault")
local namespace = require("spec.support.namespace")
local raw_server = require("spec.support.raw_server")
local support = require("spec.support")

-- Calls with one attempt and, where it is tried again, with the usual three.
local function check(expected, origin, options, client_options)
  for _, attempts in ipairs({ 1, 3 }) do
    local client = fault.client({ origin = origin }, client_options)
    local all = support.merge(options or {}, { attempts = attempts == 1 and 1 or nil })
    local sent = fault.is_retried(expected.kind) and attempts or 1
    local case = support.merge(expected, { attempts = sent, reached = "no" })
    fault.check(case, client.memories.stop(support.id(), all))
    client:close()
  end
end

-- The call after the fault, on the same client, at an address that answers.
local function check_next_call(client)
  local server = raw_server.listen({})
  local result, message = client.memories.stop("next", { base_url = server.origin })
  assert.is_table(result, message)
  assert.are.equal("next", result.body.data.task_id)
  server:close()
end

describe("an address that does not connect:", function()
  it("nobody listens", function()
    local port = raw_server.refusing()
    check({ name = "refuse", kind = "connect" }, port.origin)
    local client = fault.client(port)
    assert.is_nil((client.memories.stop("x", { attempts = 1 })))
    check_next_call(client)
    client:close()
    port:close()
  end)

  it("a black hole: connect_timeout holds", function()
    local port = raw_server.black_hole()
    check({ name = "connect black hole", kind = "timeout", deadline = 2 }, port.origin,
      { connect_timeout = 0.2, timeout = 2 })
    local client = fault.client(port)
    assert.is_nil((client.memories.stop("x", { attempts = 1, connect_timeout = 0.1 })))
    check_next_call(client)
    client:close()
    port:close()
  end)

  it("a black hole: attempt_timeout and timeout hold where they are less", function()
    local port = raw_server.black_hole()
    local client = fault.client(port)
    for _, name in ipairs({ "attempt_timeout", "timeout" }) do
      local result, message, err = client.memories.stop("x", { attempts = 1, [name] = 0.2 })
      fault.check({ name = "connect black hole, " .. name, kind = "timeout", reached = "no", deadline = 0.2 },
        result, message, err)
    end
    client:close()
    port:close()
  end)
end)

describe("TLS that fails is not tried again:", function()
  for _, origin in ipairs({ "unknown_ca", "expired", "wrong_host" }) do
    it(origin, function()
      local emulator = support.emulator()
      check({ name = "TLS " .. origin, kind = "tls" }, emulator[origin])
      assert.are.equal(0, #emulator:requests("x"))
      local client = fault.client({ origin = emulator[origin] })
      assert.is_nil((client.memories.stop("x")))
      check_next_call(client)
      client:close()
    end)
  end

  it("a root that is not in ca_file", function()
    check({ name = "TLS root unknown", kind = "tls" }, support.emulator().tls, nil,
      { ca_file = support.emulator().dir .. "/unknown_authority.pem" })
  end)

  it("a ca_file that is not there", function()
    check({ name = "ca_file missing", kind = "tls" }, support.emulator().tls, nil, { ca_file = "/nonexistent/ca.pem" })
  end)

  for name, steps in pairs({
    ["closed before the handshake"] = { { close = true } },
    ["closed after the ClientHello"] = { { read = 64 }, { close = true } },
    ["reset after the ClientHello"] = { { read = 64 }, { reset = true } },
    ["a handshake that is answered in plain text"] = { { read = 64 }, { send = "HTTP/1.1 400 Bad Request\r\n\r\n" } },
    ["a handshake that is refused by an alert"] = { { read = 64 }, { send = "\21\3\3\0\2\2\40" }, { hold = true } },
    ["garbage in the handshake"] = { { read = 64 }, { send = ("what?"):rep(100) }, { hold = true } },
  }) do
    it(name, function()
      local server = raw_server.listen({ steps, steps, { { close = true } } })
      local origin = server.origin:gsub("^http:", "https:")
      check({ name = "TLS: " .. name, kind = "tls" }, origin)
      assert.are.equal(2, #server:connections())
      server:close()
    end)
  end
end)

describe("a TLS handshake that never ends", function()
  it("is over with connect_timeout", function()
    local silent = { { read = 64 }, { hold = true } }
    local server = raw_server.listen({ silent, silent, silent, silent })
    local origin = server.origin:gsub("^http:", "https:")
    check({ name = "TLS: silent handshake", kind = "timeout", deadline = 2 }, origin,
      { connect_timeout = 0.2, timeout = 2 })
    server:close()
  end)
end)

describe("a name without an address", function()
  -- A label of more than 63 bytes: no name server need be asked, and none could be.
  it("is dns, tried again, and never reached anybody", function()
    check({ name = "name that cannot be", kind = "dns" }, "https://" .. ("x"):rep(64) .. ".invalid")
  end)

  local source = [[
    local mediastop, socket = require("mediastop.core"), require("socket")
    local client = mediastop.new({
      base_url = { fastpix = "https://api.example.invalid/v1" },
      credentials = { fastpix = { username = "u", password = "p" } },
    })
    local started = socket.gettime()
    local result, message, err = client.fastpix.finish("x", { attempts = %d, timeout = %g })
    local took = socket.gettime() - started
    client:close()
    print(table.concat({ tostring(result), err.kind, err.reached, tostring(err.retryable), ("%%d"):format(err.attempts),
      ("%%.3f"):format(took), ("%%.3f"):format(socket.gettime() - started) }, " "))
  ]]

  local function run(kind, attempts, timeout)
    local started = require("socket").gettime()
    local output = namespace.run(kind, source:format(attempts, timeout))
    local values = {}
    for word in output:gmatch("%S+") do
      values[#values + 1] = word
    end
    assert.are.equal(7, #values, output)
    return values, require("socket").gettime() - started
  end

  it("that a name server denies is dns", function()
    if not namespace.command() then
      return pending("no namespaces here")
    end
    for _, attempts in ipairs({ 1, 3 }) do
      local values = run("unknown", attempts, 20)
      assert.are.same({ "nil", "dns", "no", "true", tostring(attempts) }, { (table.unpack or unpack)(values, 1, 5) })
    end
  end)

  it("whose name server is silent is over with the call's time, and so is the program", function()
    local why_not = not namespace.command() and "no namespaces here" or support.older_libcurl("7.87")
    if why_not then
      return pending(why_not)
    end
    local values, all = run("silent", 1, 0.5)
    assert.are.same({ "nil", "timeout", "no", "true", "1" }, { (table.unpack or unpack)(values, 1, 5) })
    assert.is_true(tonumber(values[6]) < 0.5 + fault.ROOM, "the call took " .. values[6])
    assert.is_true(tonumber(values[7]) < 0.5 + fault.ROOM, "closing took " .. values[7])
    -- The name server would be waited for ten seconds and more.
    assert.is_true(all < 9, "the program took " .. all)
  end)
end)
