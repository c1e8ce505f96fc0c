--- A model of a job's life: random sequences of what a program may do with a client and its jobs, against a server
--- with random faults (raw_server_model.lua), and what must hold of every job afterwards.
---
--- A sequence is made of a seed alone. It runs as a coroutine, beside others, and gives the word to them between two
--- operations.
local mediastop = require("mediastop")
local has_process, process = pcall(require, "process")

local model = {}

-- Random numbers that are the same on every Lua.
local function new_random(seed)
  local state = seed % 2147483646 + 1
  local function random(most)
    state = state * 16807 % 2147483647
    return state % most + 1
  end
  for _ = 1, 5 do
    random(1)
  end
  return random
end

local providers = { "memories", "screenplay", "emogg", "fastpix" }
local operations = { memories = "stop", screenplay = "cancel", emogg = "stop", fastpix = "finish" }

-- Letters of an id, those that come often more than once. Those that make somebody wait are rare.
local letters = "ssssssssnnfuueeeaaddDDDxxjhLwTTkkE"

-- How long a call may keep the other sequences waiting.
local BLOCKING_SECONDS = 0.02

local function pick_letters(random)
  local list = {}
  for i = 1, random(4) do
    local at = random(#letters)
    list[i] = letters:sub(at, at)
  end
  return table.concat(list)
end

local Sequence = {}
Sequence.__index = Sequence

function Sequence:note(text, ...)
  self.log[#self.log + 1] = text:format(...)
end

function Sequence:pick(list)
  return list[self.random(#list)]
end

function Sequence:chance(percent)
  return self.random(100) <= percent
end

-- A fresh id, and options for a call about it.
function Sequence:request()
  self.count = self.count + 1
  local provider = self:pick(providers)
  local id = ("m%d-%d-%s"):format(self.seed, self.count, pick_letters(self.random))
  local options = {}
  if self:chance(30) then
    options.attempts = self.random(4)
  end
  if self:chance(30) then
    options.ignore_ended = true
  end
  if self:chance(20) and provider ~= "memories" then
    options.confirm = true
  end
  if self:chance(10) then
    options.timeout = self.random(20) / 100
  end
  local entry = { id = id, provider = provider, options = options, events = {}, results = 0 }
  self.entries[#self.entries + 1] = entry
  if self:chance(70) then
    entry.listens = true
    options.on_event = function(event)
      self:hear(entry, event)
    end
  end
  return entry
end

-- What a listener hears, and what it does of its own.
function Sequence:hear(entry, event)
  entry.wrong = entry.wrong or event.id ~= entry.id and "an event of " .. tostring(event.id)
  entry.events[#entry.events + 1] = event.type
  if event.type == "result" then
    entry.results = entry.results + 1
    entry.told = event.result or event.error
  elseif event.type == "attempt" then
    entry.attempts = (entry.attempts or 0) + 1
  elseif event.type == "retry" then
    entry.lost = entry.lost or event.kind == "network" or event.kind == "timeout" or event.kind == "server"
  end
  local what = self.random(20)
  if what == 1 then
    error("the listener fails")
  elseif what == 2 and entry.job then
    entry.cancelled = true
    entry.job:cancel()
  elseif what == 3 then
    self.client:step()
  elseif what == 4 then
    collectgarbage("step")
  end
end

-- Keeps what a job or a call ended in; it may be asked for again.
local function keep(entry, result, message, err)
  local value = result or err
  if entry.value and (entry.value ~= value or entry.message ~= message) then
    entry.wrong = entry.wrong or "two results"
  end
  entry.value, entry.message, entry.good = value, message, result ~= nil
end

function Sequence.ask(_, entry)
  local result, message, err = entry.job:result()
  if err and err.kind == "pending" then
    if entry.value then
      entry.wrong = entry.wrong or "pending again"
    end
  else
    keep(entry, result, message, err)
  end
end

-- One of the entries that have a job, or nil.
function Sequence:some_job()
  local list = {}
  for _, entry in ipairs(self.entries) do
    if entry.job then
      list[#list + 1] = entry
    end
  end
  return list[1] and self:pick(list)
end

local acts = {}

function acts.start(self)
  local entry = self:request()
  self:note("start %s.%s %s", entry.provider, operations[entry.provider], entry.id)
  local operation = entry.provider .. "." .. operations[entry.provider]
  local job, message, err = self.client:start(operation, entry.id, entry.options)
  entry.job = job
  if not job then
    entry.refused = true
    keep(entry, job, message, err)
  end
end

function acts.call(self)
  local entry = self:request()
  self:note("call %s", entry.id)
  entry.options.timeout = BLOCKING_SECONDS
  keep(entry, self.client[entry.provider][operations[entry.provider]](entry.id, entry.options))
  entry.refused = self.closed
end

function acts.each(self)
  local requests, by_request = {}, {}
  for i = 1, self.random(4) do
    local entry = self:request()
    entry.options.timeout = BLOCKING_SECONDS
    requests[i] = { entry.provider .. "." .. operations[entry.provider], entry.id, entry.options }
    by_request[requests[i]] = entry
    entry.in_each = true
  end
  local leave = self:chance(30) and self.random(#requests) or nil
  self:note("each of %d, left after %s", #requests, tostring(leave))
  local given = 0
  for request, result, message, err in self.client:each(requests, { concurrency = self.random(4) }) do
    local entry = by_request[request]
    if entry.value then
      entry.wrong = "given twice"
    end
    keep(entry, result, message, err)
    entry.refused = self.closed
    given = given + 1
    if given == leave then
      break
    end
  end
  if not leave and given ~= #requests then
    self.wrong = "each gave out " .. given .. " of " .. #requests
  end
end

function acts.poll(self)
  local entry = self:some_job()
  if entry then
    self:note("poll %s", entry.id)
    if entry.job:poll() then
      self:ask(entry)
    elseif entry.value then
      entry.wrong = entry.wrong or "unfinished again"
    end
  end
end

function acts.wait(self)
  local entry = self:some_job()
  if entry then
    self:note("wait %s", entry.id)
    entry.job:wait(self.random(4) / 1000)
    self:ask(entry)
  end
end

function acts.cancel(self)
  local entry = self:some_job()
  if entry then
    self:note("cancel %s", entry.id)
    entry.cancelled = true
    entry.job:cancel()
    self:ask(entry)
  end
end

function acts.drop(self)
  local entry = self:some_job()
  if entry then
    self:note("drop %s", entry.id)
    entry.dropped = not entry.value
    entry.job = nil
  end
end

function acts.collect(self)
  self:note("collect")
  collectgarbage("step", 200)
end

function acts.step(self)
  self.client:step()
end

function acts.due(self)
  local due = self.client:due()
  local fd = self.client:fd()
  if not (due == nil or due >= 0) or not (fd or self.closed) then
    self.wrong = "due or fd"
  end
end

function acts.close(self)
  if not self:chance(10) then
    return
  end
  self:note("close")
  self.client:close()
  self.closed = true
  for _, entry in ipairs(self.entries) do
    if entry.job and not entry.value then
      entry.closed = true
      self:ask(entry)
    end
  end
end

-- What is wrong in the child of a fork, or nil: the jobs on their way are the parent's, and the client goes on.
local function look_in_child(self)
  local before = {}
  for _, entry in ipairs(self.entries) do
    before[entry] = entry.job and not entry.value
  end
  local result, message = self.client.memories.stop(("m%d-0-s"):format(self.seed), { timeout = 5 })
  if not self.closed and not result then
    return message
  end
  for entry in pairs(before) do
    if before[entry] and not entry.job:poll() then
      entry.job:wait(2)
    end
    self:ask(entry)
    if before[entry] and not entry.value then
      return entry.id .. " is pending"
    end
  end
end

function acts.fork(self)
  if not has_process or not self:chance(5) then
    return
  end
  self:note("fork")
  local pid = process.fork()
  if pid == 0 then
    process.alarm(20)
    local ok, problem = pcall(look_in_child, self)
    if not ok or problem then
      io.stderr:write(("model: in the child of %d: %s\n"):format(self.seed, tostring(problem)))
    end
    process.leave(ok and not problem and 0 or 1)
  end
  local how, status = process.wait(pid)
  if how ~= "exit" or status ~= 0 then
    self.wrong = ("the child ended by %s %d"):format(how, status)
  end
end

local plan = { "start", "start", "start", "start", "start", "poll", "poll", "wait", "cancel", "drop", "collect", "step",
  "step", "step", "due", "call", "each", "close", "fork" }

-- Lets everything that is left come to its end.
function Sequence:finish()
  self:note("finish")
  local turns = 0
  while not self.closed and self.client:step() > 0 and turns < 5000 do
    turns = turns + 1
    coroutine.yield()
  end
  for _, entry in ipairs(self.entries) do
    if entry.job then
      if not entry.job:poll() then
        entry.wrong = entry.wrong or "never ends"
      end
      self:ask(entry)
    end
  end
  self.client:close()
end

function Sequence:run()
  for _ = 1, 3 + self.random(30) do
    acts[self:pick(plan)](self)
    coroutine.yield()
  end
  self:finish()
end

--- Makes a sequence: a coroutine, and what is known of it. `new_client(options)` makes a client of the server.
function model.new(seed, new_client)
  local self = setmetatable({ seed = seed, random = new_random(seed), log = {}, entries = {}, count = 0 }, Sequence)
  self.client = new_client({
    attempt_timeout = 0.1,
    timeout = 1,
    max_connections = self.random(3),
  })
  self.thread = coroutine.create(function() self:run() end)
  return self
end

-- Errors by the last letter that the server got, where the call was not called off and did not run out of time.
local expected = {
  f = "not_found", u = "unauthorized", e = "server", E = "server", a = "rate_limited", d = "network", D = "network",
  x = "network", j = "protocol", h = "timeout",
}

-- What the model says of an error.
local function judge_error(entry, record)
  local err = entry.value
  if entry.message ~= err.message then
    return "two messages"
  elseif err.id ~= entry.id or err.provider ~= entry.provider then
    return "another's error"
  elseif err.kind == "cancelled" then
    return not (entry.cancelled or entry.dropped or entry.in_each) and "cancelled by nobody"
  elseif err.kind == "closed" then
    return not (entry.closed or entry.refused) and "closed by nobody"
  elseif err.reached == "no" and record.seen > 0 then
    return "reached says no, but the server saw it"
  elseif err.reached == "yes" and not record.late and record.answered < record.seen then
    return "reached says yes, but an answer was never given"
  elseif err.kind == "timeout" or err.kind == "connect" then
    return nil
  elseif err.raw and err.raw ~= "" and not err.raw:find(entry.id, 1, true) then
    return "another's answer"
  elseif err.body and type(err.body) == "table" and err.body.n and err.body.n > record.seen then
    return "an answer to no request"
  elseif err.kind == "not_active" then
    return record.said ~= "not_active" and "not_active, which nobody said"
  elseif err.kind == "network" and record.seen < err.attempts then
    return nil                      -- lost on a connection that was dead
  end
  local last = record.letters:sub(-1)
  -- Of a refusal that is cut short the status is what is left.
  if last == "x" and record.said == "not_active" and err.status then
    return err.status >= 500 and "a status that nobody gave"
  end
  return err.kind ~= (expected[last] or "nothing") and ("%s, which is not of %s"):format(err.kind, record.letters)
end

local function judge_result(entry, record)
  local result = entry.value
  local gave_way = entry.options.ignore_ended or result.attempts > 1
  if result.id ~= entry.id or result.provider ~= entry.provider then
    return "another's result"
  elseif not result.raw:find(entry.id, 1, true) then
    return "another's answer"
  elseif not result.body then
    return record.letters:sub(-1) ~= "x" and "no body: " .. result.raw
  elseif result.body.n > record.seen then
    return "an answer to no request"
  elseif result.outcome == "ended" then
    return not record.ended and "ended, which it is not"
  elseif result.outcome == "already_ended" then
    return (not (record.ended or record.over) and "already ended, which it is not")
      or (not gave_way and "forgiven for no reason")
      or (not entry.options.ignore_ended and entry.listens and not entry.lost and entry.attempts == result.attempts
        and "forgiven, though nothing was lost")
  end
  return not entry.options.confirm and "an outcome of no answer: " .. tostring(result.outcome)
end

-- An attempt that was lost on its way, or had no time for it, never came to the server.
local lost = { timeout = true, connect = true, network = true, cancelled = true, closed = true }

-- How many attempts there may have been: those that the server saw, and those that never got to it.
local function judge_attempts(entry, record)
  local value = entry.value
  local most = entry.options.attempts or 3
  if value.attempts < record.seen then
    return ("%d attempts, of which the server saw %d"):format(value.attempts, record.seen)
  elseif value.attempts > most + (record.letters:find("u") and 1 or 0) then
    return ("%d attempts of %d"):format(value.attempts, most)
  elseif value.attempts > record.seen and entry.listens and not entry.lost and not lost[value.kind]
    and value.attempts == entry.attempts then
    return ("%d attempts, of which the server saw only %d"):format(value.attempts, record.seen)
  end
end

local function judge(entry, record)
  local value = entry.value
  if entry.wrong then
    return entry.wrong
  elseif not value then
    return not (entry.dropped or entry.in_each) and "no result"
  elseif entry.listens and not entry.refused and entry.results ~= 1 then
    return entry.results .. " result events"
  elseif entry.told and entry.told ~= value then
    return "the listener was told something else"
  end
  return judge_attempts(entry, record) or (entry.good and judge_result or judge_error)(entry, record)
end

local unseen = { seen = 0, answered = 0, ended = false, over = false, late = false, letters = "" }

--- What is wrong with a sequence that has run, once it is known what the server saw; nil if nothing is.
function model.judge(self, seen)
  local wrong = self.wrong
  for _, entry in ipairs(self.entries) do
    local problem = not wrong and judge(entry, seen[entry.id] or unseen)
    if problem then
      local value = entry.value or {}
      wrong = ("%s %s: %s\n  %s\n  the server: %s"):format(entry.provider, entry.id, problem,
        value.outcome or value.message or "no result", require("cjson").encode(seen[entry.id] or unseen))
    end
  end
  return wrong
end

--- How many jobs were started, and how many of those ended in what: for the record.
function model.count(self, counts)
  for _, entry in ipairs(self.entries) do
    local word = entry.value and (entry.value.kind or entry.value.outcome) or "dropped"
    counts[word] = (counts[word] or 0) + 1
    counts.jobs = (counts.jobs or 0) + 1
  end
end

--- A client of the server that the sequences run against.
function model.client_of(server)
  return function(options)
    options.base_url = {
      memories = server.origin .. "/serve/api/v2",
      screenplay = server.origin .. "/serve/api/v2",
      emogg = server.origin .. "/v1",
      fastpix = server.origin .. "/v1",
    }
    options.credentials = {
      memories = { api_key = "model-key-0123" },
      emogg = { token = "model-token-0123" },
      fastpix = { username = "model-user", password = "model-password" },
    }
    options.proxy = ""
    return mediastop.new(options)
  end
end

return model
