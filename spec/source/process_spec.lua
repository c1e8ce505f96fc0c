local json = require("cjson")
local finding = require("spec.support.finding")
local interrupted = require("spec.support.interrupted")
local support = require("spec.support")
local system = require("spec.emulator.system")

local sent, fails, program, with_program = finding.sent, finding.fails, finding.program, finding.with_program

--- Room for a busy machine, in seconds.
local ROOM = 3

local function entry(text)
  return finding.with_file('{"default":{"memories":{"process":' .. text .. "}}}")
end

describe("a program of the credentials file", function()
  it("prints the fields, in one piece or several", function()
    assert.are.equal("value", sent("memories", with_program(program([[echo '{"api_key":"value"}']]))))
    assert.are.equal("value", sent("screenplay",
      with_program(program([[printf '\n{"api_'; sleep 0.05; printf 'key":"val'; sleep 0.05; printf 'ue"}']]))))
    assert.are.equal(finding.basic("id", "key"), sent("fastpix", finding.with_file(json.encode({ default = {
      fastpix = { process = { program([[echo '{"username":"id","password":"key"}']]) } } } }))))
  end)

  it("is given its arguments as they are, by no shell", function()
    local out = finding.path()
    local show = program(('for word; do printf "<%%s>" "$word"; done >%s; echo \'{"api_key":"value"}\''):format(out))
    local words = { "; touch /tmp/x", "$(id)", "`id`", "a  b", "", "*", "'", '"', "\\", "\n", "-n", "$HOME", "&&", "|" }
    assert.are.equal("value", sent("memories", with_program(show, (table.unpack or unpack)(words))))
    assert.are.equal("<" .. table.concat(words, "><") .. ">", system.read_file(out))
  end)

  it("may have a name that a shell would take apart", function()
    local name = "a; touch spoiled $(id)"
    local folder = finding.folder({ [name] = "#!/bin/sh\necho '{\"api_key\":\"value\"}'\n" })
    os.execute(("chmod 700 %s/*"):format(folder))
    assert.are.equal("value", sent("memories", with_program(folder .. "/" .. name)))
  end)

  it("is looked for in $PATH", function()
    local folder = finding.folder({ ["pass-helper"] = "#!/bin/sh\necho '{\"api_key\":\"value\"}'\n" })
    os.execute(("chmod 700 %s/*"):format(folder))
    local environment = with_program("pass-helper")
    environment.PATH = folder .. ":" .. os.getenv("PATH")
    assert.are.equal("value", sent("memories", environment))
    environment.PATH = os.getenv("PATH")
    fails("memories", environment, nil, { "the program 'pass-helper' cannot be started", "No such file" })
  end)

  it("has an empty standard input, no terminal, and its own group", function()
    local helper = program([[read line && exit 1
      [ "$(cut -d " " -f 5 /proc/$$/stat)" = $$ ] && echo '{"api_key":"value"}']])
    assert.are.equal("value", sent("memories", with_program(helper)))
  end)

  it("says what it likes to its standard error, which nobody sees", function()
    local helper = program([[echo secret-words >&2; echo '{"api_key":"value"}']])
    assert.are.equal("value", sent("memories", with_program(helper)))
    fails("memories", with_program(program("echo secret-words >&2; exit 1")), nil, "failed")
    fails("memories", with_program(program("echo secret-words >&2; echo secret")), nil, "printed no JSON object")
  end)

  -- The script, words of the error.
  local broken = {
    { "exit 1", "failed" },
    { [[echo '{"api_key":"secret"}'; exit 3]], "failed" },
    { [[echo '{"api_key":"secret"}'; kill -TERM $$]], "failed" },
    { "", "printed no JSON object" },
    { "echo secret", "printed no JSON object" },
    { [[echo '"secret"']], "printed no JSON object" },
    { [[echo '["secret"]']], "printed no JSON object" },
    { "echo null", "printed no JSON object" },
    { [[echo '{"api_key":"secret"']], "printed no JSON object" },
    { [[echo '{"api_key":"secret"} secret']], "printed no JSON object" },
    { [[echo '{"api_key":"secret"}{"api_key":"secret"}']], "printed no JSON object" },
    { [[printf '{"api_key":"secret"}\0 secret']], "printed no JSON object" },
    { "echo '{}'", "gives nothing" },
    { [[echo '{"api_key":null}']], "gives nothing" },
    { [[echo '{"api_key":""}']], "gives nothing" },
    { [[echo '{"api_key":["secret"]}']], "'api_key' is no string" },
    { [[echo '{"token":"secret"}']], "unknown field 'token'" },
    { [[echo '{"api_key":"secret","more":"secret"}']], "unknown field 'more'" },
    { [[echo '{"api_key":"secret","base_url":"https://mediastop-spec.invalid"}']], "unknown field 'base_url'" },
    { [[echo '{"api_key":"secret","process":["true"]}']], "unknown field 'process'" },
    { [[printf %s '{"api_key":"secret\n"}']], "control byte" },
    { [[echo '{"api_key":"Bearer secret"}']], "Bearer" },
    { [[printf '{"api_key":"secret"'; head -c 65536 /dev/zero | tr '\0' ' '; echo '}']], "printed over 64 KiB" },
    { "yes secret", "printed over 64 KiB" },
  }

  for _, case in ipairs(broken) do
    it("is an error that says why: " .. case[1], function()
      local helper = program(case[1])
      fails("memories", with_program(helper), nil, { helper, case[2] })
    end)
  end

  -- The list, words of the error.
  local lists = {
    { '"secret"', "must be a list of strings" },
    { "5", "must be a list of strings" },
    { "{}", "must be a list of" },
    { "[]", "must be a list of" },
    { '[""]', "cannot be started" },
    { '["sh",5]', "must be a list of strings" },
    { '["sh",null]', "must be a list of strings" },
    { '["sh","a\\u0000b"]', "must be a list of strings" },
    { '[["sh"]]', "must be a list of strings" },
    { '{"0":"sh"}', "must be a list of" },
    { '["sh"' .. (',"secret"'):rep(64) .. "]", "list of 1 to 64 strings" },
    { '["/dev/null"]', "cannot be started" },
    { '["/"]', "cannot be started" },
  }

  for _, case in ipairs(lists) do
    it("must be a list of strings that can be started: " .. case[1]:sub(1, 40), function()
      fails("memories", entry(case[1]), nil, case[2])
    end)
  end

  it("may have 63 arguments", function()
    local words = {}
    for index = 1, 63 do
      words[index] = tostring(index)
    end
    local helper = program([[echo "{\"api_key\":\"$#\"}"]])
    assert.are.equal("63", sent("memories", with_program(helper, (table.unpack or unpack)(words))))
  end)

  it("stands in a file that nobody else can write to", function()
    local environment = with_program(program([[echo '{"api_key":"secret"}']]))
    os.execute("chmod 620 " .. environment.MEDIASTOP_CREDENTIALS_FILE)
    fails("memories", environment, nil, "chmod 600")
  end)
end)

