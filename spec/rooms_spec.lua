local rooms = require("rooms")

local function near(expected, got)
  assert.is_number(got)
  assert.is_true(math.abs(expected - got) < 1e-9, ("%.12g expected, got %.12g"):format(expected, got))
end

describe("retry_wait", function()
  local function wait(more)
    local case = { kind = "server", attempts_made = 1, attempts_most = 1000, retry_after = -1, left = 30, random = 1 }
    for name, value in pairs(more) do
      case[name] = value
    end
    return rooms.retry_wait(case)
  end

  -- The longest wait after so many attempts.
  local longest = { 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5 }

  for made, most in ipairs(longest) do
    it(("is between 0 and %g s after %d attempts, as chance wills"):format(most, made), function()
      near(most, wait({ attempts_made = made, random = 1 }))
      near(most / 2, wait({ attempts_made = made, random = 0.5 }))
      near(most / 4, wait({ attempts_made = made, random = 0.25 }))
      near(0, wait({ attempts_made = made, random = 0 }))
    end)
  end

  it("stays at its cap however many attempts there were", function()
    near(5, wait({ attempts_made = 5000, attempts_most = 1000000 }))
    near(5, wait({ attempts_made = 999999, attempts_most = 1000000 }))
  end)

  local retried = { dns = true, connect = true, network = true, timeout = true, rate_limited = true, server = true }

  for _, kind in ipairs({ "invalid_id", "credentials", "unauthorized", "payment_required", "forbidden", "not_found",
    "not_active", "invalid_request", "rate_limited", "rejected", "server", "redirect", "dns", "connect", "tls",
    "network", "timeout", "protocol", "cancelled", "closed" }) do
    it((retried[kind] and "lets %s try again" or "lets %s not try again"):format(kind), function()
      assert.are.equal(retried[kind] or false, wait({ kind = kind }) ~= nil)
      assert.are.equal(retried[kind] or false, wait({ kind = kind, retry_after = 2 }) ~= nil)
    end)
  end

  it("stops when the attempts are spent", function()
    assert.is_nil(wait({ attempts_made = 3, attempts_most = 3 }))
    assert.is_nil(wait({ attempts_made = 4, attempts_most = 3 }))
    assert.is_nil(wait({ attempts_made = 1, attempts_most = 1, retry_after = 1 }))
    near(0.4, wait({ attempts_made = 2, attempts_most = 3 }))
  end)

  it("obeys the provider's wait, longer or shorter than its own", function()
    near(7, wait({ retry_after = 7 }))
    near(7, wait({ retry_after = 7, random = 0 }))
    near(20, wait({ retry_after = 20, attempts_made = 8 }))
    near(0.6, wait({ retry_after = 0.6, attempts_made = 8 }))
  end)

  it("stops where the wait does not fit into what is left", function()
    assert.is_nil(wait({ retry_after = 31 }))
    assert.is_nil(wait({ retry_after = 1e300 }))
    assert.is_nil(wait({ retry_after = 5, left = 4.9 }))
    assert.is_nil(wait({ random = 1, left = 0.1 }))
    assert.is_nil(wait({ attempts_made = 8, random = 0.5, left = 2.4 }))
    near(2.5, wait({ attempts_made = 8, random = 0.5, left = 2.6 }))
    assert.is_nil(wait({ random = 0, left = -1 }))
    assert.is_nil(wait({ random = 1, left = -1 }))
  end)
end)

describe("retry_read_wait", function()
  it("doubles from 0.2 s to 5 s", function()
    for made, seconds in ipairs({ 0.4, 0.8, 1.6, 3.2, 5, 5 }) do
      near(seconds, rooms.retry_read_wait(made, -1, 1000))
    end
    near(0.2, rooms.retry_read_wait(0, -1, 1000))
    near(5, rooms.retry_read_wait(1000000, -1, 1000))
  end)

  it("is at most half of what is left, and stops where that is next to nothing", function()
    near(2, rooms.retry_read_wait(100, -1, 4))
    near(0.06, rooms.retry_read_wait(0, -1, 0.12))
    for _, left in ipairs({ 0.09, 0.001, 0, -1 }) do
      assert.is_nil(rooms.retry_read_wait(0, -1, left))
    end
  end)

  it("is as long as was asked, and stops where that does not fit", function()
    near(7, rooms.retry_read_wait(0, 7, 30))
    near(7, rooms.retry_read_wait(0, 7, 8))
    near(0.2, rooms.retry_read_wait(0, 0, 30))
    near(5, rooms.retry_read_wait(50, 1, 30))
    for _, asked in ipairs({ 30, 31, 1e300 }) do
      assert.is_nil(rooms.retry_read_wait(0, asked, 30))
    end
  end)
end)

