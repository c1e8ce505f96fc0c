--- Ctrl-C ended `make test`, and the spec files that it had started went on.
local support = require("spec.support")
local system = require("spec.emulator.system")

describe("Ctrl-C in .ci/specs", function()
  it("ends what it has started, and leaves no file", function()
    if system.capture("env --default-signal=INT setsid echo good 2>&1") ~= "good" then
      return pending("no setsid, or no env that knows signals")
    end
    local folder, make = support.scratch("run"), support.scratch("make")
    system.write_file(make, "#!/bin/sh\necho $$ >\"$0.pid\"\nexec env --ignore-signal=INT sleep 300\n")
    local group = system.capture(([[
      mkdir %s && chmod +x %s
      MAKE=%s TMPDIR=%s setsid env --default-signal=INT .ci/specs busted spec/regress/sigpipe_spec.lua >/dev/null 2>&1 &
      echo $!
    ]]):format(folder, make, make, folder))
    local function pid()
      return (system.read_file(make .. ".pid") or ""):match("%d+")
    end
    local function is_over()
      return system.capture(("kill -0 %s 2>/dev/null && echo there"):format(pid())) == ""
    end
    assert.is_true(system.wait_until(pid, 20))
    assert.is_false(is_over())
    system.signal(-group, "INT")
    assert.is_true(system.wait_until(is_over, 20))
    assert.is_true(system.wait_until(function() return system.capture("ls " .. folder) == "" end, 20))
  end)
end)