describe("a program that takes long", function()
  -- A script that writes down its own number and its child's, which holds the pipe open.
  local function sleeper(rest)
    local path = finding.path()
    return program(("sleep 60 & echo $$ $! >%s; %s"):format(path, rest)), path
  end

  local function is_gone(pid)
    return not require("spec.emulator.process").start_time(pid)
  end

  local function assert_gone(path)
    local text = system.read_file(path)
    for pid in text:gmatch("%d+") do
      assert.is_true(system.wait_until(function() return is_gone(pid) end, ROOM), "process " .. pid .. " still runs")
    end
    assert.is_truthy(text:find("%d+ %d+"))
  end

  -- Returns the error's elapsed as the child saw it, and checks it.
  local function takes(environment, timeout, before)
    local child = finding.run(([[
      local socket = require("socket")
      local mediastop = require("mediastop")
      %s
      local start = socket.gettime()
      local result, message, err = mediastop.memories.stop("x", { base_url = %q, timeout = %g, attempts = 1 })
      print(err.kind, err.attempts, err.reached, socket.gettime() - start, message)
    ]]):format(before or "", support.emulator():base_url().memories, timeout), environment)
    assert.are.equal("", child.stderr)
    local kind, attempts, reached, seconds, message = child.stdout:match("^(%S+)\t(%S+)\t(%S+)\t(%S+)\t(.*)\n$")
    assert.are.equal("credentials", kind)
    assert.are.equal("0", attempts)
    assert.are.equal("no", reached)
    assert.is_truthy(message:find("took too long", 1, true), message)
    assert.is_true(tonumber(seconds) < timeout + ROOM, seconds)
    assert.is_true(tonumber(seconds) >= timeout - 0.05, seconds)
  end

  local scripts = {
    ["says nothing"] = "wait",
    ["printed the fields but does not end"] = [[echo '{"api_key":"secret"}'; wait]],
    ["closed its output but does not end"] = [[echo '{"api_key":"secret"}'; exec >&-; wait]],
    ["left a child that holds the output"] = [[echo '{"api_key":"secret"}']],
    ["does not hear SIGTERM"] = "trap '' TERM INT HUP; while :; do sleep 1; done",
    ["prints slowly"] = "while :; do printf ' '; sleep 0.02; done",
  }

  for what, script in pairs(scripts) do
    it("is ended with its children when the call's time is over: it " .. what, function()
      local helper, path = sleeper(script)
      takes(with_program(helper), 0.5)
      assert_gone(path)
    end)
  end

  it("is ended by a host that ignores SIGCHLD too", function()
    local helper, path = sleeper("wait")
    takes(with_program(helper), 0.5, 'require("process").ignore("CHLD")')
    assert_gone(path)
  end)

  it("that ends in time is not waited for longer than it takes", function()
    local child = finding.run([[
      local socket = require("socket")
      local start = socket.gettime()
      print(require("mediastop").credentials.explain("memories").found, socket.gettime() - start)
    ]], with_program(program([[sleep 0.2; echo '{"api_key":"secret"}']])))
    local found, seconds = child.stdout:match("^(%S+)\t(%S+)")
    assert.are.equal("true", found)
    assert.is_true(tonumber(seconds) < 0.2 + ROOM)
  end)

  it("is ended by Ctrl-C, as every blocking call is", function()
    local helper, path = sleeper("wait")
    local environment = with_program(helper)
    local child = interrupted.run(([[
      local getenv = os.getenv
      os.getenv = function(name)
        return name == "MEDIASTOP_CREDENTIALS_FILE" and %q or name == "PATH" and getenv(name) or nil
      end
      require("mediastop").memories.stop("x", { base_url = %q, timeout = 8 })
    ]]):format(environment.MEDIASTOP_CREDENTIALS_FILE, support.emulator():base_url().memories), function()
      return (system.read_file(path) or ""):find("\n")
    end)
    assert.is_truthy(child.stderr:find("interrupted!", 1, true), child.stderr)
    assert.is_true(child.after < 6, ("took %.1f s"):format(child.after))
    assert_gone(path)
  end)
end)

describe("a host's signals", function()
  local function ignoring(signal)
    return { before = ('require("process").ignore(%q)'):format(signal) }
  end

  it("do not matter when it ignores SIGCHLD: the program's words count", function()
    local more = ignoring("CHLD")
    assert.are.equal("value", sent("memories", with_program(program([[echo '{"api_key":"value"}']])), more))
    fails("memories", with_program(program("exit 1")), more, "printed no JSON object")
  end)

  it("are not the program's: what the host ignores, it does not", function()
    local helper = program([[kill -PIPE $$; echo '{"api_key":"secret"}']])
    fails("memories", with_program(helper), ignoring("PIPE"), "failed")
  end)

  it("and other children stay the host's own", function()
    local child = finding.run([[
      local pipe = io.popen("sleep 0.3; exit 7")
      assert(require("mediastop").credentials.explain("memories").found)
      print((select(3, pipe:close())))
    ]], with_program(program([[echo '{"api_key":"secret"}']])))
    assert.are.equal("", child.stderr)
    assert.are.equal(_VERSION == "Lua 5.1" and "nil\n" or "7\n", child.stdout)
  end)
end)
