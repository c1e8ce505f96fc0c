--- Processes of their own that look for a credential: with an environment, files and a user of their own.
local assert = require("luassert")
local mime = require("mime")
local support = require("spec.support")
local system = require("spec.emulator.system")

local finding = {}

--- No value of a spec's may be seen: each holds this word.
finding.MARK = "secret"

--- A new path for a file.
function finding.path(name)
  return support.scratch((name or "file") .. "." .. support.id())
end

--- Makes a file, which its owner alone may read unless `mode` says otherwise; `owner` is a user's number, for root.
--- Returns its path.
function finding.file(text, mode, owner)
  local path = finding.path()
  system.write_file(path, text)
  local chown = owner and ("chown %d %s && "):format(owner, path) or ""
  assert.are.equal("", system.capture(("{ %schmod %s %s; } 2>&1"):format(chown, mode or "600", path)))
  return path
end

--- Makes a folder of files. Returns its path.
function finding.folder(contents)
  local path = finding.path()
  system.capture("mkdir -m 700 " .. path)
  for name, text in pairs(contents or {}) do
    system.write_file(path .. "/" .. name, text)
  end
  return path
end

--- Makes a program, a script of the shell's. Returns its path.
function finding.program(script)
  return finding.file("#!/bin/sh\n" .. script .. "\n", "700")
end

--- The number of the user who runs the specs.
function finding.user()
  return tonumber((system.capture("id -u")))
end

--- Whether root runs the specs, and can run a program as somebody else.
function finding.can_change_user()
  return finding.user() == 0 and system.capture("setpriv --reuid=54321 --clear-groups id -u 2>&1") == "54321"
end

--- Runs Lua source with this environment and nothing else but what Lua needs: not even HOME. `prefix` is words of the
--- shell ahead of it. The source stands in no file and no argument, so that another user may run it too. Returns
--- { status, stdout, stderr }.
function finding.run(source, environment, prefix)
  local path = finding.path("child")
  system.write_file(path .. ".in", source)
  local status = system.capture(("timeout 60 %s %s %s - <%s.in >%s.out 2>%s.err; echo $?"):format(prefix or "",
    support.with_environment(environment), system.quote(support.interpreter()), path, path, path))
  return {
    status = tonumber(status),
    stdout = system.read_file(path .. ".out"),
    stderr = system.read_file(path .. ".err"),
  }
end

local function authorization(request)
  for _, pair in ipairs(request.headers) do
    if pair[1]:lower() == "authorization" then
      return pair[2]
    end
  end
end

--- What arrived as Authorization for the id, request by request.
function finding.authorizations(id)
  local all = {}
  for index, request in ipairs(support.emulator():requests(id)) do
    all[index] = authorization(request)
  end
  return all
end

--- The Authorization of a pair.
function finding.basic(username, password)
  return "Basic " .. mime.b64(username .. ":" .. password)
end

local call = [[
local mediastop = require("mediastop")
%s
local client = mediastop.new({ proxy = "", attempts = 1, %s })
local options = { base_url = %q, %s }
local result, message, err = client.%s("%s", options)
print(result and "result" or err.kind .. " " .. message)
]]

--- Calls the provider's operation in a process whose environment is this and no more. `more` is Lua source: `new` and
--- `call` of further options, `before` of what comes first; and `base_url`, and `prefix` for `run`. Returns the
--- Authorization that arrived, or nil and what the process printed.
function finding.sent(provider, environment, more)
  more = more or {}
  local id = support.id()
  local base_url = more.base_url or support.emulator():base_url()[provider]
  local child = finding.run(call:format(more.before or "", more.new or "", base_url, more.call or "",
    support.operation(provider).full, id), environment, more.prefix)
  assert.are.equal("", child.stderr)
  assert.are.equal(0, child.status)
  local arrived = finding.authorizations(id)
  assert.is_true(#arrived <= 1)
  if arrived[1] then
    return arrived[1]
  end
  return nil, child.stdout
end

--- The same where nothing may be sent: the error is of kind "credentials", has these words, and shows no value. Returns
--- the message.
function finding.fails(provider, environment, more, words)
  local found, message = finding.sent(provider, environment, more)
  assert.is_nil(found)
  assert.are.equal("credentials ", message:sub(1, 12))
  assert.is_nil(message:find(finding.MARK, 1, true), message)
  for _, word in ipairs(type(words) == "string" and { words } or words or {}) do
    assert.is_truthy(message:find(word, 1, true), ("%q lacks %q"):format(message, word))
  end
  return message
end

--- What the process's `explain` says: its tostring, once no value is in it or in any field.
function finding.explained(provider, environment, options)
  local child = finding.run(([[
    local explanation = require("mediastop").credentials.explain(%q, %s)
    print(explanation)
    for name, value in pairs(explanation) do
      io.stderr:write(name, "=", tostring(value), "\n")
    end
    for _, place in ipairs(explanation.looked) do
      for name, value in pairs(place) do
        io.stderr:write(name, "=", tostring(value), "\n")
      end
    end
  ]]):format(provider, options or "nil"), environment)
  assert.are.equal(0, child.status, child.stderr)
  assert.is_nil(child.stderr:find(finding.MARK, 1, true), child.stderr)
  assert.is_nil(child.stdout:find(finding.MARK, 1, true), child.stdout)
  return child.stdout
end

--- An environment in which the credentials file has this text.
function finding.with_file(text, mode, owner)
  return { MEDIASTOP_CREDENTIALS_FILE = finding.file(text, mode, owner) }
end

--- An environment in which the entry of memories in the credentials file is this program: its words.
function finding.with_program(...)
  local json = require("cjson")
  return finding.with_file(json.encode({ default = { memories = { process = { ... } } } }))
end

return finding
