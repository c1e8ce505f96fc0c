--- The command that `make install` wrote for a folder given from here, PREFIX=out, found its modules only where make
--- had run: elsewhere it ended with status 4, or took the modules of whatever folder it ran in.
local support = require("spec.support")
local system = require("spec.emulator.system")

local version = rawget(_G, "jit") and "jit" or _VERSION:match("%d.%d")
local build = support.module_file():match("^(.*)/mediastop/")

-- The relative path of a new folder, by way of the root.
local function relative_folder()
  local here = system.capture("pwd -P")
  return here:gsub("[^/]+", ".."):sub(2) .. support.scratch("relative." .. support.id())
end

local install = "env -u MAKEFLAGS -u MFLAGS make -s install DEPS=skip LUA_VERSION=%s BUILD=%s LUA=%s PREFIX=%s 2>&1"
local ask = 'program=$(readlink -f %s/bin/mediastop); cd /tmp && env -i "$program" --version 2>&1'

describe("a command that was installed into a folder given from here", function()
  for _, front in ipairs({ "", "./" }) do
    it(("runs anywhere: PREFIX=%s..."):format(front), function()
      local prefix = system.quote(front .. relative_folder())
      local words = install:format(version, system.quote(build), support.interpreter(), prefix)
      assert.are.equal("", (system.capture(words)))
      assert.are.equal("mediastop " .. require("mediastop")._VERSION, (system.capture(ask:format(prefix))))
    end)
  end
end)