describe("retry_after", function()
  -- Sun, 06 Nov 1994 08:49:37 GMT
  local now = 784111777

  local function after(more)
    local case = { kind = "rate_limited", now = now }
    for name, value in pairs(more) do
      case[name] = value
    end
    return rooms.retry_after(case)
  end

  -- the header, seconds from `now`; none: it says nothing
  local values = {
    { "0", 0 }, { "7", 7 }, { "007", 7 }, { "120", 120 }, { "86400", 86400 }, { "99999999999", 99999999999 },
    { "" }, { "-1" }, { "-7" }, { "+7" }, { "1.5" }, { "1e3" }, { "0x10" }, { "7s" }, { "7, 8" }, { "soon" }, { "NaN" },
    { "inf" },
    { "Sun, 06 Nov 1994 08:49:37 GMT", 0 },
    { "Sun, 06 Nov 1994 08:49:47 GMT", 10 },
    { "Sunday, 06-Nov-94 08:49:47 GMT", 10 },
    { "Sun Nov  6 08:49:47 1994", 10 },
    { "Sun, 06 Nov 1994 09:49:37 GMT", 3600 },
    { "Mon, 07 Nov 1994 08:49:37 GMT", 86400 },
    { "Wed Nov 16 08:49:37 1994", 864000 },
    { "Thu, 29 Feb 1996 00:00:00 GMT", 825552000 - now },
    { "Thu, 29 Feb 2024 00:00:00 GMT", 1709164800 - now },
    { "Friday, 01-Mar-24 00:00:00 GMT", 1709251200 - now },
    { "Fri Mar  1 00:00:00 2024", 1709251200 - now },
    { "Sat, 01 Jan 2000 00:00:00 GMT", 946684800 - now },
    { "Sun, 06 Nov 1994 08:49:36 GMT", 0 },
    { "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
    { "Saturday, 01-Jan-94 00:00:00 GMT", 0 },
    { "Sat Jan  1 00:00:00 1994", 0 },
    { "Sun, 32 Nov 1994 08:49:47 GMT" },
    { "Sun, 00 Nov 1994 08:49:47 GMT" },
    { "Sun, 06 Foo 1994 08:49:47 GMT" },
    { "Sun, 06 anF 1994 08:49:47 GMT" },
    { "Sun, 06 Nov 1994 24:49:47 GMT" },
    { "Sun, 06 Nov 1994 08:60:47 GMT" },
    { "Sun, 06 Nov 1994 08:49:61 GMT" },
    { "Sun, 06 Nov 1994 08:49:47" },
    { "Sun, 06 Nov 1994 08:49:47 PST" },
    { "Sun, 06 Nov 1994 08:49:47 GMTx" },
    { "Sun, 06 Nov 1994" },
    { "1994-11-06T08:49:47Z" },
    { "GMT" }, { "," }, { "Sun" },
  }

  for _, case in ipairs(values) do
    it(("reads %q as %s"):format(case[1], case[2] or "nothing"), function()
      for _, kind in ipairs({ "rate_limited", "server" }) do
        local seconds = after({ retry_after = case[1], kind = kind })
        if case[2] then
          near(case[2], seconds)
        else
          assert.is_nil(seconds)
        end
      end
    end)
  end

  it("stays a finite number whatever is asked", function()
    local seconds = after({ retry_after = ("9"):rep(127) })
    assert.is_true(seconds == nil or seconds < math.huge)
  end)

  it("of a rate limit without Retry-After is the time in which one request comes back", function()
    near(0.6, after({ policy = "100;w=60" }))
    near(60, after({ policy = "1;w=60" }))
    near(0.6, after({ policy = "100;w=60", reset = "55" }))
    near(3, after({ policy = "100;w=60", reset = "55", retry_after = "3" }))
    near(0.6, after({ policy = "100;w=60", retry_after = "soon" }))
  end)

  it("of a rate limit without a policy is the time in which all come back", function()
    near(55, after({ reset = "55" }))
    for _, policy in ipairs({ "0;w=60", "100", ";w=60", "100;w=", "x;w=60", "100;w=x", "-1;w=60" }) do
      near(55, after({ policy = policy, reset = "55" }))
      assert.is_nil(after({ policy = policy }))
      assert.is_nil(after({ policy = policy, reset = "-5" }))
      assert.is_nil(after({ policy = policy, reset = "soon" }))
    end
  end)

  it("of other answers is not read from the rate limit, which they all carry", function()
    for _, kind in ipairs({ "server", "timeout", "not_active", "unauthorized" }) do
      assert.is_nil(after({ kind = kind, policy = "100;w=60", reset = "55" }))
    end
  end)
end)

describe("an address", function()
  local loopback = { "http://127.0.0.1", "http://127.0.0.1:80/x", "http://127.1.2.3", "https://127.0.0.1",
    "http://[::1]", "http://[::1]:80/", "http://localhost", "HTTP://LocalHost:80", "https://localhost/v1" }
  local elsewhere = { "https://127.0.0.1.evil.com", "https://127.1", "https://localhost.evil.com", "https://[::2]",
    "https://128.0.0.1", "https://127.0.0.256", "https://127.0.0.01", "https://2130706433", "https://0x7f000001",
    "https://evil.com/localhost", "https://evil.com/127.0.0.1", "https://127.0.0.1.1", "https://xlocalhost" }

  for _, url in ipairs(loopback) do
    it("is on this machine: " .. url, function()
      assert.is_nil(rooms.address_problem(url))
      assert.is_true(rooms.is_loopback(url))
    end)
  end

  for _, url in ipairs(elsewhere) do
    it("is not on this machine: " .. url, function()
      assert.is_false(rooms.is_loopback(url))
      assert.is_string(rooms.address_problem((url:gsub("^https", "http"))))
    end)
  end

  it("is long at most, and holds no byte that a URL cannot", function()
    assert.is_nil(rooms.address_problem("https://x.example/" .. ("a"):rep(1000)))
    assert.is_string(rooms.address_problem("https://x.example/" .. ("a"):rep(100000)))
    for byte = 0, 255 do
      local url = "https://x.example/a" .. string.char(byte)
      if byte <= 0x20 or byte == 0x7F then
        assert.is_string(rooms.address_problem(url), byte)
      elseif string.char(byte):find("^[%w%-._~/]$") then
        assert.is_nil(rooms.address_problem(url), byte)
      end
    end
  end)
end)

describe("text", function()
  it("replaces each occurrence by ***", function()
    -- text, needle, what is left, how many
    local cases = {
      { "", "secret", "", 0 },
      { "nothing here", "secret", "nothing here", 0 },
      { "secret", "secret", "***", 1 },
      { "a secret b", "secret", "a *** b", 1 },
      { "secretsecret", "secret", "******", 2 },
      { "secret secret secre", "secret", "*** *** secre", 2 },
      { "ssecret", "secret", "s***", 1 },
      { "secsecret", "secret", "sec***", 1 },
      { "aaaaa", "aaa", "***aa", 1 },
      { "abab ababab", "abab", "*** ***ab", 2 },
      { "x\0secret\0y", "secret", "x\0***\0y", 1 },
      { "abc", "abc", "***", 1 },
      { "abcabc", "abc", "******", 2 },
      { "***", "***", "***", 1 },
      { "se", "secret", "se", 0 },
      { "Secret SECRET", "secret", "Secret SECRET", 0 },
    }
    for _, case in ipairs(cases) do
      local left, count = rooms.mask(case[1], case[2])
      assert.are.equal(case[3], left)
      assert.are.equal(case[4], count)
    end
    local left, count = rooms.mask(("secret,"):rep(10000), "secret")
    assert.are.equal(("***,"):rep(10000), left)
    assert.are.equal(10000, count)
  end)

  it("grows up to its limit and not over it", function()
    -- limit, pieces, text, whether all had room
    local cases = {
      { 10, {}, "", true },
      { 10, { "" }, "", true },
      { 10, { "12345", "67890" }, "1234567890", true },
      { 10, { "12345", "678901" }, "12345", false },
      { 10, { "12345", "678901", "67890" }, "1234567890", false },
      { 0, { "1" }, "", false },
      { 0, { "" }, "", true },
      { 10, { "12345678901" }, "", false },
      { 4, { "a\0b\0", "" }, "a\0b\0", true },
    }
    for _, case in ipairs(cases) do
      local text, all = rooms.add(case[1], (table.unpack or unpack)(case[2])) -- luacheck: ignore 113
      assert.are.equal(case[3], text)
      assert.are.equal(case[4], all)
    end
    local text = rooms.add(1048576, ("x"):rep(1048575), "yy", "z")
    assert.are.equal(("x"):rep(1048575) .. "z", text)
  end)

  it("makes one line of what comes from outside, cut between characters", function()
    -- limit, bytes, line
    local cases = {
      { 10, "", "" }, { 10, "words", "words" }, { 5, "words", "words" }, { 4, "words", "word..." },
      { 20, "a\r\nb\0c\27d\127", "a  b c d " }, { 3, "a\195\188b", "a\195\188..." }, { 2, "a\195\188b", "a..." },
      { 5, "a\240\159\152\128b", "a\240\159\152\128..." }, { 4, "a\240\159\152\128b", "a..." },
    }
    for _, case in ipairs(cases) do
      assert.are.equal(case[3], rooms.line(case[1], case[2]))
    end
  end)

  it("knows UTF-8", function()
    for _, good in ipairs({ "", "a", "\127", "\194\128", "\223\191", "\224\160\128", "\237\159\191", "\238\128\128",
      "\239\191\191", "\240\144\128\128", "\244\143\191\191", "a\195\188b\240\159\152\128c", "\0" }) do
      assert.is_true(rooms.is_utf8(good))
    end
    for _, bad in ipairs({ "\128", "\191", "\192\128", "\193\191", "\194", "\194a", "\224\159\191", "\224\160",
      "\237\160\128", "\237\191\191", "\240\143\191\191", "\240\144\128", "\244\144\128\128", "\245\128\128\128",
      "\254", "\255", "a\255", "ok\195", "\195\188\188", "\240\159\152" }) do
      assert.is_false(rooms.is_utf8(bad))
    end
  end)
end)

describe("a request", function()
  local all = { "memories.stop", "screenplay.cancel", "emogg.stop", "fastpix.finish" }

  it("can carry these ids", function()
    for _, id in ipairs({ "a", "...", ".a", "a.", "/", "a/../b", "%", " ", "\195\188", ("x"):rep(255), "{id}" }) do
      for _, operation in ipairs(all) do
        assert.is_nil(rooms.id_problem(operation, id))
      end
    end
    for _, id in ipairs({ "\128", "\255\254", "a\195" }) do
      assert.is_string(rooms.id_problem("memories.stop", id))
      for index = 2, 4 do
        assert.is_nil(rooms.id_problem(all[index], id))
      end
    end
  end)

  it("cannot carry these", function()
    for _, operation in ipairs(all) do
      for _, id in ipairs({ "", ".", "..", ("x"):rep(256), "\127" }) do
        assert.is_string(rooms.id_problem(operation, id))
      end
      for byte = 0, 31 do
        assert.is_string(rooms.id_problem(operation, "a" .. string.char(byte)))
        assert.is_string(rooms.id_problem(operation, string.char(byte)))
      end
    end
  end)

  -- operation, parts, the part at fault
  local credentials = {
    { "memories.stop", { "sk-mavi-1" } },
    { "screenplay.cancel", { "x" } },
    { "emogg.stop", { "a.b-c_d~e+f/g=" } },
    { "fastpix.finish", { "id", "key" } },
    { "fastpix.finish", { "id", "k:e:y" } },
    { "fastpix.finish", { "id", "w\195\164hrung" } },
    { "memories.stop", { "" }, "api_key" },
    { "memories.stop", {}, "api_key" },
    { "memories.stop", { "a\nb" }, "api_key" },
    { "memories.stop", { "a\0" }, "api_key" },
    { "memories.stop", { "a\127" }, "api_key" },
    { "screenplay.cancel", { "Bearer x" }, "api_key" },
    { "emogg.stop", { "BEARER x" }, "token" },
    { "emogg.stop", { "x\r" }, "token" },
    { "fastpix.finish", { "id" }, "password" },
    { "fastpix.finish", { "id", "" }, "password" },
    { "fastpix.finish", { "", "key" }, "username" },
    { "fastpix.finish", { nil, "key" }, "username" },
    { "fastpix.finish", { "i:d", "key" }, "username" },
    { "fastpix.finish", { "id\n", "key" }, "username" },
    { "fastpix.finish", { "id", "key\n" }, "password" },
    { "fastpix.finish", { "id", "key\0" }, "password" },
  }

  for _, case in ipairs(credentials) do
    it(("%s this credential: %s %q"):format(case[3] and "cannot carry" or "can carry", case[1],
      tostring(case[2][1]) .. " " .. tostring(case[2][2])), function()
      local problem, part = rooms.credential_problem(case[1], case[2][1], case[2][2])
      assert.are.equal(case[3] ~= nil, problem ~= nil)
      assert.are.equal(case[3], part)
    end)
  end
end)

describe("timers", function()
  -- What order() is to give, by a sort; equal moments may come in any order, so none are equal here.
  local function expected(dues, removed)
    local gone, list = {}, {}
    for _, index in ipairs(removed) do
      gone[index] = true
    end
    for index in ipairs(dues) do
      if not gone[index] then
        list[#list + 1] = index
      end
    end
    table.sort(list, function(a, b) return dues[a] < dues[b] end)
    return list
  end

  it("come in the order of their moments", function()
    for _, dues in ipairs({ {}, { 1 }, { 1, 2 }, { 2, 1 }, { 3, 1, 2 }, { 5, 4, 3, 2, 1 }, { 1, 2, 3, 4, 5, 6, 7 },
      { 0, -1, 1e300, 0.5 } }) do
      assert.are.same(expected(dues, {}), rooms.order(dues, {}))
    end
  end)

  it("come so whichever are taken out before, once or twice", function()
    local dues = { 9, 4, 7, 1, 8, 2, 6, 3, 5 }
    for one = 1, #dues do
      for two = 1, #dues do
        assert.are.same(expected(dues, { one, two }), rooms.order(dues, { one, two }))
      end
    end
  end)

  it("come so when there are many", function()
    local state, dues, removed = 1, {}, {}
    for index = 1, 1000 do
      state = state * 16807 % 2147483647
      dues[index] = state
      if state % 3 == 0 then
        removed[#removed + 1] = index
      end
    end
    assert.are.same(expected(dues, removed), rooms.order(dues, removed))
  end)

  it("of the same moment all come", function()
    local order = rooms.order({ 1, 1, 1, 0, 1, 1 }, { 2 })
    assert.are.equal(4, order[1])
    table.sort(order)
    assert.are.same({ 1, 3, 4, 5, 6 }, order)
  end)
end)

-- Bytes as FIPS and the RFCs print them.
local function hex(bytes)
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

describe("sha256", function()
  -- FIPS 180-4's examples, and the digest of nothing.
  for text, digest in pairs({
    [""] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq =
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    [("a"):rep(1000000)] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
  }) do
    it(("of %d bytes"):format(#text), function()
      assert.are.equal(digest, hex(rooms.sha256(text)))
    end)
  end

  it("is the same in however many parts the bytes come", function()
    local text = ("0123456789abcdef"):rep(20)
    local whole = rooms.sha256(text)
    for cut = 0, #text do
      assert.are.equal(whole, rooms.sha256(text:sub(1, cut), "", text:sub(cut + 1)))
    end
  end)

  -- RFC 4231, test cases 1 to 4, 6 and 7.
  for number, case in ipairs({
    { ("\11"):rep(20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
    { "Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
    { ("\170"):rep(20), ("\221"):rep(50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
    { "\1\2\3\4\5\6\7\8\9\10\11\12\13\14\15\16\17\18\19\20\21\22\23\24\25", ("\205"):rep(50),
      "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
    { ("\170"):rep(131), "Test Using Larger Than Block-Size Key - Hash Key First",
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
    { ("\170"):rep(131), "This is a test using a larger than block-size key and a larger than block-size data. "
      .. "The key needs to be hashed before being used by the HMAC algorithm.",
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" },
  }) do
    it("keyed, example " .. number, function()
      assert.are.equal(case[3], hex(rooms.hmac(case[1], case[2])))
    end)
  end
end)

describe("base64_decode", function()
  for text, bytes in pairs({
    [""] = "", ["Zg=="] = "f", ["Zm8="] = "fo", ["Zm9v"] = "foo", ["Zm9vYg=="] = "foob", ["Zm9vYmE="] = "fooba",
    ["Zm9vYmFy"] = "foobar", ["Zg"] = "f", ["Zm8"] = "fo", ["+/+/"] = "\251\255\191", ["-_-_"] = "\251\255\191",
    [" \tZm9v\r\n"] = "foo", ["AAAA"] = "\0\0\0",
  }) do
    it(("takes %q"):format(text), function()
      assert.are.equal(bytes, rooms.unbase64(text, 6))
    end)
  end

  for _, text in ipairs({
    "Z", "Zm9vY", "Z===", "Zg=", "Zg===", "=", "==", "====", "Zm=v", "Zm9v=", "Zm9v====", "Zm 9v", "Zm\n9v", "Zm9\0",
    "Zm9.", "Zm9\195", "{}==",
  }) do
    it(("refuses %q"):format(text), function()
      assert.is_nil(rooms.unbase64(text, 100))
    end)
  end

  it("refuses what has no room", function()
    assert.are.equal("foobar", rooms.unbase64("Zm9vYmFy", 6))
    for room = 0, 5 do
      assert.is_nil(rooms.unbase64("Zm9vYmFy", room))
    end
  end)
end)
