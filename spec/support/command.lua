--- The command `mediastop`, as `make install` puts it into a folder, run through the shell.
local assert = require("luassert")
local support = require("spec.support")
local system = require("spec.emulator.system")
local socket = require("socket")

local command = {}

local registry = debug.getregistry()

--- Installs it once for all specs. Returns the prefix.
function command.prefix()
  local shared = registry["mediastop.command"] or {}
  registry["mediastop.command"] = shared
  if not shared.prefix then
    local prefix = support.scratch("installed")
    local version = rawget(_G, "jit") and "jit" or _VERSION:match("%d.%d")
    local script = "make -s install DEPS=skip LUA_VERSION=%s BUILD=%s LUA=%s PREFIX=%s 2>&1; echo $?"
    local build = support.module_file():match("^(.*)/mediastop/")
    local words = system.capture(script:format(version, build, system.quote(support.interpreter()),
      system.quote(prefix)))
    assert(words:match("%d+$") == "0", words)
    shared.prefix = prefix
  end
  return shared.prefix
end

--- The path of the program.
function command.path()
  return command.prefix() .. "/bin/mediastop"
end

--- The options that send each provider's requests to the emulator, for the shell.
function command.base_urls(...)
  local words, urls = {}, support.emulator():base_url()
  for _, provider in ipairs(select("#", ...) > 0 and { ... } or { "memories", "screenplay", "emogg", "fastpix" }) do
    words[#words + 1] = "--base-url " .. provider .. "=" .. urls[provider]
  end
  return table.concat(words, " ")
end

-- The shell's words that run it: in an environment of these variables and nothing else.
local function words_of(arguments, options)
  local words = { "env -i" }
  for name, value in pairs(options.environment or support.variables()) do
    words[#words + 1] = system.quote(name .. "=" .. value)
  end
  words[#words + 1] = options.before or ""
  words[#words + 1] = system.quote(command.path())
  words[#words + 1] = arguments
  return table.concat(words, " ")
end

--- Runs it with these arguments, in the shell's words. Options: `environment` (the emulator's credentials; nothing else
--- is there, not even PATH), `input` (text), `output` (a path), `before` (words ahead of the program). Returns
--- { status, stdout, stderr }.
function command.run(arguments, options)
  options = options or {}
  local path = support.scratch("command." .. support.id())
  system.write_file(path .. ".in", options.input or "")
  local status = system.capture(("%s <%s.in >%s 2>%s.err; echo $?"):format(words_of(arguments, options), path,
    options.output or path .. ".out", path))
  return {
    status = tonumber(status:match("%d+$")),
    stdout = system.read_file(path .. ".out") or "",
    stderr = system.read_file(path .. ".err"),
  }
end

--- Runs a script of the shell's in which `$mediastop` is the command with its environment. Returns what it printed.
function command.script(script, environment)
  local path = support.scratch("command." .. support.id())
  system.write_file(path, "exec 2>&1\nmediastop() { " .. words_of('"$@"', { environment = environment }) .. "; }\n"
    .. script)
  return system.capture("sh " .. path)
end

--- Starts it, and returns a handle: `pid`, `stdout()`, `wait()` for { status, stdout, stderr, after }. `input`: words
--- of the shell's that print what it reads.
function command.start(arguments, input)
  local path = support.scratch("command." .. support.id())
  local function read(name)
    return system.read_file(path .. name) or ""
  end
  -- The shell says its own number and becomes the program.
  local inner = ("echo $$ >%s.pid; exec %s"):format(path, words_of(arguments, {}))
  os.execute(("{ { %s; } | { sh -c %s >%s.out 2>%s.err; echo $? >%s.status; }; } 2>/dev/null &"):format(
    input or "true", system.quote(inner), path, path, path))
  assert(system.wait_until(function() return read(".pid"):find("\n") end, 10))
  local handle = { pid = tonumber(read(".pid")) }

  function handle.stdout()
    return read(".out")
  end

  function handle.wait()
    local from = socket.gettime()
    assert(system.wait_until(function() return read(".status"):find("\n") end, 20), "it does not end")
    return { status = tonumber(read(".status")), stdout = read(".out"), stderr = read(".err"),
      after = socket.gettime() - from }
  end

  return handle
end

--- Runs it on a terminal of its own, `columns` wide, by script(1). Returns what the terminal got.
function command.on_terminal(arguments, options)
  local path = support.scratch("command." .. support.id())
  system.write_file(path .. ".in", options.input or "")
  local inner = ("stty cols %d; %s <%s.in %s"):format(options.columns or 80, words_of(arguments, options), path,
    options.redirect or "")
  system.write_file(path .. ".sh", inner)
  return system.capture(("script -qec 'sh %s.sh' /dev/null </dev/null 2>&1"):format(path))
end

return command
