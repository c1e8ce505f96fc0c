local core = require("mediastop.core")
local support = require("spec.support")
local system = require("spec.emulator.system")

describe("tickets", function()
  local tickets = core.tickets

  local function issue(key)
    return assert(tickets.issue(key))
  end

  it("are taken once, by their owner or by whoever calls them off", function()
    local ticket = issue("one")
    assert.is_true(ticket:take())
    assert.is_false(ticket:take())
    local first, second, other = issue("one"), issue("one"), issue("on")
    assert.are.equal(2, tickets.call_off("one"))
    assert.are.equal(0, tickets.call_off("one"))
    assert.is_false(first:take())
    assert.is_false(second:take())
    assert.is_true(other:take())
  end)

  it("go with the collector", function()
    issue("collected")
    collectgarbage()
    collectgarbage()
    assert.are.equal(0, tickets.call_off("collected"))
  end)

  it("are called off by another process of the same parent, which counts none of the dead", function()
    local script = support.scratch("ticket.lua")
    system.write_file(script, [[
      local tickets, process = require("mediastop.core").tickets, require("process")
      local mine = assert(tickets.issue("shared"))
      local dead = process.fork()
      if dead == 0 then
        assert(tickets.issue("dead"))
        process.kill(process.pid(), 9)
      end
      process.wait(dead)
      local sibling = process.fork()
      if sibling == 0 then process.leave(tickets.call_off("shared")) end
      assert(select(2, process.wait(sibling)) == 0) -- a child's parent is another: it has other keys
      assert(mine:take())
      tickets.sweep()
      print("good")
    ]])
    local ended = support.run(system.read_file(script))
    assert.are.equal("good\n", ended.stdout .. ended.stderr)
  end)

  it("are safe from the processes of another pid namespace", function()
    local command
    for _, words in ipairs({ "unshare --pid --fork", "unshare -U -c --pid --fork" }) do
      command = command or system.capture(words .. " echo yes 2>/dev/null") == "yes" and words
    end
    if not command then
      pending("no pid namespace to be had")
      return
    end
    local ticket = issue("spaces")
    local script = support.scratch("sweep.lua")
    system.write_file(script, "require('mediastop.core').tickets.sweep() print('swept')")
    assert.are.equal("swept", system.capture(("LUA_PATH=%s LUA_CPATH=%s %s %s %s 2>&1"):format(
      system.quote(package.path), system.quote(package.cpath), command, system.quote(support.interpreter()),
      system.quote(script))))
    assert.is_true(ticket:take())
  end)

  it("refuse a key that is too long, and a folder that is not ours alone", function()
    local ticket, words = tickets.issue(("x"):rep(101))
    assert.is_nil(ticket)
    assert.is_string(words)
    assert.are.equal(0, tickets.call_off(("x"):rep(101)))
    issue(("\255"):rep(100)):take()
  end)
end)
