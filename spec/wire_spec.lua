local mediastop = require("mediastop")
local support = require("spec.support")

-- Connections are kept where libcurl tells of each request.
local it_kept = support.with_libcurl("7.80", it, pending)

local agent = "mediastop/" .. mediastop._VERSION

local emulator = support.emulator()

local function authorization(provider)
  local secrets = emulator.credentials
  if provider == "emogg" then
    return "Bearer " .. secrets.emogg.token
  elseif provider == "fastpix" then
    local mime = require("mime")
    return "Basic " .. mime.b64(secrets.fastpix.username .. ":" .. secrets.fastpix.password)
  end
  return secrets.memories.api_key
end

-- What each operation is to look like on the wire; `segment` is the id in the path, `text` in JSON.
local wire = {
  memories = {
    path = function() return "/serve/api/v2/stream/stop" end,
    body = function(text) return '{"task_id": "' .. text .. '"}' end,
  },
  screenplay = { path = function(segment) return "/serve/api/v2/screenplay/tasks/" .. segment end },
  emogg = { path = function(segment) return "/v1/sessions/" .. segment .. "/stop" end },
  fastpix = { path = function(segment) return "/v1/live/streams/" .. segment .. "/finish" end },
}

-- Ends one job and returns the one request that arrived.
local function arrived(client, provider, id, ...)
  emulator:reset()
  emulator:job(provider, id)
  assert(support.call(client, provider, id, ...))
  local requests = emulator:requests()
  assert.are.equal(1, #requests)
  return requests[1]
end

-- The same where the answer does not matter.
local function sent(client, provider, id, ...)
  emulator:reset()
  support.call(client, provider, id, ...)
  local requests = emulator:requests()
  assert.are.equal(1, #requests)
  return requests[1]
end

local function header(request, wanted)
  local found
  for _, pair in ipairs(request.headers) do
    if pair[1]:lower() == wanted:lower() then
      assert.is_nil(found, "two headers " .. wanted)
      found = pair[2]
    end
  end
  return found
end

-- The headers as they arrived, as a map; each once.
local function header_map(request, change)
  local map = {}
  for _, pair in ipairs(request.headers) do
    local name = change and change(pair[1]) or pair[1]
    assert.is_nil(map[name], "two headers " .. name)
    map[name] = pair[2]
  end
  return map
end

local function expected_headers(provider, body)
  return {
    ["Host"] = emulator.http:match("//(.*)"),
    ["User-Agent"] = agent,
    ["Accept"] = "*/*",
    ["Authorization"] = authorization(provider),
    ["Content-Type"] = body and "application/json" or nil,
    ["Content-Length"] = provider ~= "screenplay" and tostring(#(body or "")) or nil,
  }
end

describe("on the wire", function()
  local client

  setup(function() client = support.client() end)
  teardown(function() client:close() end)

  for _, operation in ipairs(support.operations) do
    local provider = operation.provider

    describe(operation.full, function()
      it("sends its method to its path, with its body", function()
        local id = support.id()
        local request = arrived(client, provider, id)
        assert.are.equal(operation.method, request.method)
        assert.are.equal(wire[provider].path(id), request.path)
        assert.are.equal("HTTP/1.1", request.protocol)
        assert.are.equal(wire[provider].body and wire[provider].body(id) or "", request.body)
      end)

      it("sends these headers and no others", function()
        local id = support.id()
        local request = arrived(client, provider, id)
        local body = wire[provider].body and wire[provider].body(id)
        assert.are.same(expected_headers(provider, body), header_map(request))
      end)

      it("puts user_agent in front of its own name", function()
        local named = support.client({ user_agent = "encoder/2.1 (studio 4)" })
        local request = arrived(named, provider, support.id())
        named:close()
        assert.are.equal("encoder/2.1 (studio 4) " .. agent, header(request, "User-Agent"))
      end)

      it("sends the credential of the call in place of the client's", function()
        local given = {
          memories = { { api_key = "key-of-the-call" }, "key-of-the-call" },
          screenplay = { { api_key = "key-of-the-call" }, "key-of-the-call" },
          emogg = { { token = "token-of-the-call" }, "Bearer token-of-the-call" },
          fastpix = { { username = "u", password = "p:w\195\164" }, "Basic dTpwOnfDpA==" },
        }
        local request = sent(client, provider, support.id(), { credentials = given[provider][1] })
        assert.are.equal(given[provider][2], header(request, "Authorization"))
      end)

      it("sends the same over TLS", function()
        local tls = support.origin_client(emulator.tls)
        local id = support.id()
        local plain, request = arrived(client, provider, id), arrived(tls, provider, id)
        tls:close()
        local expected = header_map(plain)
        expected.Host = emulator.tls:match("//(.*)")
        assert.is_truthy(request.tls)
        assert.are.equal("HTTP/1.1", request.protocol)
        assert.are.same({ plain.method, plain.path, plain.body }, { request.method, request.path, request.body })
        assert.are.same(expected, header_map(request))
      end)

      it_kept("sends the same over HTTP/2", function()
        local h2 = support.origin_client(emulator.h2)
        local id = support.id()
        local plain, request = arrived(client, provider, id), arrived(h2, provider, id)
        h2:close()
        local expected, got = header_map(plain, string.lower), header_map(request, string.lower)
        expected.host, got.host, got[":authority"] = nil, nil, nil
        assert.are.equal("HTTP/2.0", request.protocol)
        assert.are.same({ plain.method, plain.path, plain.body }, { request.method, request.path, request.body })
        assert.are.same(expected, got)
      end)

      it("follows no redirect", function()
        for _, status in ipairs({ 301, 302, 303, 307, 308 }) do
          local id, other = support.id(), support.id()
          emulator:reset()
          emulator:job(provider, { id, other })
          local location = emulator.http .. wire[provider].path(other)
          emulator:faults(id, { { status = status, headers = { Location = location } } })
          local result, _, err = support.call(client, provider, id)
          assert.is_nil(result)
          assert.are.equal("redirect", err.kind)
          assert.are.equal(1, #emulator:requests())
        end
      end)

      for _, under in ipairs({ "", "/", "///", "/a/b", "/a/b/", "/a/b//", "/a%20b/~c" }) do
        it("puts its path behind a base_url that ends in '" .. under .. "'", function()
          local id = support.id()
          local request = sent(client, provider, id, { base_url = emulator.http .. under })
          local own = wire[provider].path(id):gsub("^/serve/api/v2", ""):gsub("^/v1", "")
          assert.are.equal(under:gsub("/+$", "") .. own, request.path)
        end)
      end
    end)
  end

  it("shares memories' base_url with screenplay, unless that has one", function()
    local base = emulator.http
    local shared = support.client({ base_url = { memories = base .. "/m" } })
    assert.are.equal("/m/screenplay/tasks/x", sent(shared, "screenplay", "x").path)
    shared:close()
    local both = support.client({ base_url = { memories = base .. "/m", screenplay = base .. "/s" } })
    assert.are.equal("/m/stream/stop", sent(both, "memories", "x").path)
    assert.are.equal("/s/screenplay/tasks/x", sent(both, "screenplay", "x").path)
    both:close()
  end)

  it("reads the scheme and host of base_url in any letter case", function()
    local request = sent(client, "emogg", "x", { base_url = emulator.http:gsub("^http", "HTTP") .. "/v1" })
    assert.are.equal("/v1/sessions/x/stop", request.path)
  end)

  it("goes to localhost without TLS", function()
    local port = emulator.http:match("%d+$")
    local request = sent(client, "emogg", "x", { base_url = "http://localhost:" .. port .. "/v1" })
    assert.are.equal("localhost:" .. port, header(request, "Host"))
  end)
end)

describe("an id in a path", function()
  local client

  setup(function() client = support.client() end)
  teardown(function() client:close() end)

  -- the id, the segment it becomes
  local ids = {
    { "65ea1530bb50af72b6e3dc1e", "65ea1530bb50af72b6e3dc1e" },
    { "AZaz09-._~", "AZaz09-._~" },
    { "a/b", "a%2Fb" },
    { "/", "%2F" },
    { "a b", "a%20b" },
    { " ", "%20" },
    { "100%", "100%25" },
    { "%2F", "%252F" },
    { "..%2f", "..%252f" },
    { "../x", "..%2Fx" },
    { "...", "..." },
    { ".x", ".x" },
    { "a?b=c&d", "a%3Fb%3Dc%26d" },
    { "a#b", "a%23b" },
    { "a+b", "a%2Bb" },
    { "a:b@c;d,e", "a%3Ab%40c%3Bd%2Ce" },
    { "!$'()*[]", "%21%24%27%28%29%2A%5B%5D" },
    { "a\\b\"c<d>e^f`g{h|i}", "a%5Cb%22c%3Cd%3Ee%5Ef%60g%7Bh%7Ci%7D" },
    { "gr\195\188n", "gr%C3%BCn" },
    { "\240\159\152\128", "%F0%9F%98%80" },
    { "\128\254\255", "%80%FE%FF" },
    { ("a"):rep(255), ("a"):rep(255) },
    { ("\255"):rep(255), ("%FF"):rep(255) },
  }

  for _, provider in ipairs({ "screenplay", "emogg", "fastpix" }) do
    for _, case in ipairs(ids) do
      it(("is one segment: %s %q"):format(provider, case[1]:sub(1, 30)), function()
        local request = sent(client, provider, case[1])
        assert.are.equal(wire[provider].path(case[2]), request.path)
        assert.are.equal("", request.body)
      end)
    end

    it("ends the job of that very name: " .. provider, function()
      local id = "a/b ?\"\\+%2F..\195\188" .. support.id()
      arrived(client, provider, id)
      local job = { screenplay = "cancelled", emogg = "processing", fastpix = "idle" }
      assert.are.equal(job[provider], emulator:state(provider, id))
    end)
  end
end)

describe("an id in JSON", function()
  local client

  setup(function() client = support.client() end)
  teardown(function() client:close() end)

  -- the id, what stands between the quotes
  local ids = {
    { "550e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-446655440000" },
    { 'say "x"', 'say \\"x\\"' },
    { "back\\slash", "back\\\\slash" },
    { '\\"', '\\\\\\"' },
    { "a/b ?#%2F+'{id}", "a/b ?#%2F+'{id}" },
    { "gr\195\188n \240\159\152\128", "gr\195\188n \240\159\152\128" },
    { '","x":"', '\\",\\"x\\":\\"' },
    { "...", "..." },
    { ('"'):rep(255), ('\\"'):rep(255) },
  }

  for _, case in ipairs(ids) do
    it(("is one string: %q"):format(case[1]:sub(1, 30)), function()
      local request = arrived(client, "memories", case[1])
      assert.are.equal("/serve/api/v2/stream/stop", request.path)
      assert.are.equal('{"task_id": "' .. case[2] .. '"}', request.body)
      assert.are.equal(case[1], request.id)
      assert.are.equal("stopped", emulator:state("memories", case[1]))
    end)
  end
end)

describe("a connection", function()
  local function connections(origin, calls)
    local client = support.origin_client(origin)
    emulator:reset()
    for call = 1, calls do
      local provider = support.operations[(call - 1) % #support.operations + 1].provider
      assert(support.call(client, provider, support.id(provider)))
    end
    client:close()
    local numbers, orders = {}, {}
    for index, request in ipairs(emulator:requests()) do
      numbers[request.connection] = true
      orders[index] = request.connection_requests
    end
    return #support.keys(numbers), orders
  end

  for _, name in ipairs({ "http", "tls", "h2" }) do
    it_kept("serves all of a client's calls: " .. name, function()
      local count, orders = connections(emulator[name], 6)
      assert.are.equal(1, count)
      assert.are.equal(6, #orders)
    end)
  end

  it_kept("goes on serving after an error", function()
    local client = support.client()
    emulator:reset()
    assert.is_nil(client.fastpix.finish(support.id()))
    assert.is_nil(client.emogg.stop(support.id(), { credentials = { token = "wrong" } }))
    assert(client.fastpix.finish(support.id("fastpix")))
    client:close()
    local requests = emulator:requests()
    assert.are.equal(3, #requests)
    assert.are.equal(requests[1].connection, requests[3].connection)
  end)

  it("is each client's own", function()
    local one, two = support.client(), support.client()
    emulator:reset()
    assert(one.fastpix.finish(support.id("fastpix")))
    assert(two.fastpix.finish(support.id("fastpix")))
    one:close()
    two:close()
    local requests = emulator:requests()
    assert.are_not.equal(requests[1].connection, requests[2].connection)
  end)

  it_kept("is closed with its client", function()
    local before = emulator:connections()
    local client = support.client()
    assert(client.fastpix.finish(support.id("fastpix")))
    assert.are.equal(before + 1, emulator:connections())
    client:close()
    local system = require("spec.emulator.system")
    assert.is_true(system.wait_until(function() return emulator:connections() == before end, 5))
  end)

  it("that the provider closed meanwhile is replaced, and the job is ended once", function()
    for _, operation in ipairs(support.operations) do
      local client = support.client()
      local first, second = support.id(operation.provider), support.id(operation.provider)
      emulator:faults(first, { { keepalive = false } })
      assert(support.call(client, operation.provider, first))
      local result = assert(support.call(client, operation.provider, second))
      assert.are_not.equal("already_ended", result.outcome)
      assert.are.equal(1, #emulator:requests(second))
      client:close()
    end
  end)
end)
