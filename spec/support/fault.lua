--- What every fault is held to: its error says what happened, it keeps its deadline, and the next call on the same
--- client gets its own answer.
local assert = require("luassert")
local raw_server = require("spec.support.raw_server")
local support = require("spec.support")

local fault = {}

--- How much later than its deadline a call may return on a busy machine: much less than what would go on without one.
fault.ROOM = 3

-- The kinds of the contract: whether the same call may well succeed later, which is also whether it is tried again.
local retryable = {
  unauthorized = false, payment_required = false, forbidden = false, not_found = false, not_active = false,
  invalid_request = false, rate_limited = true, rejected = false, server = true, redirect = false, dns = true,
  connect = true, tls = false, network = true, timeout = true, protocol = false,
}

-- With MEDIASTOP_FAULT_TABLE, a file, every fault leaves a line there.
local function note(name, err, deadline)
  local path = os.getenv("MEDIASTOP_FAULT_TABLE")
  local file = path and io.open(path, "a")
  if file then
    file:write(("%s\t%s\t%s\t%d\t%.3f\t%.3f\t%s\n"):format(name, err.kind, err.reached, err.attempts, err.elapsed,
      deadline, err.message))
    file:close()
  end
end

local function one_of(words, word)
  if type(words) == "string" then
    return words == word
  end
  for _, one in ipairs(words) do
    if one == word then
      return true
    end
  end
end

--- Whether the calls of that kind are tried again.
function fault.is_retried(kind)
  return retryable[type(kind) == "table" and kind[1] or kind]
end

--- What `reached` is where an answer ended in its first line. A new libcurl (8.21) reads at once, and says nothing
--- of bytes that are no whole line.
fault.FIRST_LINE = support.older_libcurl("8.0") and "yes" or { "yes", "maybe" }

--- Checks what a call returned against { kind, reached, attempts, status, deadline }; `kind` and `reached` may be lists
--- where the contract, or libcurl, leaves a choice.
function fault.check(expected, result, message, err)
  assert.is_nil(result and (result.outcome .. " in place of an error"))
  assert.is_string(message)
  assert.is_table(err)
  assert.are.equal(message, err.message)
  assert.is_nil(message:find("[%c]"), "the message is no single line")
  assert.is_true(one_of(expected.kind, err.kind), message)
  assert.is_true(one_of(expected.reached, err.reached), message)
  assert.are.equal(retryable[err.kind], err.retryable, message)
  assert.are.equal(expected.attempts or 1, err.attempts, message)
  if expected.status then
    assert.are.equal(expected.status, err.status)
  end
  local deadline = expected.deadline or 5
  assert.is_true(err.elapsed < deadline + fault.ROOM, ("took %.3f s: %s"):format(err.elapsed, message))
  note(expected.name or "?", err, deadline)
  return err
end

--- Stops a new job, at a raw server or at the emulator, and checks that the answer is its own.
function fault.check_next_call(client)
  local id = support.id("memories")
  local result, message = client.memories.stop(id, { attempts = 1, timeout = 5 })
  assert.is_table(result, message)
  assert.are.equal("ended", result.outcome)
  assert.are.equal(1, result.attempts)
  assert.are.equal(id, result.body.data.task_id)
end

--- A client of a raw server.
function fault.client(server, options)
  return support.origin_client(server.origin, support.merge({
    base_url = { memories = server.origin, screenplay = server.origin, emogg = server.origin, fastpix = server.origin },
    timeout = 5,
    attempt_timeout = 2,
  }, options))
end

-- The steps for each of so many attempts, on a connection of its own; or on whatever connection it comes.
local function script_of(expected, steps, count)
  local script = {}
  for index = 1, count do
    script[index] = steps
    if expected.stream then
      script[index] = { { tls = "h2" }, { serve = true, spoil = count, by = steps } }
    end
  end
  return script
end

local function play(expected, steps, attempts, options)
  local sent = attempts and 1 or (fault.is_retried(expected.kind) and 3 or 1)
  local server = raw_server.listen(script_of(expected, steps, sent), expected.protocol)
  local client = fault.client(server)
  local all = support.merge(options or {}, { attempts = attempts })
  local case = support.merge(expected, { attempts = sent })
  local err = fault.check(case, client.memories.stop(support.id(), all))
  fault.check_next_call(client)
  if expected.requests then
    assert.are.equal(expected.requests * sent + 1, server:requests())
  end
  client:close()
  server:close()
  return err
end

--- The steps are played to every attempt of a call: with one attempt, and with the usual three. `expected` may also
--- have `requests`, how many of each attempt are read by the script, `protocol`, for TLS, and `stream`: the steps come
--- behind an HTTP/2 request and concern its stream alone, so that the connection lives. Returns the error.
function fault.on_wire(expected, steps, options)
  play(expected, steps, 1, options)
  return play(expected, steps, nil, options)
end

--- The same with a step of the emulator, for `expected.provider` (memories). Returns the error.
function fault.on_emulator(expected, step, options)
  local emulator, provider = support.emulator(), expected.provider or "memories"
  local err
  for _, attempts in ipairs({ 1, 3 }) do
    local sent = fault.is_retried(expected.kind) and attempts or 1
    local client = support.origin_client(expected.origin, { timeout = 5, attempt_timeout = 2 })
    local id = support.id(provider)
    emulator:faults(id, { support.merge(step, { times = 3 }) })
    local all = support.merge(options or {}, { attempts = attempts == 1 and 1 or nil })
    local case = support.merge(expected, { attempts = sent })
    err = fault.check(case, support.call(client, provider, id, all))
    assert.are.equal(sent, #emulator:requests(id))
    fault.check_next_call(client)
    emulator:faults(id, {})
    client:close()
  end
  return err
end

return fault
