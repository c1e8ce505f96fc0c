-- examples/nginx-rtmp: the example's own files in a real nginx with its RTMP module, and ffmpeg as the encoder.
local nginx = require("spec.support.nginx")
local process = require("spec.emulator.process")
local socket = require("socket")
local support = require("spec.support")
local system = require("spec.emulator.system")

local folder = "examples/nginx-rtmp/"
local GRACE, LONG = 1.5, 100 -- seconds; the first is longer on a busy machine

local rtmp_module, why_not = nginx.rtmp_module()
if system.capture("command -v ffmpeg") == "" then
  why_not = "no ffmpeg (on Debian: apt-get install ffmpeg)"
end

-- A stream key that nobody has used: the keys of specs are secrets like any.
local keys = 0
local function new_key()
  keys = keys + 1
  return ("key%dOf%d"):format(keys, system.own_pid())
end

-- The example's configuration with the ports, paths and times of a spec.
local function configuration(rtmp_port, grace)
  local text = assert(system.read_file(folder .. "nginx.conf"))
  local function replace(old, new, count)
    local found
    text, found = text:gsub(old:gsub("%p", "%%%0"), (new:gsub("%%", "%%%%")))
    assert.are.equal(count or 1, found, old)
  end
  replace("user www-data;", "{{user}}")
  replace("worker_processes 1;", "worker_processes {{workers}};")
  replace("pid /run/nginx.pid;", "pid nginx.pid; daemon off;")
  replace("include /etc/nginx/modules-enabled/*.conf;", "{{modules}}")
  replace("/var/log/nginx/", "{{directory}}/", 2)
  replace("listen 1935;", ("listen 127.0.0.1:%d;"):format(rtmp_port))
  replace("127.0.0.1:8935", "127.0.0.1:{{port}}", 4)
  replace("notify_update_timeout 10s;", "notify_update_timeout 500ms;")
  local paths = {}
  for _, name in ipairs({ "client_body", "proxy", "fastcgi", "uwsgi", "scgi" }) do
    paths[#paths + 1] = ("%s_temp_path {{directory}}/%s;"):format(name, name)
  end
  replace("http {", "http { " .. table.concat(paths, " "))
  replace("/etc/nginx/mediastop/?.lua", "{{root}}/" .. folder .. "?.lua")
  replace("/etc/nginx/mediastop/streams.json", "{{directory}}/streams.json")
  replace("/usr/local/share/lua/5.1/", "{{root}}/lua/", 2)
  replace("/usr/local/lib/lua/5.1/", "{{root}}/build/jit/")
  replace("grace = 30,", ("grace = %s,"):format(grace))
  local base_url = support.emulator():base_url()
  replace("client = {},", ("client = { base_url = { fastpix = %q, memories = %q } },"):format(base_url.fastpix,
    base_url.memories))
  return text
end

describe("examples/nginx-rtmp", function()
  if why_not then
    pending(why_not)
    return
  end

  local emulator, server, rtmp_port
  local streams, encoders, started = {}, {}, 0

  -- Writes the file that the operator writes, as one should: by renaming.
  local function write_streams(text)
    local path = server.dir .. "/streams.json"
    system.write_file(path .. ".new", text or require("cjson").encode({ live = streams }))
    assert(os.rename(path .. ".new", path))
  end

  -- A key with a job of both providers.
  local function new_stream()
    local stream = { key = new_key(), fastpix = support.id("fastpix"), memories = support.id("memories") }
    streams[stream.key] = { fastpix = stream.fastpix, memories = stream.memories }
    write_streams()
    return stream
  end

  local function start_server(workers, grace)
    if server then
      server:stop()
    end
    local environment = { "env", "-i", 'PATH="$PATH"' }
    for name, value in pairs(support.variables()) do
      environment[#environment + 1] = system.quote(name .. "=" .. value)
    end
    rtmp_port = system.free_ports(1)[1]
    server = nginx.start({
      conf = configuration(rtmp_port, grace or GRACE),
      modules = { rtmp_module },
      workers = workers,
      environment = table.concat(environment, " "),
      files = { ["streams.json"] = "{}" },
    })
  end

  -- Starts ffmpeg with these words; returns its process id and the file to which it writes its progress.
  local function start_ffmpeg(words)
    started = started + 1
    local progress = ("%s/encoder%d"):format(server.dir, started)
    local pid = tonumber(system.capture(("ffmpeg -nostdin -v error -progress %s %s >%s.log 2>&1 </dev/null & echo $!")
      :format(progress, words, progress)))
    local encoder = { pid = pid, started = process.start_time(pid), progress = progress }
    encoders[#encoders + 1] = encoder
    return encoder
  end

  local function running(encoder)
    return encoder.started ~= nil and process.start_time(encoder.pid) == encoder.started
  end

  local function ended(encoder)
    return system.wait_until(function()
      return not running(encoder)
    end, 15)
  end

  local function address(stream, query)
    return system.quote(("rtmp://127.0.0.1:%d/live/%s%s"):format(rtmp_port, stream.key, query or ""))
  end

  local function encoder_of(stream, query)
    return start_ffmpeg("-re -f lavfi -i testsrc=size=64x64:rate=10 -c:v flv -f flv " .. address(stream, query))
  end

  -- Whether nginx takes the stream that an encoder sends, or shows it to a player.
  local function accepted(encoder)
    return system.wait_until(function()
      local frames = (system.read_file(encoder.progress) or ""):match(".*frame=(%d+)")
      return tonumber(frames or 0) > 2 or not running(encoder)
    end, 15) and running(encoder)
  end

  -- Publishes until hung up; returns once nginx takes the stream.
  local function publish(stream, query)
    local encoder = encoder_of(stream, query)
    assert.is_true(accepted(encoder), system.read_file(encoder.progress .. ".log"))
    return encoder
  end

  -- By a signal: the encoder says goodbye after "INT" and not after "KILL".
  local function hang_up(encoder, signal)
    system.signal(encoder.pid, signal or "INT")
    assert.is_true(ended(encoder))
  end

  local function requests(stream)
    return #emulator:requests(stream.fastpix) + #emulator:requests(stream.memories)
  end

  local function stopped(stream, seconds)
    return system.wait_until(function()
      return emulator:state("fastpix", stream.fastpix) == "idle"
        and emulator:state("memories", stream.memories) == "stopped"
    end, seconds or GRACE + 10)
  end

  local function log()
    return system.read_file(server.dir .. "/mediastop.log") or ""
  end

  local function logged(text)
    return system.wait_until(function()
      return log():find(text, 1, true) ~= nil
    end, 10)
  end

  -- Sends a hook as nginx-rtmp does; returns the status.
  local function hook(body, method)
    local connection = assert(socket.connect("127.0.0.1", server.port))
    connection:settimeout(10)
    connection:send(("%s /rtmp HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
      .. "Connection: Close\r\nContent-Length: %d\r\n\r\n%s"):format(method or "POST", #body, body))
    local _, status = nginx.receive(connection)
    return status
  end

  local function form(call, stream, app)
    return ("app=%s&flashver=&swfurl=&tcurl=&pageurl=&addr=127.0.0.1&clientid=1&call=%s&name=%s"):format(app or "live",
      call, stream.key)
  end

  setup(function()
    emulator = support.emulator()
    start_server(1, LONG)
    -- An encoder must be able to come back within the grace time.
    local begun = socket.gettime()
    hang_up(publish(new_stream()), "KILL")
    GRACE = math.max(GRACE, 2 * (socket.gettime() - begun))
    start_server(1)
  end)

  after_each(function()
    for _, encoder in ipairs(encoders) do
      if running(encoder) then
        system.signal(encoder.pid, "KILL")
        ended(encoder)
      end
    end
    encoders = {}
  end)

  teardown(function()
    if server then
      server:stop()
    end
  end)

  it("ends both jobs of a stream whose encoder hangs up, after the grace time", function()
    for _, signal in ipairs({ "INT", "KILL" }) do
      local stream = new_stream()
      local encoder = publish(stream, "?token=x%26y")
      local begun = socket.gettime()
      hang_up(encoder, signal)
      assert.is_true(stopped(stream), signal)
      assert.is_true(socket.gettime() - begun >= GRACE)
      assert.are.equal(2, requests(stream))
      assert.is_true(logged("fastpix.finish " .. stream.fastpix .. ": ended"))
      assert.is_true(logged("memories.stop " .. stream.memories .. ": ended"))
    end
  end)

  it("calls it off for an encoder that comes back in time, which ends it when it leaves for good", function()
    local stream = new_stream()
    hang_up(publish(stream))
    assert.is_true(logged("fastpix.finish " .. stream.fastpix .. ": in "))
    local encoder = publish(stream)
    assert.is_true(logged("fastpix.finish " .. stream.fastpix .. ": called off"))
    assert.is_true(logged("memories.stop " .. stream.memories .. ": called off"))
    socket.sleep(GRACE + 1)
    assert.are.equal(0, requests(stream))
    hang_up(encoder)
    assert.is_true(stopped(stream))
    assert.are.equal(2, requests(stream))
  end)

  it("does not end a stream because a second publisher of it was refused", function()
    local stream = new_stream()
    local encoder = publish(stream)
    assert.is_true(ended(encoder_of(stream)))
    assert.is_true(logged("fastpix.finish " .. stream.fastpix .. ": in "))
    socket.sleep(2 * GRACE)
    assert.is_true(running(encoder))
    assert.are.equal(0, requests(stream))
    hang_up(encoder)
    assert.is_true(stopped(stream))
  end)

  it("ends a stream whose players stay", function()
    local stream = new_stream()
    local encoder = publish(stream)
    local player = start_ffmpeg(("-i %s -f null -"):format(address(stream)))
    assert.is_true(accepted(player))
    hang_up(encoder)
    assert.is_true(stopped(stream))
    assert.is_true(running(player))
  end)

  it("takes no word of the publisher's query", function()
    local victim, other = new_stream(), new_stream()
    hang_up(publish(other, ("?name=%s&app=live&call=publish_done&streamid=%s&task_id=%s&fastpix=%s"):format(victim.key,
      victim.fastpix, victim.memories, victim.fastpix)))
    assert.is_true(stopped(other))
    assert.are.equal(0, requests(victim))
    -- Nor does it call the stop of another's stream off; and one without an entry of its own may publish.
    assert.are.equal(204, hook(form("publish_done", victim)))
    hang_up(publish({ key = new_key() }, ("?name=%s&call=publish&"):format(victim.key) .. ("x=%00&"):rep(20)))
    assert.is_true(stopped(victim))
  end)

  it("answers every form, and ends a job for none but a stream's own", function()
    local stream = new_stream()
    local done, key = form("publish_done", stream), stream.key
    local hostile = {
      [""] = 204,
      ["&&&==&"] = 204,
      ["%"] = 204,
      ["%zz=%0&%=%"] = 204,
      ["call=publish_done"] = 204,
      ["call=publish_done&app=live"] = 204,
      ["call=publish_done&name=" .. key] = 204,
      ["call&app&name"] = 204,
      ["call=publish_done&app=live&name"] = 204,
      ["call=publish_done&app=live&name=&name=" .. key] = 204,
      ["call=publish_done&app=live&name&name=" .. key] = 204,
      ["call=publish_done&app=live&name=x&name=" .. key] = 204,
      ["call=publish_done&app=other&app=live&name=" .. key] = 204,
      [form("publish_done", stream, "other")] = 204,
      ["call=publish_done&app=live&name=" .. key .. "%00"] = 204,
      ["call=publish_done&app=live&name=" .. key .. "%0d%0a"] = 204,
      ["call=publish_done&app=live&name[]=" .. key] = 204,
      ["call=publish_done&app=live%2f" .. key .. "&name=" .. key] = 204,
      ["call=publish_done&app=__index&name=__index"] = 204,
      ["call=publish_done&app=1&name=1"] = 204,
      ["call=publish_done&app=live&name=..%2f..%2fetc%2fpasswd"] = 204,
      ["call=publish_done&app=live&name=%fe%ff%c0%80"] = 204,
      [form("connect", stream)] = 204,
      [form("play_done", stream)] = 204,
      [form("done", stream)] = 204,
      [form("PUBLISH_DONE", stream)] = 204,
      [form("x&call=publish_done", stream)] = 204,
      [("x=y&"):rep(100) .. done] = 204,
      ["\0" .. done] = 204,
      ['{"call":"publish_done","app":"live","name":"' .. key .. '"}'] = 204,
      [done .. ("x"):rep(15 * 1024)] = 204,
      [done .. ("x"):rep(1024 * 1024)] = 413,
    }
    for body, expected in pairs(hostile) do
      assert.are.equal(expected, hook(body), body:sub(1, 80))
    end
    for _, method in ipairs({ "GET", "PUT", "DELETE", "OPTIONS", "PATCH" }) do
      assert.are.equal(405, hook(done, method), method)
    end
    assert.are.equal(404, select(2, server:get("/", done)))
    socket.sleep(GRACE + 0.5)
    assert.are.equal(0, requests(stream))
    -- And is whole after all of that.
    assert.are.equal(204, hook(done .. "&name=x&app=y&call=publish"))
    assert.is_true(stopped(stream))
  end)

  it("ends a job once, however often it is told", function()
    local stream = new_stream()
    for _ = 1, 20 do
      assert.are.equal(204, hook(form("publish_done", stream)))
    end
    assert.is_true(stopped(stream))
    socket.sleep(0.5)
    assert.are.equal(2, requests(stream))
  end)

  it("takes a stream that the provider has ended for ended", function()
    local stream = new_stream()
    emulator:job("fastpix", stream.fastpix, "idle")
    assert.are.equal(204, hook(form("publish_done", stream)))
    assert.is_true(logged("fastpix.finish " .. stream.fastpix .. ": already_ended"))
  end)

  it("says what is wrong with the file, and lets everybody publish all the same", function()
    local key = new_key()
    local wrong = {
      ["{"] = "streams.json: Expected",
      [""] = "streams.json: is empty",
      ["7"] = "streams.json: is no JSON object",
      [(" "):rep(2 ^ 20 + 1)] = "streams.json: is larger than 1 MiB",
      [('{ "live": { "%s": 7 } }'):format(key)] = "a stream of 'live' is no object",
      [('{ "live": { "%s": { "fastpics": "x" } } }'):format(key)] = "has 'fastpics', which is no provider",
      [('{ "live": { "%s": { "fastpix": 7 } } }'):format(key)] = "has a 'fastpix' that is no string",
      [('{ "live": { "%s": { "fastpix": "" } } }'):format(key)] = "fastpix.finish : invalid_id",
      [('{ "live": { "%s": { "fastpix": null } } }'):format(key)] = false,
      ['{ "live": [] }'] = false,
      ['{ "live": null }'] = false,
    }
    for text, expected in pairs(wrong) do
      local before = #log()
      write_streams(text)
      for _, call in ipairs({ "publish", "publish_done", "update_publish" }) do
        assert.are.equal(204, hook(form(call, { key = key })), text:sub(1, 60))
      end
      local said = log():sub(before + 1)
      if expected then
        assert.is_truthy(said:find(expected, 1, true), text:sub(1, 60) .. "\n" .. said:sub(1, 1000))
      else
        assert.is_nil(said:find("[error]", 1, true), said:sub(1, 1000))
      end
    end
    os.remove(server.dir .. "/streams.json")
    hang_up(publish({ key = key }))
    assert.is_true(logged("streams.json: No such file or directory"))
    write_streams()
  end)

  -- Nothing crashed, and no stream's key is in a log or the name of a file.
  local function check_logs()
    local text = server:log() .. log() .. system.capture("find /dev/shm/mediastop-$(id -u) 2>/dev/null; true")
    assert.is_nil(text:match("[^\n]*%[alert%][^\n]*"))
    for key in pairs(streams) do
      local hex = key:gsub(".", function(c)
        return ("%02x"):format(c:byte())
      end)
      assert.is_nil(text:find(key, 1, true))
      assert.is_nil(text:find(hex, 1, true))
    end
  end

  it("ends a stream when its last publisher has left, with several workers", function()
    check_logs()
    start_server(4)
    local stream = new_stream()
    local first, second = publish(stream), nil
    for _ = 1, 30 do -- until it comes to another worker, which takes the same stream
      second = encoder_of(stream)
      if accepted(second) then
        break
      end
    end
    assert.is_true(running(first) and running(second))
    hang_up(first)
    socket.sleep(2 * GRACE)
    assert.are.equal(0, requests(stream))
    hang_up(second)
    assert.is_true(stopped(stream))
    assert.are.equal(2, requests(stream))
    check_logs()
  end)

  it("keeps encoders over a reload; that, and a stop, ends at once what is in its grace time", function()
    start_server(1, LONG)
    local staying, leaving = new_stream(), new_stream()
    local encoder = publish(staying)
    hang_up(publish(leaving))
    assert.is_true(logged("fastpix.finish " .. leaving.fastpix .. ": in "))
    server:signal("HUP")
    assert.is_true(stopped(leaving, LONG / 2))
    socket.sleep(1) -- for some updates
    assert.is_true(running(encoder))
    assert.are.equal(0, requests(staying))
    hang_up(encoder) -- in a worker that is shutting down
    assert.is_true(logged("fastpix.finish " .. staying.fastpix .. ": in "))
    assert.is_true(logged("memories.stop " .. staying.memories .. ": in "))
    check_logs()
    assert.is_true(server:quit("QUIT"))
    assert.is_true(stopped(staying, 0))
    assert.are.same({ 2, 2 }, { requests(leaving), requests(staying) })
    check_logs()
  end)
end)
