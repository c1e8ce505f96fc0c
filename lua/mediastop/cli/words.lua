--- Bytes from outside as text that a terminal, or a reader of JSON, can take.
-- @module mediastop.cli.words

local words = {}

local REPLACEMENT = "\239\191\189" -- U+FFFD

-- The first byte of a character beyond ASCII, and what may follow it (RFC 3629).
local sequences = {
  "^[\194-\223][\128-\191]",
  "^\224[\160-\191][\128-\191]",
  "^[\225-\236\238\239][\128-\191][\128-\191]",
  "^\237[\128-\159][\128-\191]",
  "^\240[\144-\191][\128-\191][\128-\191]",
  "^[\241-\243][\128-\191][\128-\191][\128-\191]",
  "^\244[\128-\143][\128-\191][\128-\191]",
}

local function match(bytes, position)
  for _, sequence in ipairs(sequences) do
    local found = bytes:match(sequence, position)
    if found then
      return found
    end
  end
end

local function mend(bytes)
  local parts, position = {}, 1
  while position <= #bytes do
    local found = match(bytes, position)
    parts[#parts + 1] = found or REPLACEMENT
    position = position + (found and #found or 1)
  end
  return table.concat(parts)
end

--- The text with U+FFFD for each byte that is no UTF-8.
function words.utf8(text)
  return (text:gsub("[\128-\255]+", mend))
end

--- The text with a space for each control character and line separator.
function words.line(text)
  return (text:gsub("%c", " "):gsub("\194[\128-\159]", " "):gsub("\226\128[\168\169]", " "))
end

return words
