--- Standard input as requests for `each`: lines of an operation and an id.
-- @module mediastop.cli.lines

local core = require "mediastop.core"
local reading = require "mediastop.source.reading"
require "mediastop.each" -- which makes `none_yet`

local console, none_yet = core.console, core.engine.none_yet

local lines = {}
lines.__index = lines

local LONGEST_LINE = 4096 -- bytes
local LOOK_UP = 0.25 -- seconds; for Ctrl-C

--- A reader of standard input.
function lines.new()
  return setmetatable({
    size = console.left(), -- bytes, nil where that is not known
    consumed = 0, -- bytes of what was given out
    count = 0, -- lines so far
    pulled = 0, -- requests given out
    ended = false,
    buffer = "",
  }, lines)
end

-- Reads some more, waiting at most so long. An error of reading is an end that is remembered.
function lines:fill(seconds)
  local part, problem = console.read(seconds)
  if not part then
    self.ended, self.problem = true, problem
  elseif part ~= "" then
    self.buffer = self.buffer .. part
  end
  return part and part ~= ""
end

-- The next line, without its end; nil if there is none yet, or no more. What is longer than any line is cut.
function lines:next_line()
  local from, to = self.buffer:find("\n", self.position or 1, true)
  local start = self.position or 1
  if not from then
    self.buffer, self.position = self.buffer:sub(start), 1
    if #self.buffer > LONGEST_LINE then
      -- The rest of the line is not kept either.
      self.buffer = self.buffer:sub(1, LONGEST_LINE + 1)
    end
    if not self.ended or self.buffer == "" then
      return nil
    end
    from, to, start = #self.buffer + 1, #self.buffer, 1
  end
  local line = self.buffer:sub(start, from - 1)
  self.position = to + 1
  self.consumed = self.consumed + #line + 1
  self.count = self.count + 1
  return line
end

-- The request of a line, or nil if it holds none.
function lines:request(line)
  local text = line:gsub("\r$", "")
  if self.count == 1 then
    text = reading.without_mark(text)
  end
  if text:find "^%s*#" then
    return nil
  elseif #text > LONGEST_LINE then
    return { "", "", line = self.count, problem = "the line is too long" }
  elseif text:find "^%s*$" then
    return nil
  end
  local operation, id = text:match "^%s*(%S+)%s+(.-)%s*$"
  if not operation or id == "" then
    return { text, "", line = self.count, problem = "a line is an operation and an id, as in: fastpix.finish ID" }
  end
  return { operation, id, line = self.count }
end

--- An iterator for `each`. `in_flight()` is how many of its requests have no result yet: while there is none, it waits.
function lines:requests(in_flight)
  return function()
    while true do
      local line = self:next_line()
      local request = line and self:request(line)
      if request then
        self.pulled = self.pulled + 1
        return request
      elseif not line and self.ended then
        return nil
      elseif not line and not self:fill(in_flight() > 0 and 0 or LOOK_UP) and not self.ended then
        return none_yet
      end
    end
  end
end

--- How many requests there are in all, as far as can be told; nil where it cannot.
function lines:total()
  if self.ended then
    return self.pulled
  elseif self.size and self.consumed > 0 then
    return math.max(self.pulled, math.floor(self.pulled * self.size / self.consumed + 0.5))
  end
end

return lines
