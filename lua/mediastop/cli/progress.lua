--- The line on a terminal that says how far it is.
-- @module mediastop.cli.progress

local core = require "mediastop.core"

local console = core.console

local progress = {}
progress.__index = progress

local PAUSE = 0.1 -- seconds between one look and the next

--- A line on standard error, if that is a terminal. `total()` is how many jobs there are, or nil.
function progress.new(total)
  local columns = console.columns(2)
  return columns and setmetatable({
    columns = columns,
    total = total,
    started = console.now(),
    next_look = 0,
    shown = 0, -- bytes of the line that stands there
  }, progress)
end

local function clock(seconds)
  seconds = math.floor(seconds + 0.5)
  local hours, minutes = math.floor(seconds / 3600), math.floor(seconds / 60) % 60
  if hours > 0 then
    return ("%d:%02d:%02d"):format(hours, minutes, seconds % 60)
  end
  return ("%d:%02d"):format(minutes, seconds % 60)
end

local function text(self, done, failed, now)
  local elapsed = now - self.started
  local rate = elapsed > 0 and done / elapsed or 0
  local line = ("%d done, %d failed, %.1f/s"):format(done, failed, rate)
  local total = self.total()
  if total and rate > 0 and total > done then
    line = ("%s, %s left"):format(line, clock((total - done) / rate))
  end
  return line:sub(1, self.columns - 1)
end

--- Takes the line away, so that something else can be printed.
function progress:clear()
  if self.shown > 0 then
    io.stderr:write("\r", (" "):rep(self.shown), "\r")
    self.shown = 0
  end
end

--- Shows how far it is, unless it did so a moment ago and nothing was printed since.
function progress:show(done, failed)
  local now = console.now()
  if self.shown > 0 and now < self.next_look then
    return
  end
  local line = text(self, done, failed, now)
  io.stderr:write("\r", line, (" "):rep(self.shown - #line))
  self.shown, self.next_look = #line, now + PAUSE
end

return progress
