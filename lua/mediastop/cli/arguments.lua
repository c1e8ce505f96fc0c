--- The arguments of the command, read by argparse. No key is ever one of them: whoever may list processes sees those.
-- @module mediastop.cli.arguments

local argparse = require "argparse"
local core = require "mediastop.core"

local arguments = {}

--- The operations, as the command lists them.
arguments.operations = {
  { name = "memories.stop", about = "Memories.ai: stop the moderation of streams" },
  { name = "screenplay.cancel", about = "Memories.ai: cancel screenplay extractions" },
  { name = "screenplay.status", about = "Memories.ai: read the state of screenplay extractions", reads = true },
  { name = "emogg.stop", about = "emogg: stop analysis sessions" },
  { name = "emogg.status", about = "emogg: read the state of sessions", reads = true },
  { name = "fastpix.finish", about = "FastPix: complete live streams" },
  { name = "fastpix.status", about = "FastPix: read the state of live streams", reads = true },
}

--- The providers, in their order.
arguments.providers = {}
for i, provider in ipairs(core.engine.providers) do
  arguments.providers[i] = provider.name
end

-- The operation of a command, if it is one.
local function find(name)
  for _, operation in ipairs(arguments.operations) do
    if operation.name == name then
      return operation
    end
  end
end

-- The options of the commands: those with a word for their value, and flags.
local call_options = {
  { "--timeout", "timeout", "Seconds for each job, all of it (30).", "SECONDS", convert = tonumber },
  { "--attempts", "attempts", "At most this many requests for each job (3).", "N", convert = tonumber },
  { "--profile", "profile", "Which part of the credentials file (default).", "NAME" },
  { "--base-url", "base_url", "Another address than the provider's own; a credential that was found goes there only if "
    .. "it is this machine, or the credentials file says so.", "[PROVIDER=]URL", many = true },
}
local stop_options = {
  { "--confirm", "confirm", "Read each job after its stop until the provider reports its end." },
  { "--ignore-ended", "ignore_ended", "A job that is not running counts as ended." },
}
local output_options = {
  { "--json", "json", "One JSON object a line, errors included." },
  { "-q --quiet", "quiet", "Say nothing of what has ended." },
}

-- Options ahead of the command's name are the same, though help shows them only with the command. argparse needs names
-- of their own for them.
local AHEAD = "ahead_"

local function add_options(target, rows, is_ahead)
  for _, row in ipairs(rows) do
    local names, name, about, value = row[1], row[2], row[3], row[4]
    local option = value and target:option(names, about):argname(value) or target:flag(names, about)
    if row.convert then
      option:convert(row.convert)
    end
    if row.many then
      option:count "*"
    end
    option:target(is_ahead and AHEAD .. name or name):hidden(is_ahead == true)
  end
end

-- Gives the options that stood ahead of the command's name their own names.
local function merge_ahead(parsed)
  for _, rows in ipairs { call_options, stop_options, output_options } do
    for _, row in ipairs(rows) do
      local name, ahead = row[2], parsed[AHEAD .. row[2]]
      if not row.many and parsed[name] == nil then
        parsed[name] = ahead
      elseif row.many then
        parsed[name] = parsed[name] or {}
        for i, value in ipairs(ahead or {}) do
          table.insert(parsed[name], i, value)
        end
      end
    end
  end
end

local function add_operations(parser)
  for _, operation in ipairs(arguments.operations) do
    local command = parser:command(operation.name, operation.about .. ".")
    command:argument("id", "Their ids."):args("+"):argname("ID")
    add_options(command, call_options)
    if not operation.reads then
      add_options(command, stop_options)
    end
    add_options(command, output_options)
  end
end

local function add_stop_all(parser)
  local command = parser:command("stop-all", "Carry out the lines of standard input: an operation and an id each.")
  command:option("--concurrency", "At most this many at once (64)."):argname("N"):convert(tonumber)
  add_options(command, call_options)
  add_options(command, stop_options)
  add_options(command, output_options)
  command:epilog "Empty lines, and those that begin with #, are skipped."
end

--- The parser; also for its help, and its completion.
function arguments.parser()
  local parser = argparse("mediastop", "Ends remote media jobs, and says whether they have ended.")
  parser:epilog("Exit status: 0 all have ended; 1 a provider refused; 2 usage; 3 credentials; 4 network, or unknown "
    .. "outcome; 130 interrupted. The highest one counts. Keys come from the environment, systemd or the credentials "
    .. "file: see `mediastop explain`.")
  parser:command_target "command"
  parser:help_max_width(80)
  parser:flag("-V --version", "Show the version."):action(function()
    print("mediastop " .. core._VERSION)
    os.exit(0)
  end)
  add_options(parser, call_options, true)
  add_options(parser, stop_options, true)
  add_options(parser, output_options, true)
  add_operations(parser)
  add_stop_all(parser)
  local explain = parser:command("explain", "Say where the credentials were looked for, and which were found.")
  explain:argument("provider", "One of them; all, if it is left out."):args("?"):choices(arguments.providers)
  explain:option("--profile", "Which part of the credentials file (default)."):argname("NAME")
  explain:flag("--json", "One JSON object a line.")
  local emulator = parser:command("emulator", "Run the four providers on this machine, to try against, until Ctrl-C.")
  emulator:flag("--access-log", "Print a line for each request.")
  parser:add_complete_command { name = "completion", description = "Print a shell's completion script." }
  return parser
end

-- What a flag or an option is about to be for a command that has no use for it.
local function check_command(parsed)
  local operation = find(parsed.command)
  if not operation then
    return parsed
  end
  if operation.reads and (parsed.confirm or parsed.ignore_ended) then
    return nil, parsed.command .. " ends nothing: --confirm and --ignore-ended are for stops"
  end
  if operation.name == "memories.stop" and parsed.confirm then
    return nil, "--confirm: there is nothing to read for memories.stop, whose provider tells nobody a job's state"
  end
  return parsed
end

-- By provider: the addresses of --base-url.
local function read_base_urls(parsed)
  local own = parsed.command:match "^(%w+)%."
  local urls = {}
  for _, given in ipairs(parsed.base_url) do
    local provider, url = given:match "^(%l+)=(.*)$"
    provider, url = provider or own, url or given
    if not provider then
      return nil, "--base-url " .. given .. ": say whose it is, as in fastpix=" .. given
    elseif own and provider ~= own then
      return nil, "--base-url " .. given .. " is not for " .. parsed.command
    end
    urls[provider] = url
  end
  return urls
end

--- Reads the arguments.
-- @tparam table list of strings
-- @treturn[1] table `command`, and the options by their names; `base_url` by provider
-- @treturn[2] nil
-- @treturn[2] string what is wrong
-- @treturn[2] string usage
function arguments.read(list)
  local parser = arguments.parser()
  local usage = parser:get_usage()
  -- Called with the parser of the command that was being read.
  function parser.error(current, problem)
    usage = current:get_usage()
    error({ problem = problem }, 0)
  end
  local fine, parsed = pcall(parser.parse, parser, list)
  if not fine then
    if type(parsed) ~= "table" then
      error(parsed, 0)
    end
    return nil, parsed.problem, usage
  end
  merge_ahead(parsed)
  local checked, problem = check_command(parsed)
  if checked then
    parsed.base_url, problem = read_base_urls(parsed)
  end
  if problem then
    return nil, problem, usage
  end
  return parsed
end

return arguments
