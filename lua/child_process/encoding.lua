--- Text encodings, as Node's strings, buffers and StringDecoder have them. Text is UTF-8.
---
--- Names, in upper or lower case: `utf8`, `utf-8`; `utf16le`, `utf-16le`, `ucs2`, `ucs-2`;
--- `latin1`, `binary`; `ascii`; `hex`; `base64`; `base64url`. Any other value (`"buffer"`, nil)
--- stands for bytes, which stay as they are.
local core = require("child_process.core").encoding

---@class child_process.encoding
local encoding = {}

--- The one name of an encoding that has several: `utf8`, `utf16le`, `latin1`, `ascii`, `hex`,
--- `base64` or `base64url`. Nil when the value names no encoding.
---@type fun(name: any): string?
encoding.normalize = core.normalize

--- Turns bytes that arrive in pieces into text.
---@class child_process.decoder
--- The text of these bytes. The start of a character whose rest is missing is kept for the next
--- call.
---@field write fun(self: child_process.decoder, bytes: string): string
--- What stands for the bytes that were kept, now that no more follow. The decoder is then as new.
---@field finish fun(self: child_process.decoder): string

--- A new decoder, or nil where the name stands for bytes.
---@type fun(name: any): child_process.decoder?
encoding.decoder = core.decoder

--- The text of all the bytes at once. What is not valid UTF-8 or UTF-16 becomes U+FFFD; `ascii`
--- ignores the eighth bit of each byte.
---@type fun(bytes: string, name: any): string
encoding.decode = core.decode

-- In these a character may be several bytes. In base64 there is none that could be cut.
local hasCharacters = {utf8 = true, utf16le = true}

--- What a result holds: text where the name is an encoding, else the bytes.
---@param bytes string
---@param name any
---@param truncated boolean there was more: a character that is not whole at the end is left out
---@return string
function encoding.decodeOutput(bytes, name, truncated)
  local decoder = encoding.decoder(name)
  if not decoder then
    return bytes
  end
  local text = decoder:write(bytes)
  return truncated and hasCharacters[encoding.normalize(name)] and text or text .. decoder:finish()
end

--- The bytes that a text stands for. `utf8` takes the text as it is, valid or not; elsewhere what
--- is not valid counts as U+FFFD. `latin1` and `ascii` keep the low eight bits of each UTF-16 unit,
--- `hex` ends before the first pair that is not of digits, `base64` and `base64url` read both
--- alphabets, skip other characters and end at `=`.
---@type fun(text: string, name: any): string
encoding.encode = core.encode

return encoding
