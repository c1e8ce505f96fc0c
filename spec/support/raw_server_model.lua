--- What the raw server does where a script says `model = true`: the id of each request tells, letter by letter, what
--- is to become of the requests for it, and the server keeps a record of what it saw and did. Inside the process of
--- raw_server_main.lua.
local raw_server_model = {}

-- What the provider answers: a job that it ends, one that is in no state to be ended, one that it does not know. The
-- number of the answer among those for the id goes into each.
local forms = {
  memories = {
    ended = { 200, '{"code":200,"message":"success","data":{"task_id":"%s"},"n":%d}' },
    not_found = { 400, '{"code":400,"msg":"no such task %s","data":null,"n":%d}' },
    unauthorized = { 401, '{"code":401,"msg":"Unauthorized %s","n":%d}' },
  },
  screenplay = {
    ended = { 200, '{"code":200,"data":{"task_id":"%s","status":"cancelled"},"failed":false,"success":true,"n":%d}' },
    not_active = { 409, '{"code":409,"msg":"Task %s is already completed","failed":true,"success":false,"n":%d}' },
    not_found = { 400, '{"code":400,"msg":"Task not found: %s","failed":true,"n":%d}' },
    unauthorized = { 401, '{"code":401,"msg":"Unauthorized %s","n":%d}' },
  },
  emogg = {
    ended = { 200, '{"_id":"%s","state":"finished","n":%d}' },
    not_active = { 400, '{"error":true,"status":400,"message":"The session %s is not active.","n":%d}' },
    not_found = { 404, '{"error":true,"status":404,"message":"no %s","n":%d}' },
    unauthorized = { 401, '{"error":true,"status":401,"message":"Unauthorized %s","n":%d}' },
  },
  fastpix = {
    ended = { 200, '{"success":true,"about":"%s","n":%d}' },
    not_active = { 400, '{"success":false,"error":{"code":400,"message":"stream %s cannot be completed"},"n":%d}' },
    not_found = { 404, '{"success":false,"error":{"code":404,"message":"no %s"},"n":%d}' },
    unauthorized = { 401, '{"success":false,"error":{"code":401,"message":"no %s"},"n":%d}' },
  },
}

-- What a read of the job's state answers.
local reads = {
  screenplay = '{"code":200,"data":{"task_id":"%s","status":"%s"},"success":true}',
  emogg = '{"_id":"%s","state":"%s"}',
  fastpix = '{"success":true,"data":{"streamId":"%s","status":"%s"}}',
}
local states = {
  screenplay = { [true] = "cancelled", [false] = "running" },
  emogg = { [true] = "finished", [false] = "active" },
  fastpix = { [true] = "idle", [false] = "active" },
}

local busy = { 503, '{"message":"busy with %s","n":%d}', "busy" }
local limited = { 429, '{"message":"not so fast with %s","n":%d}', "limited" }

local function provider_of(head)
  return head:find("/stream/stop ", 1, true) and "memories" or head:find("/screenplay/", 1, true) and "screenplay"
    or head:find("/sessions/", 1, true) and "emogg" or "fastpix"
end

local function id_of(head)
  return head:match("/sessions/([^/ ]+)") or head:match("/streams/([^/ ]+)") or head:match("/tasks/([^/ ]+)")
end

local function render(form, record, id, headers)
  record.answered = record.answered + 1
  record.said = form[3]
  local body = form[2]:format(id, record.seen)
  return ("HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s"):format(form[1], #body,
    headers or "", body)
end

for _, form in pairs(forms) do
  for name, entry in pairs(form) do
    entry[3] = name
  end
end

local function read(call, provider, record)
  local body = reads[provider]:format(call.id, states[provider][record.ended or record.over])
  call.send(("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"):format(#body, body))
  return true
end

-- The provider's own answer: the job is ended, or was already.
local function stop(form, record)
  local was_ended = record.ended or record.over
  record.ended = record.ended or not was_ended or not form.not_active
  return was_ended and form.not_active or form.ended
end

--- By letter: what becomes of a request. Each returns whether the connection goes on.
local acts = {}

function acts.s(call, form, record)
  call.send(render(stop(form, record), record, call.id))
  return true
end

--- Not by the provider's doing: the job is over for good.
function acts.n(call, form, record)
  record.over = form.not_active ~= nil
  return acts.s(call, form, record)
end

function acts.f(call, form, record)
  call.send(render(form.not_found, record, call.id))
  return true
end

function acts.u(call, form, record)
  call.send(render(form.unauthorized, record, call.id))
  return true
end

--- A fault of the provider's, at once again, and with a back-off; too many requests.
function acts.e(call, _, record)
  call.send(render(busy, record, call.id, "Retry-After: 0\r\n"))
  return true
end

function acts.E(call, _, record)
  call.send(render(busy, record, call.id))
  return true
end

function acts.a(call, _, record)
  call.send(render(limited, record, call.id, "Retry-After: 0\r\n"))
  return true
end

--- Dropped without an answer: before the job is ended, and behind that.
function acts.d()
  return false
end

function acts.D(_, form, record)
  stop(form, record)
  return false
end

--- Answered in part.
function acts.x(call, form, record)
  local text = render(stop(form, record), record, call.id)
  call.send(text:sub(1, -9))
  return false
end

--- No HTTP.
function acts.j(call, _, record)
  record.answered = record.answered + 1
  call.send("these are no headers of " .. call.id .. "\r\n\r\n")
  return false
end

--- No answer for as long as anybody waits; an answer that comes late; one that comes slowly.
function acts.h(call)
  call.pause(0.6)
  return false
end

function acts.L(call, form, record)
  local text = render(stop(form, record), record, call.id)
  record.answered = record.answered - 1         -- by then nobody may wait for it
  record.late = true
  call.pause(0.2)
  call.send(text)
  return true
end

function acts.w(call, form, record)
  call.pause(0.02)
  return acts.s(call, form, record)
end

--- Answered, and then something more on the connection; answered, and the connection closed without a word of it.
function acts.T(call, form, record)
  local text = render(stop(form, record), record, call.id)
  call.send(text .. text)
  return true
end

function acts.k(call, form, record)
  acts.s(call, form, record)
  return false
end

--- Acts on one request: `call` is { id, head, send, pause }, the id only where it stands in the body. Returns whether
--- the connection goes on.
function raw_server_model.act(server, call)
  local provider = provider_of(call.head)
  call.id = id_of(call.head) or call.id
  server.seen = server.seen or {}
  local record = server.seen[call.id]
    or { seen = 0, answered = 0, ended = false, over = false, late = false, letters = "" }
  server.seen[call.id] = record
  if call.head:find("^GET ") then
    return read(call, provider, record)
  end
  record.seen = record.seen + 1
  local letter = (call.id:match("%-(%a+)$") or ""):sub(record.seen, record.seen)
  letter = letter ~= "" and letter or "s"
  record.letters = record.letters .. letter
  record.said = "nothing"
  return acts[letter](call, forms[provider], record)
end

return raw_server_model
