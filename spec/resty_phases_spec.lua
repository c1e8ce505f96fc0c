local nginx = require("spec.support.nginx")
local support = require("spec.support")
local system = require("spec.emulator.system")

-- Lua for a call that goes to the emulator, whose kind or outcome comes back.
local function call(module, id, more)
  return ([[(function()
    local result, message, err = require("%s").fastpix.finish(%s, { %s%s })
    return result and result.outcome or err.kind
  end)()]]):format(module, id, nginx.options("fastpix"), more and ", " .. more or "")
end

-- Phases in which nothing can wait, as lines of a location; {call} stands for a call whose outcome is noted.
local refusing = {
  set = [[
    set_by_lua_block $noted { NOTE({call}) return "" }
    return 200 "done";
  ]],
  header_filter = [[
    return 200 "done";
    header_filter_by_lua_block { NOTE({call}) }
  ]],
  body_filter = [[
    return 200 "done";
    body_filter_by_lua_block { if not NOTED then NOTE({call}) end }
  ]],
  log = [[
    return 200 "done";
    log_by_lua_block { NOTE({call}) }
  ]],
  balancer = [[
    proxy_pass http://balanced/plain;
  ]],
}

local http = [[
  upstream balanced {
    server 0.0.0.1;
    balancer_by_lua_block { NOTE({call}) require("ngx.balancer").set_current_peer("127.0.0.1", {{port}}) }
  }
]]

local init = [[
  function NOTE(text) NOTED = NOTED and NOTED .. " " .. text or text end
  function ID() return ngx.var.arg_id end
]]

-- One server for each way to call in a phase that cannot wait.
local function start(phase, source)
  local location = "location = /phase {\n" .. refusing[phase] .. "}\n"
  local function fill(text)
    return (text:gsub("{call}", function() return source end))
  end
  return nginx.start({ init = init, http = fill(http), server = fill(location) })
end

