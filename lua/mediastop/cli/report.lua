--- What the command says of its jobs: results to standard output, messages to standard error, and its exit status.
-- @module mediastop.cli.report

local core = require "mediastop.core"
local json = require("cjson").new()
local progress = require "mediastop.cli.progress"
local words = require "mediastop.cli.words"

local report = {}
report.__index = report

-- What was decoded by lua-cjson is encoded again whatever it holds.
json.encode_max_depth(200)
json.encode_sparse_array(true)

local EXACT_DIGITS = 14 -- that lua-cjson writes of a number

local REFUSED, USAGE, CREDENTIALS, UNKNOWN = 1, 2, 3, 4

-- The exit status of each kind of error; of any other: the outcome is not known.
local statuses = {
  invalid_id = USAGE, misuse = USAGE,
  credentials = CREDENTIALS, unauthorized = CREDENTIALS,
  payment_required = REFUSED, forbidden = REFUSED, not_found = REFUSED, not_active = REFUSED,
  invalid_request = REFUSED, rate_limited = REFUSED, rejected = REFUSED, redirect = REFUSED,
}

--- A report. `options`: `json`, `quiet`, `progress` (show a line on a terminal, and a summary), `total` (for that
-- line: how many jobs there are, or nil).
function report.new(options)
  return setmetatable({
    json = options.json,
    quiet = options.quiet,
    progress = options.progress and not options.quiet and progress.new(options.total) or nil,
    on_terminal = core.console.columns(1) ~= nil,
    started = core.console.now(),
    status = 0,
    done = 0,
    failed = 0,
    counts = {}, -- by outcome, or kind of error
    unsaid = {}, -- results and errors of which nothing has been printed yet
  }, report)
end

-- Raised where standard output takes no more; the command ends by it.
local closed = setmetatable({}, { __tostring = function() return "standard output is closed" end })
report.closed = closed

local function say(self, text)
  if self.progress then
    self.progress:clear()
  end
  io.stderr:write("mediastop: ", text, "\n")
end

--- Writes a line to standard output. Returns nil and why where it takes none.
function report.write(line)
  return core.console.write(line .. "\n")
end

--- Prints a line to standard output.
function report:print(line)
  if self.progress and self.on_terminal then
    self.progress:clear()
  end
  local written, problem = report.write(line)
  if not written then
    self.problem = problem
    error(closed, 0)
  end
end

-- Whether JSON may lose something by being decoded and encoded again: digits, or what an empty table was.
local function loses(raw)
  for digits in raw:gmatch "[%d.]+" do
    if #digits > EXACT_DIGITS then
      return true
    end
  end
  return raw:find "%[%s*%]" ~= nil
end

-- A result or an error as one JSON object. `raw` is left out where `body` says the same.
function report:print_json(fields, line)
  local object = {}
  for name, value in pairs(fields) do
    object[name] = value
  end
  object.line = line
  object.elapsed = object.elapsed and math.floor(object.elapsed * 1e6 + 0.5) / 1e6
  if object.body ~= nil and object.raw and not loses(object.raw) then
    object.raw = nil
  end
  local fine, text = pcall(json.encode, object)
  if not fine then
    object.body, object.raw = nil, fields.raw
    text = json.encode(object)
  end
  self:print(words.utf8(text))
end

local function state_of(result)
  return result.state and words.line(result.state) or "no state"
end

