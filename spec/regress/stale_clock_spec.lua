--- Where the whole exchange took place while libcurl was at work once, as when the process was put to sleep in between,
--- `elapsed` told of the moment before.
local support = require("spec.support")
local system = require("spec.emulator.system")

it("an exchange that libcurl carries out at one stretch took as long as it took", function()
  if os.getenv("MEDIASTOP_LUA") then
    return pending("a sanitizer's runtime is to be loaded first")
  elseif system.capture("uname -s") ~= "Linux" then
    return pending("another loader")
  end
  local library = support.module_file():gsub("mediastop/core", "late")
  local child = support.run(([[
    local client = require("mediastop").new {
      base_url = { fastpix = %q }, credentials = { fastpix = { username = "one", password = "two" } },
    }
    for i = 1, 3 do
      local _, _, err = client.fastpix.finish("nobody")
      print(err.kind, err.elapsed >= 0.05)
    end
  ]]):format(support.emulator():base_url().fastpix), { LD_PRELOAD = library })
  assert.are.equal(("unauthorized\ttrue\n"):rep(3), child.stdout, child.stderr)
end)