describe("mediastop.resty", function()
  local emulator

  setup(function()
    emulator = support.emulator()
  end)

  for phase in pairs(refusing) do
    it(("refuses to wait in the phase %s, where later works"):format(phase), function()
      local id = support.id("fastpix")
      local server = start(phase, table.concat({
        call("mediastop.resty", "ID()"), call("mediastop", "ID()"),
        ([[tostring(require("mediastop.resty").later("fastpix.finish", ID(), { %s }))]]):format(
          nginx.options("fastpix")),
      }, ' .. " " .. '))
      server:get("/phase?id=" .. id)
      assert.are.equal("blocking blocking true", server:run("return NOTED"))
      assert.is_true(system.wait_until(function()
        return emulator:state("fastpix", id) == "idle"
      end, 10))
      assert.are.equal(1, #emulator:requests(id))
      server:stop()
    end)
  end

  it("waits all the same where the caller lets it block", function()
    local id, other = support.id("fastpix"), support.id("fastpix")
    local allowed = "allow_blocking = true"
    local server = start("log", call("mediastop.resty", "ID()", allowed) .. ' .. " " .. '
      .. call("mediastop", "ngx.var.arg_other", allowed))
    server:get(("/phase?id=%s&other=%s"):format(id, other))
    assert.are.equal("ended ended", server:run("return NOTED"))
    server:stop()
  end)

  -- Two handshakes, of which the second asks for the session of the first, with Lua in a phase of TLS. Returns what was
  -- noted; nil if a handshake failed.
  local function handshakes(phase, source)
    local block = ("%s_by_lua_block { %s }"):format(phase, source)
    local port = system.free_ports(1)[1]
    local server = nginx.start({
      init = init .. "IDS = {}",
      http = ([[
        ssl_session_cache shared:none:1m;
        ssl_session_tickets off;
        %s
        server {
          listen 127.0.0.1:%d ssl;
          ssl_certificate %s/server.pem;
          ssl_certificate_key %s/server.key;
          %s
        }
      ]]):format(phase == "ssl_session_fetch" and block or "", port, emulator.dir, emulator.dir,
        phase ~= "ssl_session_fetch" and block or ""),
    })
    local words = system.capture(("cd %s && for option in -sess_out -sess_in; do timeout 10 openssl s_client -tls1_2 "
      .. "$option session -connect 127.0.0.1:%d </dev/null >/dev/null 2>&1 || echo failed; done"):format(server.dir,
      port))
    local noted = server:run("return NOTED")
    server:stop()
    return words == "" and noted or nil
  end

  for _, phase in ipairs({ "ssl_certificate", "ssl_client_hello", "ssl_session_fetch" }) do
    it("waits in the phase " .. phase, function()
      if not (handshakes(phase, 'ngx.sleep(0.01) NOTE("slept")') or ""):find("^slept") then
        return pending("this nginx cannot wait there itself")
      end
      local id = support.id("fastpix")
      assert.are.equal("ended", handshakes(phase, ("if not NOTED then NOTE(%s) end"):format(
        call("mediastop.resty", ("%q"):format(id)))))
    end)
  end

  it("may be required and preloaded before the workers begin, and starts nothing there", function()
    local secret = emulator.credentials.fastpix.password
    local server = nginx.start({
      workers = 2,
      environment = ("env FASTPIX_USERNAME=%s FASTPIX_PASSWORD=%s"):format(
        system.quote(emulator.credentials.fastpix.username), system.quote(secret)),
      init = ([[
        local resty = require "mediastop.resty"
        require("mediastop").credentials.preload()
        local _, _, refused = resty.fastpix.finish("x", { base_url = %q, allow_blocking = false })
        local _, _, later = resty.later("fastpix.finish", "x", { base_url = %q, delay = 1, allow_blocking = true })
        INIT = refused.kind .. " " .. later.kind
      ]]):format(emulator:base_url().fastpix, emulator:base_url().fastpix),
    })
    assert.are.equal("blocking blocking", server:run("return INIT"))
    -- The master has one thread, and of descriptors none that is libcurl's or a bell's.
    assert.are.equal("1", system.capture("ls /proc/" .. server.pid .. "/task | wc -l"))
    assert.are.equal("", system.capture(("ls -l /proc/%d/fd | grep eventpoll"):format(server.pid)))
    local id = support.id("fastpix")
    assert.are.equal("nil ended", server:run(([[
      local result = assert(require("mediastop.resty").fastpix.finish(%q, { base_url = %q }))
      return os.getenv("FASTPIX_PASSWORD"), result.outcome
    ]]):format(id, emulator:base_url().fastpix)))
    server:stop()
  end)

  it("works from init_worker by later, and at a worker's exit", function()
    local at_start, at_exit = support.id("fastpix"), support.id("fastpix")
    local later = ([[require("mediastop.resty").later("fastpix.finish", %%q, { %s })]]):format(nginx.options("fastpix"))
    local server = nginx.start({
      http = ("init_worker_by_lua_block { %s }\nexit_worker_by_lua_block { %s }"):format(later:format(at_start),
        later:format(at_exit)),
    })
    assert.is_true(system.wait_until(function()
      return emulator:state("fastpix", at_start) == "idle"
    end, 10))
    assert.are.equal("active", emulator:state("fastpix", at_exit))
    assert.is_true(server:quit("QUIT"))
    assert.are.equal("idle", emulator:state("fastpix", at_exit))
  end)
end)

describe("mediastop in nginx", function()
  local server, emulator

  setup(function()
    emulator = support.emulator()
    server = nginx.start({})
  end)

  it("refuses what would stall the worker, and names what to use", function()
    local id = support.id("fastpix")
    local words = server:run(([[
      local mediastop = require "mediastop"
      local options = { %s }
      local kinds = {}
      local _, message, err = mediastop.fastpix.finish(%q, options)
      kinds[1] = err.kind .. " " .. err.reached .. " " .. err.attempts .. " " .. tostring(err.retryable)
      local job = assert(mediastop.start("fastpix.finish", %q, options))
      local done, _, e = job:wait()
      kinds[2] = tostring(done) .. " " .. e.kind
      kinds[3] = type(job:wait(0))
      job:cancel()
      kinds[4] = tostring(job:wait())
      for request, result, _, each_err in mediastop.each { { "fastpix.finish", %q, options } } do
        kinds[5] = tostring(result) .. " " .. each_err.kind .. " " .. request[2]
      end
      local core = require "mediastop.core"
      kinds[6] = select(3, core.fastpix.finish(%q, options)).kind
      kinds[7] = message
      return table.concat(kinds, ", ")
    ]]):format(nginx.options("fastpix"), id, support.id("fastpix"), id, id))
    assert.are.equal(("blocking no 0 false, nil blocking, boolean, true, nil blocking %s, blocking, "
      .. "fastpix.finish %s: blocking: it would stall the nginx worker: call mediastop.resty instead, and its later() "
      .. "in a phase that cannot wait (allow_blocking = true waits all the same)"):format(id, id), words)
    assert.are.equal("active", emulator:state("fastpix", id))
  end)

  it("says of a wait for a request that is under way that it may have arrived", function()
    local id = support.id("fastpix")
    emulator:faults(id, { { hang = 3 } })
    assert.are.equal("blocking maybe", server:run(([[
      local mediastop = require "mediastop"
      local job = assert(mediastop.start("fastpix.finish", %q, { %s }))
      mediastop.step()
      local _, _, err = job:wait()
      job:cancel()
      return err.kind .. " " .. err.reached
    ]]):format(id, nginx.options("fastpix"))))
  end)

  it("refuses in timers as well, and blocks where it may", function()
    local id = support.id("fastpix")
    assert.are.equal("blocking ended", server:run(([[
      local mediastop, words, done = require "mediastop", {}, require("ngx.semaphore").new()
      ngx.timer.at(0, function()
        words[1] = select(3, mediastop.fastpix.finish(%q, { %s })).kind
        words[2] = mediastop.new { allow_blocking = true }.fastpix.finish(%q, { %s }).outcome
        done:post(1)
      end)
      done:wait(10)
      return table.concat(words, " ")
    ]]):format(id, nginx.options("fastpix"), id, nginx.options("fastpix"))))
  end)

  it("moves jobs on by step", function()
    local id = support.id("fastpix")
    assert.are.equal("ended", server:run(([[
      local mediastop = require "mediastop"
      local job = assert(mediastop.start("fastpix.finish", %q, { %s }))
      while mediastop.step() > 0 do ngx.sleep(0.001) end
      return job:result().outcome
    ]]):format(id, nginx.options("fastpix"))))
  end)

  it("runs no program for a credential where that would stall the worker", function()
    local path = support.scratch("nginx-credentials.json")
    local credentials = emulator.credentials.fastpix
    system.write_file(path, ([[{"default": {"fastpix": {"process": ["printf", "%%s",
      "{\"username\": \"%s\", \"password\": \"%s\"}"]}}}]]):format(credentials.username, credentials.password))
    system.capture("chmod 600 " .. path)
    local id = support.id("fastpix")
    local program = nginx.start({ main = "env MEDIASTOP_CREDENTIALS_FILE=" .. path .. ";\nenv PATH=/usr/bin:/bin;" })
    local source = [[
      local call = require("%s").fastpix.finish
      local result, message, err = call(%q, { base_url = %q, %s })
      return result and result.outcome or err.kind, message
    ]]
    local url = emulator:base_url().fastpix
    assert.matches("^credentials .*the program 'printf' is not run where it would stall nginx: call "
      .. "mediastop.credentials.preload%(%) in init_by_lua", program:run(source:format("mediastop.resty", id, url, "")))
    assert.are.equal("ended", program:run(source:format("mediastop", id, url, "allow_blocking = true")))
    program:stop()
    local preloaded = nginx.start({
      main = "env MEDIASTOP_CREDENTIALS_FILE=" .. path .. ";\nenv PATH=/usr/bin:/bin;",
      init = 'require("mediastop").credentials.preload()',
    })
    assert.are.equal("ended", preloaded:run(source:format("mediastop.resty", support.id("fastpix"), url, "")))
    preloaded:stop()
  end)
end)
