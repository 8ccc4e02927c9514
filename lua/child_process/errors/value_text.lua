--- Puts values into the messages of errors: quoted, shortened, with their types.

local compat = require("child_process.base.compat")
local core = require("child_process.core")
local standard = require("child_process.base.standard")

local debug, io, package = standard.debug, standard.io, standard.package

---@class child_process.value_text
local values = {}

local getmetatable = debug.getmetatable -- also sees behind a __metatable field
local utf8Length = core.encoding.utf8Length

-- The first characters of a valid text.
local function prefix(text, count)
  for start in text:gmatch("()[^\128-\191]") do
    if count == 0 then
      return text:sub(1, start - 1)
    end
    count = count - 1
  end
  return text
end

--- Cuts a text that has more than `limit` characters (bytes if it is not UTF-8) after `keep` of
--- them, and appends dots.
---@param text string
---@param limit integer
---@param keep integer
---@return string
function values.shorten(text, limit, keep)
  local characters = utf8Length(text)
  if (characters or #text) <= limit then
    return text
  end
  return (characters and prefix(text, keep) or text:sub(1, keep)) .. "..."
end

local letters = {["\n"] = "\\n", ["\t"] = "\\t", ["\b"] = "\\b", ["\f"] = "\\f", ["\r"] = "\\r"}

local function escape(character)
  return letters[character] or ("\\x%02X"):format(character:byte())
end

--- A string as one would write it in a program.
---@param text string
---@return string
function values.quote(text)
  local mark = "'"
  if text:find("'", 1, true) then
    mark = not text:find('"', 1, true) and '"' or not text:find("`", 1, true) and "`" or "'"
  end
  text = text:gsub("\\", "\\\\"):gsub("%c", escape)
  if mark == "'" then
    text = text:gsub("'", "\\'")
  end
  if not utf8Length(text) then
    text = text:gsub("[\128-\255]", escape) -- what a terminal could not show
  end
  return mark .. text .. mark
end

local function number(value)
  if value ~= value then
    return "nan" -- tostring gives it a sign on some machines
  end
  local text = tostring(value)
  if compat.mathType(value) == "integer" and math.abs(value) > 0x100000000 then
    text = ("%d"):format(value):reverse():gsub("%d%d%d", "%0_"):reverse():gsub("^(%-?)_", "%1")
  end
  return text
end

-- "a table", "an instance of FILE*": the kind of a value that has no short text of its own.
local function kind(value)
  local valueType = type(value)
  if rawequal(value, core.null) then
    return "null"
  elseif valueType == "table" or valueType == "userdata" then
    local meta = getmetatable(value)
    local name = meta and rawget(meta, "__name") or io.type(value) and "FILE*"
    if type(name) == "string" then
      return "an instance of " .. name
    end
  end
  return "a " .. valueType
end

--- The name of an emitter's class: "ChildProcess".
---@param emitter any
---@return string
function values.emitterName(emitter)
  local meta = getmetatable(emitter)
  return meta and meta.__name or "EventEmitter"
end

--- The short text of any value.
---@param value any
---@return string
function values.inspect(value)
  local valueType = type(value)
  if valueType == "string" then
    return values.quote(value)
  elseif valueType == "number" then
    return number(value)
  elseif valueType == "nil" or valueType == "boolean" then
    return tostring(value)
  end
  local meta = getmetatable(value)
  return meta and meta.__tostring and tostring(value) or kind(value)
end

-- The module's name if the value is a module of this project. Then a function of the module was
-- called with a colon.
local function moduleName(value)
  for name, module in pairs(package.loaded) do
    if rawequal(module, value) and type(name) == "string" and name:find("^child_process") then
      return name
    end
  end
  local cp = package.loaded.child_process
  return cp and rawequal(cp.promises, value) and "child_process.promises" or nil
end

--- A value with its type, after the word "Received".
---@param value any
---@return string
function values.received(value)
  local valueType = type(value)
  local module = valueType == "table" and moduleName(value)
  if module then
    return ("the module %s, whose functions are called with a dot, not with a colon"):format(module)
  end
  if valueType == "string" then
    return ("type string (%s)"):format(values.quote(values.shorten(value, 28, 25)))
  elseif valueType == "number" or valueType == "boolean" then
    return ("type %s (%s)"):format(valueType, values.inspect(value))
  end
  return value == nil and "nil" or kind(value)
end

return values