local function describe(result)
  local details = {}
  if result.outcome and result.state then
    details[1] = "state " .. state_of(result)
  end
  if result.outcome and result.confirmed then
    details[#details + 1] = "confirmed"
  elseif result.unconfirmed then
    details[#details + 1] = "unconfirmed: " .. result.unconfirmed
  end
  local text = result.outcome or state_of(result)
  if result.operation == "status" then
    text, details = state_of(result), {}
  end
  local more = details[1] and " (" .. table.concat(details, ", ") .. ")" or ""
  return ("%s.%s %s: %s%s"):format(result.provider, result.operation, words.line(result.id), text, more)
end

function report:count(word, status)
  self.counts[word] = (self.counts[word] or 0) + 1
  self.status = math.max(self.status, status)
  self.done = self.done + 1
  if self.progress then
    self.progress:show(self.done, self.failed)
  end
end

function report:success(result)
  if self.json and not self.quiet then
    self:print_json(result)
  elseif not self.quiet then
    self:print(describe(result))
  end
  if result.operation == "status" then
    self:count(state_of(result), 0)
  else
    self.accepted = self.accepted or (result.outcome == "accepted" and not result.unconfirmed)
    self:count(result.outcome, result.outcome == "accepted" and UNKNOWN or 0)
  end
end

-- Of misuse only the words that are for whoever wrote the line.
local function words_of(message, err, request)
  if request.problem then
    return request.problem
  end
  return err.kind == "misuse" and message:match "^bad argument #%d+ to '%a+' %((.*)%)$" or message
end

function report:failure(request, message, err)
  local sentence = words_of(message, err, request)
  if request.problem then -- it was no request at all
    err = { kind = "misuse", message = sentence, reached = "no", retryable = false, attempts = 0, elapsed = 0 }
  end
  self.failed = self.failed + 1
  if self.json then
    self:print_json(err, request.line)
  end
  say(self, (request.line and "line " .. request.line .. ": " or "") .. sentence)
  self:count(err.kind, statuses[err.kind] or UNKNOWN)
end

--- Hears of a job's end, before `each` gives it.
function report:note(event)
  if event.type == "result" then
    self.unsaid[event.result or event.error] = true
  end
end

--- Takes what `each` gives.
function report:take(request, result, message, err)
  if result then
    self:success(result)
  else
    self:failure(request, message, err)
  end
  self.unsaid[result or err] = nil
end

-- "3 ended, 1 not_found", the most frequent first.
local function list_counts(counts)
  local list = {}
  for word in pairs(counts) do
    list[#list + 1] = word
  end
  table.sort(list, function(a, b)
    return counts[a] > counts[b] or counts[a] == counts[b] and a < b
  end)
  for i, word in ipairs(list) do
    list[i] = counts[word] .. " " .. word
  end
  return table.concat(list, ", ")
end

local function jobs(count)
  return count == 1 and "1 job" or count .. " jobs"
end

--- Says what is left to say once all is done.
function report:finish()
  if self.progress then
    self.progress:clear()
    local seconds = core.console.now() - self.started
    say(self, ("%s in %.1f s%s"):format(jobs(self.done), seconds,
      self.done > 0 and ": " .. list_counts(self.counts) or ""))
  end
  if self.accepted and not self.quiet then
    say(self, "accepted: the provider took the request and has not said that the job is over; --confirm waits for that")
  end
end

-- What became of the jobs of which nothing was printed: those that were called off, sent or not, are only known now.
local function sort_unsaid(unsaid)
  local answered, sent, unsent = {}, {}, {}
  for ended in pairs(unsaid) do
    local called_off = ended.kind == "cancelled" or ended.kind == "closed"
    local list = not called_off and answered or ended.attempts > 0 and sent or unsent
    list[#list + 1] = ended
  end
  return answered, sent, unsent
end

--- Says what had been sent when the command was ended by `why`.
function report:interrupted(why)
  local answered, sent, unsent = sort_unsaid(self.unsaid)
  for _, ended in ipairs(answered) do
    self:count(ended.kind or ended.outcome or state_of(ended), 0)
  end
  say(self, ("%s: %s answered%s, %d under way, %d not sent, the rest not begun"):format(why, jobs(self.done),
    self.done > 0 and " (" .. list_counts(self.counts) .. ")" or "", #sent, #unsent))
  for _, ended in ipairs(answered) do
    say(self, ended.message or describe(ended))
  end
  for _, ended in ipairs(sent) do
    say(self, ended.message)
  end
  for _, ended in ipairs(unsent) do
    say(self, ("%s.%s %s: not sent"):format(ended.provider, ended.operation, words.line(ended.id)))
  end
end

return report
