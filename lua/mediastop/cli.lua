--- The command `mediastop`.
-- @module mediastop.cli

local USAGE, CREDENTIALS, UNKNOWN, INTERRUPTED = 2, 3, 4, 130

local function complain(text)
  io.stderr:write("mediastop: ", text, "\n")
end

if not pcall(require, "argparse") then
  return function()
    complain "the command needs the Lua module 'argparse' (Debian package: lua-argparse)"
    return UNKNOWN
  end
end

local arguments = require "mediastop.cli.arguments"
local core = require "mediastop.core"
local emulator = require "mediastop.cli.emulator"
local json = require("cjson").new()
local lines = require "mediastop.cli.lines"
local mediastop = require "mediastop"
local report = require "mediastop.cli.report"
local words = require "mediastop.cli.words"

-- Misuse, in the words of the command: option 'base_url.fastpix' is --base-url.
local function in_our_words(message)
  local misuse = message:match "%((.*)%)$" or message
  return (misuse:gsub("option '([%l_]+)[^']*'", function(name)
    return "--" .. name:gsub("_", "-")
  end))
end

-- A client with the options of the arguments, of whose jobs the report hears; or nil and what is wrong with them.
local function new_client(parsed, say)
  local fine, client = pcall(mediastop.new, {
    timeout = parsed.timeout,
    attempts = parsed.attempts,
    profile = parsed.profile,
    confirm = parsed.confirm,
    ignore_ended = parsed.ignore_ended,
    base_url = parsed.base_url,
    on_event = function(event)
      say:note(event)
    end,
  })
  if not fine then
    return nil, in_our_words(client)
  end
  return client
end

local function is_interrupt(problem)
  return type(problem) == "string" and problem:find "interrupted!$" ~= nil
end

-- Says why the jobs were not all carried out, and returns the exit status.
local function give_up(say, problem)
  if is_interrupt(problem) then
    say:interrupted "interrupted"
    return INTERRUPTED
  elseif problem == report.closed then
    say:interrupted("standard output: " .. tostring(say.problem))
    return UNKNOWN
  end
  say:interrupted(tostring(problem))
  return UNKNOWN
end

-- Carries the requests out and returns the exit status.
local function run(parsed, say, requests)
  local client, wrong = new_client(parsed, say)
  if not client then
    complain(wrong)
    return USAGE
  end
  core.console.outlive_readers()
  local fine, problem = pcall(function()
    for request, result, message, err in client:each(requests, { concurrency = parsed.concurrency }) do
      say:take(request, result, message, err)
    end
  end)
  client:close() -- what is under way is called off
  if not fine then
    return give_up(say, problem)
  end
  say:finish()
  return say.status
end

local function carry_out_ids(parsed)
  local requests = {}
  for i, id in ipairs(parsed.id) do
    requests[i] = { parsed.command, id }
  end
  return run(parsed, report.new { json = parsed.json, quiet = parsed.quiet }, requests)
end

local commands = {}

commands["stop-all"] = function(parsed)
  local concurrency = parsed.concurrency
  if concurrency and not (concurrency >= 1 and concurrency < math.huge and concurrency % 1 == 0) then
    complain "--concurrency must be a whole number from 1"
    return USAGE
  end
  local input = lines.new()
  local say = report.new {
    json = parsed.json,
    quiet = parsed.quiet,
    progress = true,
    total = function() return input:total() end,
  }
  local status = run(parsed, say, input:requests(function() return input.pulled - say.done end))
  if input.problem then
    complain("standard input: " .. input.problem)
    return math.max(status, USAGE)
  end
  return status
end

function commands.explain(parsed)
  local found, said = false, {}
  local options = parsed.profile and { profile = parsed.profile }
  for _, provider in ipairs(core.engine.providers) do
    -- Of all, each with a credential of its own.
    if provider.name == (parsed.provider or provider.credentials) then
      local explanation = mediastop.credentials.explain(provider.name, options)
      found = found or explanation.found
      said[#said + 1] = parsed.json and words.utf8(json.encode(setmetatable(explanation, nil))) or tostring(explanation)
    end
  end
  local written, problem = report.write(table.concat(said, "\n"))
  if not written then
    complain("standard output: " .. problem)
    return UNKNOWN
  end
  return found and 0 or CREDENTIALS
end

function commands.emulator(parsed)
  local fine, problem = emulator.run(parsed.access_log and { "--access-log" } or {})
  if not fine then
    complain(problem)
    return UNKNOWN
  end
  return 0
end

local function main(list)
  local parsed, problem, usage = arguments.read(list)
  if not parsed then
    complain(problem)
    io.stderr:write(usage, "\n")
    return USAGE
  end
  return (commands[parsed.command] or carry_out_ids)(parsed)
end

--- Runs the command.
-- @tparam table list its arguments
-- @treturn integer exit status
return function(list)
  core.console.hold_standard()
  local fine, status = pcall(main, list)
  if not fine and not is_interrupt(status) then
    error(status, 0)
  end
  return fine and status or INTERRUPTED
end
