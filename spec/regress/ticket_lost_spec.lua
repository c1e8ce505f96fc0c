--- What `later` had delayed under a key was taken for called off, and never carried out, where somebody had removed the
--- folder of the tickets (logind does when a user logs out, RemoveIPC), or where no file can be removed.
local support = require("spec.support")
local system = require("spec.emulator.system")

describe("tickets", function()
  -- Runs the Lua with a /dev/shm of its own; nil where that cannot be.
  local function run(source)
    for _, words in ipairs({ "unshare -m", "unshare -r -m" }) do
      local command = words .. " sh -c 'mount -t tmpfs none /dev/shm && exec \"$@\"' sh "
      if system.capture(command .. "echo yes 2>/dev/null") == "yes" then
        local script = support.scratch("lost.lua")
        system.write_file(script, "local tickets = require('mediastop.core').tickets " .. source)
        return system.capture(("LUA_PATH=%s LUA_CPATH=%s %s %s %s 2>&1"):format(system.quote(package.path),
          system.quote(package.cpath), command, system.quote(support.interpreter()), system.quote(script)))
      end
    end
    pending("no mounts to be had")
  end

  local removal = "os.execute('rm -r /dev/shm/mediastop-*')"
  for name, lines in pairs({
    ["their folder is removed"] = removal,
    ["their folder is removed and made again"] = removal .. " assert(tickets.issue('other'))",
    ["no file can be removed"] = "os.execute('mount -o remount,ro /dev/shm')",
  }) do
    it("are not taken for called off where " .. name, function()
      local shown = run(([[
        local lost = assert(tickets.issue("lost"))
        %s
        local found = tickets.call_off("lost")
        print(found, lost:take(), lost:take())
      ]]):format(lines))
      assert.is_true(shown == nil or shown == "0\ttrue\tfalse", shown)
    end)
  end

  -- Another place took the folder, where nobody looked once the first one had room; and no place a ticket for which a
  -- folder in the first one had none.
  for name, room in pairs({ ["no room for their folder"] = 1, ["room for their folder alone"] = 2 }) do
    it("are called off wherever they are, and go elsewhere where the first place has " .. name, function()
      local shown = run(([[
        os.execute("mount -o remount,nr_inodes=%d /dev/shm")
        local kept, off = assert(tickets.issue("kept")), assert(tickets.issue("off"))
        os.execute("mount -o remount,nr_inodes=100 /dev/shm")
        print(tickets.call_off("off"), off:take(), kept:take())
        os.execute("rmdir /tmp/mediastop-$(id -u)")
      ]]):format(room))
      assert.is_true(shown == nil or shown == "1\tfalse\ttrue", shown)
    end)
  end
end)
