--- Memory that runs short at every place of a call, also while its failure is being told.
local core = require("mediastop.core")
local exhausted = require("spec.support.exhausted")
local finding = require("spec.support.finding")
local json = require("cjson").new()
local mediastop = require("mediastop")
local support = require("spec.support")

-- LuaJIT's collector does not take another allocator.
local shortage = not rawget(_G, "jit") and require("shortage")

local function exhaust(f, prepare, check)
  return exhausted.run(shortage.within, f, prepare, check)
end

describe("where memory runs short", function()
  if not shortage then
    return pending("LuaJIT takes no other allocator")
  end
  local client, id

  before_each(function()
    -- No collection at events: what Lua then has no memory to finalise is lost (regress/skipped_finalizer_spec.lua).
    client = support.client({ on_event = os.getenv("COLLECT") and function() end or nil })
    id = support.id("memories")
    assert.is_table(client.memories.stop(id))
  end)

  after_each(function()
    client:close()
  end)

  it("a call that succeeds ends in its result or in Lua's own error", function()
    local count = exhaust(function()
      local result = client.memories.stop(id)
      return result.outcome == "ended" or error("no result")
    end)
    assert.is_true(count > 10)
  end)

  it("so does one that is confirmed", function()
    local stream = support.id()
    support.emulator():job("fastpix", stream, "idle")
    exhaust(function()
      -- Next to no time, so that the pause ahead of the read is short.
      local result, message, err = client.fastpix.finish(stream,
        { confirm = true, ignore_ended = true, timeout = 0.12 })
      if not result then
        return err.kind == "timeout" or error(message) -- on a busy machine
      end
      return result.state == "idle" or result.outcome == "accepted" or error("no state")
    end)
  end)

  it("so does one that reads", function()
    local stream = support.id("fastpix")
    exhaust(function()
      return client.fastpix.status(stream).state == "active" or error("no state")
    end)
  end)

  it("so does one that the provider refuses", function()
    exhaust(function()
      local _, message, err = client.fastpix.finish("no-such-stream")
      return err.kind == "not_found" and message == err.message or error("no error")
    end)
  end)

  it("so does one that is refused here", function()
    exhaust(function()
      local _, _, err = client.fastpix.finish("")
      return err.kind == "invalid_id" or error("no error")
    end)
    exhaust(function()
      local _, _, err = client.fastpix.finish("x", { credentials = { username = "u" } })
      return err.kind == "credentials" or error("no error")
    end)
  end)

  it("so does misuse", function()
    exhaust(function()
      local ok, message = pcall(client.fastpix.finish, "x", { time_out = 1 })
      if not ok and not message:find("did you mean 'timeout'", 1, true) then
        error(message, 0)
      end
    end)
  end)

  it("a job that is started, asked and cancelled", function()
    exhaust(function()
      local job = client:start("memories.stop", id)
      job:poll()
      job:cancel()
      return job:poll() or error("unfinished")
    end)
  end)

  it("a client that is made and closed", function()
    exhaust(function()
      local other = mediastop.new { credentials = { emogg = { token = "token" } }, user_agent = "a/1" }
      other:close()
    end)
  end)

  it("a job that is waited for, and one whose client is closed", function()
    exhaust(function()
      local job = client:start("memories.stop", id)
      local finished = job:wait(5)
      return finished and job:result().outcome == "ended" or error("no result")
    end)
    exhaust(function()
      local other = support.client({ on_event = os.getenv("COLLECT") and function() end or nil })
      local job = other:start("memories.stop", id)
      other:close()
      return select(3, job:result()).kind == "closed" or error("not closed")
    end)
  end)

  it("a loop of step, fd and due", function()
    exhaust(function()
      client:start("memories.stop", id)
      assert(client:fd() or "none")
      while client:step() > 0 do
        client:due()
      end
    end)
    assert.are.equal(0, client:step())
  end)

  it("each, which gives out every request once or raises", function()
    local requests = { { "memories.stop", id }, { "no.such", id }, { "fastpix.status", "" }, { "memories.stop", id } }
    exhaust(function()
      local given = {}
      for request, result, _, err in client:each(requests, { concurrency = 2 }) do
        given[#given + 1] = request
        local good = result and result.outcome == "ended" or err and (err.kind == "misuse" or err.kind == "invalid_id")
        if not good then
          error(err and err.message or "no result")
        end
      end
      return #given == 4 or error("requests are lost")
    end, nil, function()
      collectgarbage()
      assert.are.equal(0, client:step())
    end)
  end)

  it("a listener, whose events are told or not", function()
    exhaust(function()
      local result = client.memories.stop(id, { on_event = function(event) return event.type .. "x" end })
      return result.outcome == "ended" or error("no result")
    end)
  end)

  it("a credential that is asked for, and asked for again", function()
    local stream = support.id("fastpix")
    local given = support.emulator().credentials.fastpix
    exhaust(function()
      local asked = 0
      local _, message, err = client.fastpix.status(stream, { credentials = function()
        asked = asked + 1
        return asked % 2 == 1 and { username = "u" .. asked, password = "p" } or given
      end })
      return not err or (err.kind == "unauthorized" or err.kind == "credentials") and message or error(message)
    end)
  end)

  it("what providers post", function()
    local callback = '{"code":200,"message":"SUCCESS","task_id":"t-1","data":{"status":14,"message":"Stopped"}}'
    exhaust(function()
      return mediastop.memories.callback(callback).ended or error("not read")
    end)
    exhaust(function()
      return select(3, mediastop.memories.callback("[]")).kind == "protocol" or error("not refused")
    end)
    exhaust(function()
      return mediastop.fastpix.webhook("{}", nil, "QUJD").probe or error("not read")
    end)
    exhaust(function()
      local _, _, err = mediastop.fastpix.webhook(callback, ("A"):rep(43) .. "=", { "QUJD", "QUJE" })
      return err.kind == "unauthorized" or error("not refused")
    end)
  end)

  it("a secret, a bell, a ticket", function()
    exhaust(function()
      local secret = core.secret("fastpix", "a place", { username = "user", password = "password" })
      return tostring(secret):find("a place", 1, true) or error("no secret")
    end)
    exhaust(function()
      local bell = assert(core.engine.bell())
      bell:close()
    end)
    exhaust(function()
      local ticket = assert(core.tickets.issue("spec.shortage"))
      return ticket:take() or error("no ticket")
    end)
    assert.are.equal(0, core.tickets.call_off("spec.shortage"))
  end)

  it("a credential is found in every place", function()
    local key = finding.MARK .. "-0123456789"
    local folder = finding.folder({ memories_api_key = key })
    for place, environment in pairs({
      environment = { MEMORIES_API_KEY = key },
      file = { MEMORIES_API_KEY_FILE = finding.file(key) },
      systemd = { CREDENTIALS_DIRECTORY = folder },
      credentials = finding.with_file(json.encode({ default = { memories = { api_key = key } } })),
      program = finding.with_program("echo", json.encode({ api_key = key })),
      nothing = { HOME = "/nonexistent" },
    }) do
      local child = finding.run(([[
        local exhausted, shortage = require("spec.support.exhausted"), require("shortage")
        local credentials = require("mediastop.credentials")
        local wanted = %q ~= "nothing"
        exhausted.run(shortage.within, function()
          local secret, why = credentials.find("memories", nil, nil, 5, 0)
          credentials.explain("memories")
          if (secret ~= nil) ~= wanted then
            error(why)
          end
        end)
      ]]):format(place), environment)
      assert.are.equal("", child.stderr, place)
      assert.are.equal(0, child.status, place)
    end
  end)

  it("the next call on the same client gets its own answer", function()
    exhaust(function()
      client.memories.stop(id)
    end)
    local other = support.id("memories")
    local result, message = client.memories.stop(other)
    assert.is_table(result, message)
    assert.are.equal(other, result.body.data.task_id)
    assert.are.equal(0, client:step())
  end)
end)
