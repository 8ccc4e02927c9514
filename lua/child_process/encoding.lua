--- Text encodings, as in Node's strings, buffers and StringDecoder. Text is UTF-8.

require("child_process.base.standard") -- first, since it names what is missing
local core = require("child_process.core").encoding

--- The names of encodings, in upper or lower case: `utf8`, `utf-8`; `utf16le`, `utf-16le`, `ucs2`,
--- `ucs-2`; `latin1`, `binary`; `ascii`; `hex`; `base64`; `base64url`. Any other value (`"buffer"`,
--- nil) means bytes, which stay as they are.
---@class child_process.encoding
local encoding = {}

--- Returns `utf8`, `utf16le`, `latin1`, `ascii`, `hex`, `base64` or `base64url` for any name of
--- that encoding; nil if the value names no encoding.
---@type fun(name: any): string?
encoding.normalize = core.normalize

--- Decodes bytes that arrive in pieces.
---@class child_process.decoder
--- Returns the text of these bytes. The start of a character whose rest is missing is kept for the
--- next call.
---@field write fun(self: child_process.decoder, bytes: string): string
--- Returns the text for the bytes that were kept, since no more follow. This resets the decoder.
---@field finish fun(self: child_process.decoder): string
--- Returns the bytes of an incomplete character. This resets the decoder.
---@field take fun(self: child_process.decoder): string

--- Makes a decoder; nil if the name means bytes.
---@type fun(name: any): child_process.decoder?
encoding.decoder = core.decoder

--- Returns the text of all bytes at once. Invalid UTF-8 or UTF-16 becomes U+FFFD; `ascii` ignores
--- the eighth bit of each byte.
---@type fun(bytes: string, name: any): string
encoding.decode = core.decode

-- In these a character may have several bytes.
local hasCharacters = {utf8 = true, utf16le = true}

--- Returns the text of an output if the name is an encoding, otherwise its bytes.
---@param bytes string
---@param name any
---@param truncated boolean bytes are missing: an incomplete character at the end is omitted
---@return string
function encoding.decodeOutput(bytes, name, truncated)
  local decoder = encoding.decoder(name)
  if not decoder then
    return bytes
  end
  local text = decoder:write(bytes)
  return truncated and hasCharacters[encoding.normalize(name)] and text or text .. decoder:finish()
end

--- Returns the bytes of a text. `utf8` takes the text as it is, valid or not; all others take
--- invalid UTF-8 as U+FFFD. `latin1` and `ascii` keep the low eight bits of each UTF-16 unit, `hex`
--- ends before the first pair that is not two digits, `base64` and `base64url` read both alphabets,
--- skip other characters and end at `=`.
---@type fun(text: string, name: any): string
encoding.encode = core.encode

return encoding
