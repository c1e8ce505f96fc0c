--- What the sources share: variables and files, and words for what is wrong with them.
-- @module mediastop.source.reading

local core = require "mediastop.core"

local reading = {
  null = core.null,
}

-- A $ stands for the path, a # for the path as a word of the shell.
local words_of = {
  missing = "$ does not exist",
  unreadable = "$ cannot be read",
  not_regular = "$ is no regular file",
  too_large = "$ is over 64 KiB",
  open_to_others = "$ is open to group or others; mend it by: chmod 600 #",
  of_another = "$ belongs to another user; mend it by: sudo chown `id -u` # && chmod 600 #",
  empty = "$ is empty",
}

local MARK = "\239\187\191"

local function shell_word(path)
  if path:find "^[%w_/.][%w_/.+:@%%=,-]*$" then
    return path
  end
  return "'" .. path:gsub("'", "'\\''") .. "'"
end

--- An environment variable; nil if it is unset or empty.
function reading.variable(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

--- The text without a byte order mark, as editors on Windows put it in front.
function reading.without_mark(text)
  -- By sub, which leaves no copy in a buffer as gsub would.
  return text:sub(1, #MARK) == MARK and text:sub(#MARK + 1) or text
end

--- The content of a small regular file without a byte order mark and its last line end.
-- @tparam string path
-- @tparam boolean private whether it must be ours, or root's, and closed to everybody else
-- @treturn[1] string content, not empty
-- @treturn[2] nil
-- @treturn[2] string a word for `describe`
-- @treturn[2] string the system's words, if it has some
function reading.file(path, private)
  local content, word, words = core.system.read(path, private)
  if not content then
    return nil, word, words
  end
  content = reading.without_mark(content)
  if content:sub(-1) == "\n" then
    content = content:sub(1, content:sub(-2, -2) == "\r" and -3 or -2)
  end
  if content == "" then
    return nil, "empty"
  end
  return content
end

--- What a JSON text says, if it is an object.
-- @tparam string text
-- @treturn table or nil
-- @raise where memory is short
function reading.object(text)
  text = reading.without_mark(text)
  local value = core.system.decode(text)
  return text:find("^%s*{") and value or nil
end

--- A sentence for a file that could not be read.
function reading.describe(path, word, words)
  local sentence = words_of[word]:gsub("[$#]", { ["$"] = path, ["#"] = shell_word(path) })
  return sentence .. (words and ": " .. words or "")
end

return reading
