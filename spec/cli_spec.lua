--- The command `mediastop`, through the shell.
local command = require("spec.support.command")
local fault = require("spec.support.fault")
local finding = require("spec.support.finding")
local json = require("cjson").new()
local many = require("spec.support.many")
local mediastop = require("mediastop")
local support = require("spec.support")
local system = require("spec.emulator.system")

local emulator = support.emulator()

-- Runs an operation of a provider with these ids and options against the emulator.
local function run(operation, ids, more, options)
  local provider = operation:match("^%a+")
  return command.run(("%s %s %s %s"):format(operation, more or "", ids, command.base_urls(provider)), options)
end

local function stop_all(input, more, options)
  options = options or {}
  options.input = input
  return command.run("stop-all " .. command.base_urls() .. " " .. (more or ""), options)
end

-- The lines of a text, each decoded.
local function objects(text)
  local list = {}
  for line in text:gmatch("[^\n]+") do
    list[#list + 1] = json.decode(line)
  end
  return list
end

local function check(expected, ran)
  assert.are.equal(expected, ran.status, ran.stdout .. ran.stderr)
  assert.is_nil((ran.stdout .. ran.stderr):find("traceback", 1, true))
  return ran
end

describe("an operation", function()
  local usual = {
    { "memories.stop", "ended" },
    { "screenplay.cancel", "ended (state cancelled, confirmed)" },
    { "fastpix.finish", "ended" },
  }

  for _, case in ipairs(usual) do
    it(case[1] .. " ends jobs, says so, and exits with 0", function()
      local provider = case[1]:match("^%a+")
      local one, two = support.id(provider), support.id(provider)
      local ran = check(0, run(case[1], one .. " " .. two))
      for _, id in ipairs({ one, two }) do
        assert.is_truthy(ran.stdout:find(("%s %s: %s\n"):format(case[1], id, case[2]), 1, true), ran.stdout)
      end
      assert.are.equal(2, select(2, ran.stdout:gsub("\n", "")))
      assert.are.equal("", ran.stderr)
    end)
  end

  it("that is only accepted exits with 4, and says how to know", function()
    local id = support.id("emogg")
    local ran = check(4, run("emogg.stop", id))
    assert.are.equal(("emogg.stop %s: accepted (state active)\n"):format(id), ran.stdout)
    assert.is_truthy(ran.stderr:find("--confirm", 1, true))
  end)

  it("is confirmed by --confirm", function()
    for provider, words in pairs({
      emogg = "emogg.stop %s: ended (state finished, confirmed)\n",
      fastpix = "fastpix.finish %s: ended (state idle, confirmed)\n",
    }) do
      local id = support.id(provider)
      local ran = check(0, run(support.operation(provider).full, id, "--confirm"))
      assert.are.equal(words:format(id), ran.stdout)
      assert.are.equal("", ran.stderr)
    end
  end)

  it("that cannot be confirmed in time exits with 4, and says why", function()
    local id = support.id()
    emulator:job("emogg", id, nil, { finish_after = 60 })
    local ran = check(4, run("emogg.stop", id, "--confirm --timeout 0.6"))
    assert.is_truthy(ran.stdout:find("accepted (state processing, unconfirmed: timeout: ", 1, true), ran.stdout)
  end)

  it("reads a state, and exits with 0 whatever it is", function()
    for _, case in ipairs({
      { "screenplay", "running" }, { "screenplay", "failed" }, { "emogg", "active" }, { "fastpix", "idle" },
    }) do
      local id = support.id()
      emulator:job(case[1], id, case[2])
      local ran = check(0, run(case[1] .. ".status", id))
      assert.are.equal(("%s.status %s: %s\n"):format(case[1], id, case[2]), ran.stdout)
    end
  end)

  it("that the provider refuses exits with 1, its words on standard error", function()
    local id = support.id()
    local ran = check(1, run("fastpix.finish", id))
    assert.are.equal("", ran.stdout)
    assert.is_truthy(ran.stderr:find("^mediastop: fastpix.finish " .. id:gsub("%-", "%%-") .. ": not_found: "))
    emulator:job("fastpix", id, "idle")
    check(1, run("fastpix.finish", id))
    local forgiven = check(0, run("fastpix.finish", id, "--ignore-ended"))
    assert.are.equal(("fastpix.finish %s: already_ended\n"):format(id), forgiven.stdout)
  end)

  it("exits with the highest status of its jobs, and carries out all of them", function()
    local good, bad = support.id("fastpix"), support.id()
    local ran = check(1, run("fastpix.finish", bad .. " " .. good))
    assert.is_truthy(ran.stdout:find(good, 1, true))
    assert.is_truthy(ran.stderr:find(bad, 1, true))
    assert.are.equal("idle", emulator:state("fastpix", good))
  end)

  -- what the provider answers, the exit status
  local statuses = {
    { { status = 400 }, 1 }, { { status = 401 }, 3 }, { { status = 402 }, 1 }, { { status = 403 }, 1 },
    { { status = 404 }, 1 }, { { status = 422 }, 1 }, { { status = 429 }, 1 }, { { status = 302 }, 1 },
    { { body = '{"success":false}' }, 1 }, { { status = 500 }, 4 }, { { status = 503 }, 4 }, { { drop = true }, 4 },
    { { hang = 3 }, 4 }, { { body = "<html>" }, 4 }, { { empty = true }, 4 },
  }
  for _, case in ipairs(statuses) do
    it(("exits with %d on %s"):format(case[2], json.encode(case[1])), function()
      local id = support.id("fastpix")
      emulator:faults(id, { case[1] })
      check(case[2], run("fastpix.finish", id, "--attempts 1 --timeout 1"))
    end)
  end

  it("exits with 4 where there is no provider", function()
    local ran = check(4, command.run("fastpix.finish x --attempts 1 --base-url http://127.0.0.1:1"))
    assert.is_truthy(ran.stderr:find(": connect: ", 1, true))
  end)

  it("exits with 2 on an id that cannot be sent", function()
    for _, id in ipairs({ "''", "'a\nb'", ".", ("x"):rep(256) }) do
      local ran = check(2, run("fastpix.finish", id))
      assert.is_truthy(ran.stderr:find(": invalid_id: ", 1, true))
    end
  end)

  it("takes an id that looks like an option behind --", function()
    local ran = check(1, command.run("fastpix.finish " .. command.base_urls("fastpix") .. " -- --json -q"))
    assert.is_truthy(ran.stderr:find("fastpix.finish --json: not_found", 1, true))
    assert.is_truthy(ran.stderr:find("fastpix.finish -q: not_found", 1, true))
  end)

  it("takes options ahead of it as well", function()
    local id = support.id("fastpix")
    local arguments = ("--json --confirm %s fastpix.finish %s"):format(command.base_urls("fastpix"), id)
    local ran = check(0, command.run(arguments))
    assert.is_true(objects(ran.stdout)[1].confirmed)
  end)

  it("takes an address without its provider's name", function()
    local id = support.id("emogg")
    check(0, command.run(("emogg.stop --confirm --base-url %s %s"):format(emulator:base_url().emogg, id)))
  end)

  it("takes an option behind it for the last word", function()
    local id = support.id("emogg")
    check(0, command.run(("--base-url emogg=http://127.0.0.1:1/v1 --timeout 0.001 emogg.stop --timeout 20 --confirm "
      .. "--base-url %s %s"):format(emulator:base_url().emogg, id)))
  end)

  it("shows no control character of an id", function()
    local id = "q\194\15531m"
    emulator:faults(id, { { status = 200, body = '{"success":true}' } })
    local ran = check(0, run("fastpix.finish", system.quote(id)))
    assert.are.equal("fastpix.finish q 31m: ended\n", ran.stdout)
  end)

  it("obeys --attempts", function()
    local id = support.id("fastpix")
    emulator:faults(id, { { status = 503, times = 9 } })
    check(4, run("fastpix.finish", id, "--attempts 2"))
    assert.are.equal(2, #emulator:requests(id))
  end)

  it("says nothing of what has ended with --quiet", function()
    local good, bad = support.id("fastpix"), support.id()
    local ran = check(0, run("fastpix.finish", good, "--quiet"))
    assert.are.equal("", ran.stdout .. ran.stderr)
    ran = check(1, run("fastpix.finish", bad, "-q"))
    assert.are.equal("", ran.stdout)
    assert.is_truthy(ran.stderr:find("not_found", 1, true))
    emulator:job("emogg", good)
    ran = check(4, run("emogg.stop", good, "-q"))
    assert.are.equal("", ran.stdout .. ran.stderr)
  end)
end)

describe("--json", function()
  it("prints one object a line, errors too", function()
    local good, bad = support.id("fastpix"), support.id()
    local ran = check(1, run("fastpix.finish", good .. " " .. bad, "--json"))
    local list = objects(ran.stdout)
    assert.are.equal(2, #list)
    local result, err = list[1], list[2]
    if result.kind then
      result, err = err, result
    end
    assert.are.equal("fastpix", result.provider)
    assert.are.equal("finish", result.operation)
    assert.are.equal(good, result.id)
    assert.are.equal("ended", result.outcome)
    assert.is_false(result.confirmed)
    assert.are.equal(200, result.status)
    assert.are.equal(1, result.attempts)
    assert.is_number(result.elapsed)
    assert.is_true(result.body.success)
    assert.is_nil(result.raw)
    assert.are.equal(bad, err.id)
    assert.are.equal("not_found", err.kind)
    assert.are.equal("yes", err.reached)
    assert.is_false(err.retryable)
    assert.is_string(err.message)
    assert.is_truthy(ran.stderr:find(err.message, 1, true))
  end)

  it("prints whatever the provider answers, and stays JSON", function()
    for _, body in ipairs({
      '{"success":true,"x":null,"y":[],"z":[null,1],"n":12345678901234567890,"e":1e300,"u":"\\u0000\\u001b\195\188"}',
      '{"success":true,"deep":' .. ("["):rep(90) .. ("]"):rep(90) .. "}",
      '{"success":true,"1":1,"9999999":2}',
    }) do
      local id = support.id("fastpix")
      emulator:faults(id, { { body = body } })
      local ran = check(0, run("fastpix.finish", id, "--json"))
      assert.are.equal(1, select(2, ran.stdout:gsub("\n", "")))
      assert.are.equal(id, objects(ran.stdout)[1].id)
    end
  end)

  it("is UTF-8 whatever comes, and has raw where body may have lost something", function()
    local id = support.id("fastpix")
    local function object(step)
      emulator:faults(id, { step })
      return objects(run("fastpix.finish", id, "--json --attempts 1").stdout)[1]
    end
    local replacement = "\239\191\189"
    assert.are.equal("<" .. replacement .. ">ab\195\169", object({ status = 403, body = "<\233>ab\195\169" }).raw)
    local cut = object({ status = 502, body = "<html>" .. ("x"):rep(4089) .. ("\195\169"):rep(50) })
    assert.are.equal("<html>" .. ("x"):rep(4089), cut.raw)
    assert.are.equal("x" .. replacement, object({ body = '{"success":false,"error":{"message":"x\233"}}' }).detail)
    for _, body in ipairs({ '{"success":true,"t":1764328427123456}', '{"success":true,"e":[ ]}',
      '{"success":true,"b":1e999}', '{"success":true,"f":0.12345678901234567}' }) do
      assert.are.equal(body, object({ body = body }).raw)
    end
    assert.is_nil(object({ body = '{"success":true,"t":1764328427,"f":0.5,"e":[1]}' }).raw)
  end)

  it("prints a state as one line without control characters", function()
    local id = support.id("emogg")
    emulator:faults(id, { { body = '{"state":"finished\\u001b[31m\\u009b\\nemogg.stop y: ended\\u2028"}' } })
    local ran = run("emogg.stop", id)
    assert.are.equal(("emogg.stop %s: accepted (state finished [31m  emogg.stop y: ended )\n"):format(id), ran.stdout)
  end)

  it("of a line that is none gives the reason that standard error gives", function()
    local ran = stop_all("fastpix.finish\nnonsense\n" .. ("y"):rep(5000) .. "\n" .. (" "):rep(200000)
      .. "fastpix.finish x", "--json")
    local lines = objects(ran.stdout)
    assert.are.equal(4, #lines)
    for _, line in ipairs(lines) do
      assert.are.equal("misuse", line.kind)
      assert.is_truthy(ran.stderr:find(("line %d: %s\n"):format(line.line, line.message), 1, true), ran.stderr)
    end
    assert.are.equal(2, ran.status)
  end)

  it("notices that explain could not be written", function()
    local ran = command.run("explain", { output = "/dev/full" })
    assert.are.equal(4, ran.status)
    assert.is_truthy(ran.stderr:find("standard output: ", 1, true))
  end)

  it("has raw where there is no body", function()
    local id = support.id("fastpix")
    emulator:faults(id, { { status = 502, body = "<html>bad gateway</html>" } })
    local ran = check(4, run("fastpix.finish", id, "--json --attempts 1"))
    assert.are.equal("<html>bad gateway</html>", objects(ran.stdout)[1].raw)
  end)

  it("prints failures only with --quiet", function()
    local good, bad = support.id("fastpix"), support.id()
    local list = objects(check(1, run("fastpix.finish", good .. " " .. bad, "--json --quiet")).stdout)
    assert.are.equal(1, #list)
    assert.are.equal("not_found", list[1].kind)
  end)
end)

describe("stop-all", function()
  it("carries out lines of all operations", function()
    local ids = {}
    for _, operation in ipairs(support.operations) do
      ids[operation.full] = support.id(operation.provider)
    end
    local lines = "# what runs\n\nmemories.stop %s\n  screenplay.cancel\t%s  \nemogg.stop     %s\nfastpix.finish %s"
    local ran = check(0, stop_all(lines:format(ids["memories.stop"], ids["screenplay.cancel"], ids["emogg.stop"],
      ids["fastpix.finish"]), "--confirm"))
    for operation, id in pairs(ids) do
      assert.is_truthy(ran.stdout:find(operation .. " " .. id .. ": ended", 1, true), ran.stdout)
    end
    assert.are.equal(4, select(2, ran.stdout:gsub("\n", "")))
    assert.are.equal("", ran.stderr)
  end)

  it("takes lines that end as Windows does, and ids with odd bytes", function()
    local id = support.id() .. " with space/\195\188?"
    emulator:job("fastpix", id)
    local ran = check(0, stop_all("fastpix.finish " .. id .. "\r\n"))
    assert.is_truthy(ran.stdout:find(id .. ": ended", 1, true))
    assert.are.equal("idle", emulator:state("fastpix", id))
  end)

  it("reports what is no line by its number, goes on, and exits with 2", function()
    local good = support.id("fastpix")
    local ran = check(2, stop_all(table.concat({
      "fastpix.finsh x", "", "nonsense", "fastpix.finish", "fastpix.finish   ", "=fastpix.finish x",
      "fastpix.finish " .. ("x"):rep(300), "fastpix.finish a\0b", ("y"):rep(10000), ("fastpix.finish "):rep(100000),
      "fastpix.finish " .. good,
    }, "\n")))
    assert.are.equal(("fastpix.finish %s: ended\n"):format(good), ran.stdout)
    for _, words in ipairs({
      "mediastop: line 1: unknown operation 'fastpix.finsh'; did you mean 'fastpix.finish'?\n",
      "mediastop: line 3: a line is an operation and an id", "mediastop: line 4: a line is an operation and an id",
      "mediastop: line 5: a line is an operation and an id", "mediastop: line 6: unknown operation '=fastpix.finish'",
      "mediastop: line 7: fastpix.finish xxx", "mediastop: line 8: fastpix.finish a b: invalid_id: ",
      "mediastop: line 9: the line is too long", "mediastop: line 10: the line is too long",
    }) do
      assert.is_truthy(ran.stderr:find(words, 1, true), words)
    end
    assert.are.equal(9, select(2, ran.stderr:gsub("\n", "")))
  end)

  it("gives a bad line's number in JSON", function()
    local list = objects(check(2, stop_all("\nfastpix.finsh x\n", "--json")).stdout)
    assert.are.equal(2, list[1].line)
    assert.are.equal("misuse", list[1].kind)
  end)

  it("does nothing on no lines", function()
    local ran = check(0, stop_all(""))
    assert.are.equal("", ran.stdout .. ran.stderr)
    check(0, stop_all("# nothing\n\n \n"))
  end)

  it("keeps to --concurrency", function()
    local ids = many.ids("fastpix", 30)
    for _, id in ipairs(ids) do
      emulator:faults(id, { { delay = 0.05 } })
    end
    local lines = "fastpix.finish " .. table.concat(ids, "\nfastpix.finish ")
    local ran = check(0, stop_all(lines, "--concurrency 5"))
    assert.are.equal(30, select(2, ran.stdout:gsub("\n", "")))
    local starts = {}
    for _, id in ipairs(ids) do
      starts[#starts + 1] = emulator:requests(id)[1].time
    end
    table.sort(starts)
    for i = 6, #starts do
      assert.is_true(starts[i] - starts[i - 5] >= 0.04, "over 5 at once")
    end
  end)

  it("carries out thousands", function()
    local ids = many.ids("memories", 3000)
    local ran = check(0, stop_all("memories.stop " .. table.concat(ids, "\nmemories.stop ") .. "\n"))
    assert.are.equal(3000, select(2, ran.stdout:gsub(": ended\n", "")))
    assert.are.equal("", ran.stderr)
  end)

  it("carries out lines as they come, and says so at once", function()
    local one, two = support.id("fastpix"), support.id("fastpix")
    local handle = command.start("stop-all " .. command.base_urls(),
      ("echo fastpix.finish %s; sleep 1.5; echo fastpix.finish %s"):format(one, two))
    assert(system.wait_until(function() return handle.stdout():find(one, 1, true) end, 1.2), "not at once")
    assert.are.equal("active", emulator:state("fastpix", two))
    local ran = check(0, handle.wait())
    assert.is_truthy(ran.stdout:find(two, 1, true))
  end)

  it("moves jobs on while it waits for lines", function()
    local one = support.id("fastpix")
    emulator:faults(one, { { status = 503 }, { delay = 0.3 } })
    local handle = command.start("stop-all " .. command.base_urls(), ("echo fastpix.finish %s; sleep 3"):format(one))
    assert(system.wait_until(function() return handle.stdout():find(one .. ": ended", 1, true) end, 2.5))
    check(0, handle.wait())
  end)

  it("leaves memories as it is with --confirm", function()
    local id = support.id("memories")
    local ran = check(0, stop_all("memories.stop " .. id, "--confirm"))
    assert.are.equal(("memories.stop %s: ended\n"):format(id), ran.stdout)
  end)

  it("says so where standard input cannot be read", function()
    local ran = check(2, command.run("stop-all", { before = "sh -c 'exec \"$0\" \"$@\" <&-'" }))
    assert.is_truthy(ran.stderr:find("mediastop: standard input: ", 1, true), ran.stderr)
  end)
end)

describe("on a terminal stop-all", function()
  if system.capture("script -qec true /dev/null >/dev/null 2>&1 && echo good") ~= "good" then
    pending("no pseudo-terminals here")
    return
  end

  it("shows how far it is, and a summary by kind", function()
    local ids = many.ids("fastpix", 60)
    for _, id in ipairs(ids) do
      emulator:faults(id, { { delay = 0.1 } })
    end
    local lines = "fastpix.finish no-such-stream\nfastpix.finsh x\nfastpix.finish "
      .. table.concat(ids, "\nfastpix.finish ")
    local seen = command.on_terminal("stop-all --concurrency 6 " .. command.base_urls(),
      { input = lines, redirect = ">/dev/null" })
    assert.is_truthy(seen:find("\r%d+ done, %d failed, [%d.]+/s, %d:%d%d left"), seen)
    assert.is_truthy(seen:find("mediastop: 62 jobs in [%d.]+ s: 60 ended, 1 misuse, 1 not_found"), seen)
    assert.is_truthy(seen:find("mediastop: line 1: fastpix.finish no%-such%-stream: not_found: "), seen)
    for part in seen:gmatch("[^\r\n]+") do
      assert.is_true(part:find("^mediastop: ") ~= nil or #part < 80)
    end
  end)

  it("keeps results and progress apart", function()
    local ids = many.ids("fastpix", 40)
    local seen = command.on_terminal("stop-all --concurrency 2 " .. command.base_urls(),
      { input = "fastpix.finish " .. table.concat(ids, "\nfastpix.finish ") })
    -- What stands on each line of the terminal in the end.
    local shown = {}
    for line in (seen .. "\n"):gmatch("([^\n]*)\r\n") do
      local text = ""
      for part in line:gmatch("[^\r]+") do
        text = part .. text:sub(#part + 1)
      end
      shown[#shown + 1] = text:gsub("%s+$", "")
    end
    assert.are.equal(41, #shown)
    for i = 1, 40 do
      assert.is_truthy(shown[i]:find("^fastpix.finish spec%-%d+: ended$"), shown[i])
    end
    assert.is_truthy(shown[41]:find("^mediastop: 40 jobs in "))
  end)

  it("fits a narrow one, and is silent with --quiet", function()
    local id = support.id("fastpix")
    local seen = command.on_terminal("stop-all " .. command.base_urls(),
      { input = "fastpix.finish " .. id, redirect = ">/dev/null", columns = 20 })
    for part in seen:gmatch("[^\r\n]+") do
      assert.is_true(part:find("^mediastop: ") ~= nil or #part < 20, part)
    end
    emulator:job("fastpix", id)
    seen = command.on_terminal("stop-all -q " .. command.base_urls(), { input = "fastpix.finish " .. id })
    assert.are.equal("", seen)
  end)

  it("shows no progress of a few ids", function()
    local id = support.id("fastpix")
    local seen = command.on_terminal(("fastpix.finish %s %s"):format(id, command.base_urls("fastpix")), {})
    assert.are.equal(("fastpix.finish %s: ended\r"):format(id), seen)
  end)
end)

describe("ended early, it says what had been sent:", function()
  -- The first is never answered, the others wait for it.
  local function hanging()
    local ids = many.ids("fastpix", 4)
    for i = 2, 4 do
      emulator:faults(ids[i], { { hang = 15 } })
    end
    return ids
  end

  local function arrived(ids)
    return function()
      for _, id in ipairs(ids) do
        if #emulator:requests(id) == 0 then
          return false
        end
      end
      return true
    end
  end

  it("Ctrl-C", function()
    local ids = hanging()
    local handle = command.start("stop-all --concurrency 3 " .. command.base_urls(),
      "printf 'fastpix.finish %s\\n' " .. table.concat(ids, " ") .. " never; sleep 8")
    assert(system.wait_until(arrived(ids), 10))
    system.signal(handle.pid, "INT")
    local ran = check(130, handle.wait())
    assert.is_true(ran.after < 2 * fault.ROOM)
    assert.are.equal(("fastpix.finish %s: ended\n"):format(ids[1]), ran.stdout)
    assert.is_truthy(ran.stderr:find("mediastop: interrupted: 1 job answered (1 ended), 3 under way, 0 not sent, the "
      .. "rest not begun\n", 1, true), ran.stderr)
    for i = 2, 4 do
      local words = ": cancelled: the job was cancelled (1 attempt; the job may have been ended)"
      assert.is_truthy(ran.stderr:find(ids[i] .. words, 1, true), ran.stderr)
    end
    assert.is_nil(ran.stderr:find("never", 1, true))
  end)

  it("Ctrl-C while it waits for lines", function()
    local id = support.id("fastpix")
    local handle = command.start("stop-all " .. command.base_urls(), ("echo fastpix.finish %s; sleep 8"):format(id))
    assert(system.wait_until(function() return handle.stdout():find(id, 1, true) end, 10))
    system.signal(handle.pid, "INT")
    local ran = check(130, handle.wait())
    assert.is_true(ran.after < 2 * fault.ROOM)
    assert.is_truthy(ran.stderr:find("interrupted: 1 job answered (1 ended), 0 under way", 1, true), ran.stderr)
  end)

  it("Ctrl-C in a few ids", function()
    local id = support.id("fastpix")
    emulator:faults(id, { { hang = 15 } })
    local handle = command.start(("fastpix.finish %s %s"):format(id, command.base_urls("fastpix")))
    assert(system.wait_until(arrived({ id }), 10))
    system.signal(handle.pid, "INT")
    local ran = check(130, handle.wait())
    assert.is_truthy(ran.stderr:find(id .. ": cancelled: ", 1, true))
  end)

  it("a pipe that nobody reads", function()
    local ids = many.ids("fastpix", 500)
    local printed = command.script(("printf 'fastpix.finish %%s\\n' %s | { mediastop stop-all --concurrency 4 %s; "
      .. "echo status $? >&2; } | head -n 1"):format(table.concat(ids, " "), command.base_urls()))
    assert.is_truthy(printed:find("mediastop: standard output: Broken pipe: %d+ jobs answered %(%d+ ended%), "
      .. "%d under way, %d not sent, the rest not begun"), printed)
    assert.is_truthy(printed:find("status 4", 1, true), printed)
    -- What was answered is what was ended.
    local ended = tonumber(printed:match("Broken pipe: (%d+) jobs answered"))
    local idle, under_way = 0, tonumber(printed:match("(%d+) under way"))
    for _, id in ipairs(ids) do
      idle = idle + (emulator:state("fastpix", id) == "idle" and 1 or 0)
    end
    assert.is_true(ended >= 1 and ended <= idle and idle <= ended + under_way, printed)
  end)

  it("standard streams that are closed", function()
    local id = support.id("fastpix")
    local ran = run("fastpix.finish", id, "", { before = "sh -c 'exec \"$@\" <&- >&- 2>&-' sh" })
    assert.are.equal(4, ran.status)
    assert.are.equal("idle", emulator:state("fastpix", id))
  end)

  it("a full disk", function()
    local id = support.id("fastpix")
    local ran = check(4, run("fastpix.finish", id, "", { output = "/dev/full" }))
    assert.is_truthy(ran.stderr:find("mediastop: standard output: No space left on device: 1 job answered (1 ended)",
      1, true), ran.stderr)
    assert.is_truthy(ran.stderr:find(("mediastop: fastpix.finish %s: ended\n"):format(id), 1, true))
  end)
end)

describe("explain", function()
  it("says what was found, without any value", function()
    local ran = check(0, command.run("explain"))
    for _, provider in ipairs({ "memories", "emogg", "fastpix" }) do
      assert.is_truthy(ran.stdout:find(provider .. ", profile 'default': found\n", 1, true), ran.stdout)
    end
    for _, value in pairs(support.variables()) do
      assert.is_nil(ran.stdout:find(value, 1, true))
    end
    assert.are.equal("", ran.stderr)
  end)

  it("exits with 3 where there is none", function()
    local ran = check(3, command.run("explain fastpix", { environment = {} }))
    assert.is_truthy(ran.stdout:find("fastpix, profile 'default': none found", 1, true))
    check(3, command.run("explain", { environment = {} }))
    check(0, command.run("explain", { environment = { EMOGG_API_TOKEN = "token" } }))
  end)

  it("knows the profile, and JSON", function()
    local file = finding.file('{"staging":{"emogg":{"token":"secret"}}}')
    local environment = { MEDIASTOP_CREDENTIALS_FILE = file }
    check(3, command.run("explain emogg", { environment = environment }))
    local ran = check(0, command.run("explain emogg --profile staging --json", { environment = environment }))
    local object = objects(ran.stdout)[1]
    assert.is_true(object.found)
    assert.are.equal("staging", object.profile)
    assert.is_nil(ran.stdout:find("secret", 1, true))
  end)
end)

describe("credentials", function()
  it("that are missing exit with 3, and name the places", function()
    local ran = check(3, run("fastpix.finish", "x", "", { environment = {} }))
    assert.is_truthy(ran.stderr:find("FASTPIX_USERNAME", 1, true))
    assert.are.equal("", ran.stdout)
  end)

  it("come from a profile", function()
    local given = emulator.credentials.emogg.token
    local file = finding.file(json.encode({ staging = { emogg = { token = given } } }))
    local id = support.id("emogg")
    local environment = { MEDIASTOP_CREDENTIALS_FILE = file }
    check(0, run("emogg.stop", id, "--confirm --profile staging", { environment = environment }))
  end)

  it("that were found do not go to another address", function()
    local ran = check(3, command.run("fastpix.finish x --base-url https://x.example/v1"))
    assert.is_truthy(ran.stderr:find("goes to the provider's own address only", 1, true))
  end)

  it("cannot be an argument", function()
    for _, option in ipairs({ "--api-key", "--token", "--password", "--credentials" }) do
      check(2, run("fastpix.finish", "x", option .. " secret"))
    end
    for name in pairs(support.variables()) do
      assert.is_nil(check(0, command.run("fastpix.finish --help")).stdout:find(name, 1, true))
    end
  end)
end)

describe("usage", function()
  -- arguments, words on standard error
  for _, case in ipairs({
    { "", "a command is required" }, { "fastpix.finsh x", "Did you mean 'fastpix.finish'?" },
    { "fastpix.finish", "missing argument 'id'" }, { "fastpix.finish --timout 5 x", "Did you mean '--timeout'?" },
    { "fastpix.finish --timeout abc x", "malformed argument 'abc'" },
    { "fastpix.finish --timeout=-1 x", "--timeout must be a finite number above 0" },
    { "fastpix.finish --timeout 0 x", "--timeout must be a finite number above 0" },
    { "fastpix.finish --timeout 1e999 x", "--timeout must be a finite number above 0" },
    { "fastpix.finish --attempts 1.5 x", "--attempts must be a whole number" },
    { "fastpix.finish --attempts 0 x", "--attempts must be a whole number" },
    { "fastpix.finish --profile 'a\nb' x", "--profile holds a control byte" },
    { "fastpix.finish --base-url http://api.fastpix.com x", "--base-url must begin with https://" },
    { "fastpix.finish --base-url emogg=https://x.example x", "is not for fastpix.finish" },
    { "fastpix.finish --base-url fastpix= x", "--base-url" },
    { "memories.stop --confirm x", "there is nothing to read for memories.stop" },
    { "fastpix.status --confirm x", "ends nothing" }, { "emogg.status --ignore-ended x", "ends nothing" },
    { "memories.status x", "unknown command 'memories.status'" },
    { "stop-all --base-url https://x.example", "say whose it is" },
    { "stop-all --base-url fastpx=https://x.example", "--base-url" },
    { "stop-all --concurrency 0", "--concurrency must be a whole number from 1" },
    { "stop-all --concurrency 1.5", "--concurrency must be a whole number from 1" },
    { "stop-all --concurrency 1e999", "--concurrency must be a whole number from 1" },
    { "stop-all x", "too many arguments" }, { "explain fastpx", "must be one of" },
    { "completion tcsh", "must be one of" },
  }) do
    it(("is an error of status 2: mediastop %q"):format(case[1]):gsub("\n", "n"), function()
      local ran = check(2, command.run(case[1]))
      assert.are.equal("", ran.stdout)
      assert.are.equal("mediastop: ", ran.stderr:sub(1, 11))
      assert.is_truthy(ran.stderr:find(case[2], 1, true), ran.stderr)
    end)
  end

  it("is shown by --help, of each command too", function()
    local ran = check(0, command.run("--help"))
    for _, name in ipairs({
      "memories.stop", "screenplay.cancel", "screenplay.status", "emogg.stop", "emogg.status", "fastpix.finish",
      "fastpix.status", "stop-all", "explain", "emulator", "completion",
    }) do
      assert.is_truthy(ran.stdout:find("\n   " .. name:gsub("%p", "%%%0") .. " "), name)
      assert.is_truthy(check(0, command.run(name .. " --help")).stdout:find("Usage: mediastop " .. name, 1, true))
    end
    for line in ran.stdout:gmatch("[^\n]+") do
      assert.is_true(#line <= 80, line)
    end
    assert.are.equal("mediastop " .. mediastop._VERSION .. "\n", check(0, command.run("--version")).stdout)
    assert.are.equal("mediastop " .. mediastop._VERSION .. "\n", check(0, command.run("-V")).stdout)
  end)
end)

describe("what is installed", function()
  it("is run by an absolute interpreter, and finds its modules, without PATH and HOME", function()
    local text = assert(system.read_file(command.path()))
    assert.are.equal("#!/", text:sub(1, 3))
    assert.is_truthy(text:find(command.prefix(), 1, true))
    assert.is_nil(text:find("\n%-%- In the place of"))
    local printed = system.capture("cd / && env -i " .. command.path() .. " --version")
    assert.are.equal("mediastop " .. mediastop._VERSION, printed)
  end)

  it("takes no module from the folder where it runs", function()
    local folder = finding.folder({ ["cjson.lua"] = "error 'not this one'" })
    check(0, command.run("explain", { before = ("sh -c 'cd \"$0\" && exec \"$@\"' %s"):format(folder) }))
  end)

  it("that cannot start exits with 4, as nothing is known of the jobs", function()
    for _, name in ipairs({ "argparse", "cjson", "mediastop.core" }) do
      local environment = support.variables()
      environment.LUA_INIT = ("package.preload[%q] = function() error('broken', 0) end"):format(name)
      local ran = check(4, run("fastpix.finish", "x", "", { environment = environment }))
      assert.is_truthy(ran.stderr:find("^mediastop: .*" .. (name == "argparse" and name or "broken")), ran.stderr)
    end
  end)

  it("comes with a manual page that knows all commands and options", function()
    local page = assert(system.read_file(command.prefix() .. "/share/man/man1/mediastop.1")):gsub("\\%-", "-")
    local help = command.run("--help").stdout
    for name in help:match("Commands:\n(.*)\n\n"):gmatch("\n?   ([%l.-]+) ") do
      assert.is_truthy(page:find(name, 1, true), name)
      for option in command.run(name .. " --help").stdout:gmatch("(%-%-[%l-]+)") do
        assert.is_truthy(page:find(option, 1, true), option)
      end
    end
  end)

  it("comes with the emulator", function()
    local handle = command.start("emulator")
    assert(system.wait_until(function() return handle.stdout():find("Ctrl-C ends it", 1, true) end, 20))
    local origin = handle.stdout():match("HTTP/1.1%s+(http://%S+)")
    local ran = check(0, command.run("emogg.stop --confirm 65ea1530bb50af72b6e3dc1e --base-url " .. origin .. "/v1"))
    assert.is_truthy(ran.stdout:find("ended (state finished, confirmed)", 1, true))
    -- The lines that it prints for the shell work as they are.
    for line in handle.stdout():gmatch("\n  (mediastop fastpix[^\n]+)") do
      assert.is_truthy(command.script(line):find(": ended (state idle, confirmed)", 1, true))
    end
    system.signal(handle.pid, "INT")
    local ended = check(0, handle.wait())
    assert.are.equal("", ended.stderr)
  end)

  it("says what the emulator lacks", function()
    local ran = command.run("emulator", { environment = { NGINX = "/nonexistent/nginx" } })
    check(4, ran)
    assert.is_truthy(ran.stderr:find("mediastop: emulator: NGINX=/nonexistent/nginx not found", 1, true), ran.stderr)
  end)
end)

describe("completion", function()
  -- What bash offers for the words.
  local function offered(...)
    local words = { ... }
    for i, word in ipairs(words) do
      words[i] = system.quote(word)
    end
    local script = support.scratch("completion.bash")
    system.write_file(script, command.run("completion bash").stdout)
    return system.capture(("bash -c '. %s; COMP_WORDS=(mediastop %s); COMP_CWORD=%d; _mediastop; "
      .. "echo ${COMPREPLY[@]}' 2>&1"):format(script, table.concat(words, " "):gsub("'", ""), #words))
  end

  it("of bash offers commands, options and choices", function()
    assert.are.equal("fastpix.finish fastpix.status", offered("fastp"))
    assert.is_truthy(offered("fastpix.finish", "--"):find("--confirm", 1, true))
    assert.is_truthy(offered("stop-all", "--c"):find("--concurrency", 1, true))
  end)

  for _, shell in ipairs({ "bash", "zsh", "fish" }) do
    it("of " .. shell .. " is what the shell can read", function()
      local ran = check(0, command.run("completion " .. shell))
      assert.is_truthy(ran.stdout:find("mediastop", 1, true))
      assert.is_truthy(ran.stdout:find("fastpix.finish", 1, true))
      if system.capture("command -v " .. shell) == "" then
        return
      end
      local script = support.scratch("completion." .. shell)
      system.write_file(script, ran.stdout)
      assert.are.equal("0", system.capture(("%s -n %s 2>&1; echo $?"):format(shell, script)))
    end)
  end
end)
