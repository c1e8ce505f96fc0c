--- What the specs of the hosts share: the module as a user installs it, the real programs, and what they printed.
local assert = require("luassert")
local support = require("spec.support")
local socket = require("socket")
local system = require("spec.emulator.system")

local host = {}

-- Where Lua's own folders call LuaJIT 5.1.
local folder_of = { jit = "5.1" }

local installed = {}

-- The path of a program, or nil.
local function find(name)
  local path = system.capture("PATH=$PATH:/usr/sbin:/sbin command -v " .. name)
  return path ~= "" and path or nil
end

--- Which of these programs is not there, in words; nil if they all are.
function host.missing(...)
  for _, program in ipairs({ ... }) do
    if not find(program) then
      return program .. " is not installed"
    end
  end
end

--- Installs the module for the Lua of a host ("5.2", "jit") by `make install`. Returns the variables by which a host
--- finds it: LUA_PATH, LUA_CPATH, and PATH for the command.
function host.install(version)
  if not installed[version] then
    local prefix = support.scratch("installed." .. version)
    local output = system.capture(("make --no-print-directory install LUA_VERSION=%s PREFIX=%s 2>&1 || echo failed")
      :format(version, system.quote(prefix)))
    assert.is_nil(output:find("failed$"), output)
    local v = folder_of[version] or version
    installed[version] = {
      PATH = prefix .. "/bin:" .. os.getenv("PATH") .. ":/usr/sbin:/sbin",
      LUA_PATH = ("%s/share/lua/%s/?.lua;%s/share/lua/%s/?/init.lua;;"):format(prefix, v, prefix, v),
      LUA_CPATH = ("%s/lib/lua/%s/?.so;;"):format(prefix, v),
    }
    -- VLC runs as another user.
    system.capture("chmod -R a+rX " .. system.quote(prefix))
  end
  return support.copy(installed[version])
end

--- A new folder; HOME of a host, say.
function host.folder()
  local path = support.scratch("host." .. support.id())
  system.capture("mkdir -p " .. system.quote(path))
  return path
end

--- Copies files of the examples, or of the specs, into a folder, which is made.
function host.copy(folder, ...)
  for _, file in ipairs({ ... }) do
    local output = system.capture(("mkdir -p %s && cp %s %s/ 2>&1"):format(system.quote(folder), system.quote(file),
      system.quote(folder)))
    assert.are.equal("", output)
  end
end

--- Quotes words for the shell.
function host.words(list)
  local quoted = {}
  for index, word in ipairs(list) do
    quoted[index] = system.quote(word)
  end
  return table.concat(quoted, " ")
end

local Program = {}
Program.__index = Program

--- Starts a program in a session of its own, with this environment, the emulator's credentials, PATH, and nothing else.
--- `options`: `lua`, the version of the host's Lua; `environment`; `home` (a new folder); `seconds` after which it is
--- killed (60).
function host.start(words, options)
  options = options or {}
  local home = options.home or host.folder()
  local environment = { PATH = os.getenv("PATH") .. ":/usr/sbin:/sbin", HOME = home }
  environment = support.merge(environment, support.variables())
  environment = support.merge(environment, options.lua and host.install(options.lua))
  environment = support.merge(environment, options.environment)
  local list = { "timeout", "-k", "2", tostring(options.seconds or 60), "env", "-i" }
  for name, value in pairs(environment) do
    list[#list + 1] = name .. "=" .. value
  end
  for _, word in ipairs(words) do
    list[#list + 1] = word
  end
  local log = support.scratch("log." .. support.id())
  local script = "{ setsid sh -c 'echo $$ >\"$0.pid\"; exec \"$@\"' %s %s; echo $? >%s.status; } >%s 2>&1 </dev/null &"
  system.capture(script:format(log, host.words(list), log, log))
  return setmetatable({ home = home, log = log, began = socket.gettime() }, Program)
end

--- What it has printed so far.
function Program:output()
  return system.read_file(self.log) or ""
end

--- Its exit status, nil while it runs.
function Program:status()
  return tonumber((system.read_file(self.log .. ".status")))
end

--- Waits until it has printed text with this pattern; returns what the pattern captures. Fails where the program ends
--- before, or the seconds (20) are over.
function Program:expect(pattern, seconds)
  local captured
  system.wait_until(function()
    local status = self:status()
    captured = { self:output():match(pattern) }
    return captured[1] or status
  end, seconds or 20)
  assert.is_truthy(captured[1], ("no %q in:\n%s"):format(pattern, self:output()))
  return (table.unpack or unpack)(captured)
end

-- The process that began what was started: `timeout`, which has a group of its own.
local function leader(program)
  return tonumber((system.read_file(program.log .. ".pid")))
end

--- Sends a signal to the program itself, once: many take a second one for impatience.
function Program:signal(name)
  local pid = leader(self)
  local child = pid and system.read_file(("/proc/%d/task/%d/children"):format(pid, pid))
  system.signal(assert(child and tonumber(child:match("%d+")), "it does not run"), name)
end

--- Ends it at once, if it still runs.
function Program:kill()
  if not self:status() then
    system.signal(-leader(self), "KILL")
    system.wait_until(function() return self:status() end, 5)
  end
end

--- Waits until it has ended. Returns its status and the seconds since it was started.
function Program:wait(seconds)
  local ended = system.wait_until(function() return self:status() end, seconds or 60)
  local took = socket.gettime() - self.began
  self:kill()
  assert.is_true(ended, "it does not end:\n" .. self:output())
  return self:status(), took
end

--- Runs a program to its end. Returns { status, output, seconds }.
function host.run(words, options)
  local program = host.start(words, options)
  local status, seconds = program:wait((options and options.seconds or 60) + 5)
  return { status = status, output = program:output(), seconds = seconds }
end

return host
