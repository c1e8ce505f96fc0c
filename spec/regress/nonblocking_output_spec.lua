--- Where standard output does not block, as whoever shares it may have set it (Node.js is known for that), the command
--- gave up as soon as the reader was slower: "Resource temporarily unavailable", and most jobs were not begun.
local command = require("spec.support.command")
local many = require("spec.support.many")
local support = require("spec.support")
local system = require("spec.emulator.system")

local JOBS = 1000 -- their lines are more than a pipe takes

local set = "use Fcntl; fcntl(STDOUT, F_SETFL, fcntl(STDOUT, F_GETFL, 0) | O_NONBLOCK); exec @ARGV"

it("the command waits for a reader of a standard output that does not block", function()
  local words, path = {}, support.scratch("status." .. support.id())
  for name, value in pairs(support.variables()) do
    words[#words + 1] = name .. "=" .. system.quote(value)
  end
  local script = "printf 'fastpix.finish %%s\\n' %s | { env %s perl -e %s %s stop-all --json %s; echo $? >%s; } "
    .. "| { sleep 1; cat; }"
  local printed = system.capture(script:format(table.concat(many.ids("fastpix", JOBS), " "), table.concat(words, " "),
    system.quote(set), system.quote(command.path()), command.base_urls("fastpix"), path))
  assert.are.equal("0\n", system.read_file(path))
  assert.are.equal(JOBS, select(2, printed:gsub('"outcome":"ended"', "")))
end)
