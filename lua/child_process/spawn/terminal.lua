--- Checks options.terminal. Loaded for the first child that has one.

local check = require("child_process.base.check")
local compat = require("child_process.base.compat")
local errors = require("child_process.errors")
local Terminal = require("child_process.stream.terminal")
local debug = require("child_process.base.standard").debug

local getmetatable = debug.getmetatable

local KNOWN = {columns = true, rows = true, name = true, rawMode = true, echo = true}

---@class TerminalOptions
---@field columns? integer default 80
---@field rows? integer default 24
---@field name? string the kind of terminal, for the variable TERM; default "xterm-256color"
---@field rawMode? boolean see Terminal:setRawMode; default false
---@field echo? boolean see Terminal:setEcho; default true

---@class child_process.TerminalDescription the option in the form that core takes
---@field name string
---@field columns? integer
---@field rows? integer
---@field raw? boolean
---@field echo? boolean
---@field handle? userdata of the terminal of another child, which the child shall use
---@field stream? Terminal the same terminal

-- The field, or its default.
local function field(value, name, default)
  local given = value[name]
  if given == nil then
    return default
  end
  return given
end

local function flag(value, name, default)
  return check.type("options.terminal." .. name, "boolean", field(value, name, default))
end

local function kind(value)
  local name = check.type("options.terminal.name", "string",
    field(value, "name", "xterm-256color"))
  check.noNul("options.terminal.name", name)
  if name == "" then
    error(errors.invalidArgValue("options.terminal.name", name, "cannot be empty"))
  end
  return name
end

local function shared(terminal)
  local handle = terminal:_getHandle()
  if not handle then
    local wasCut = terminal.destroyed and not terminal.readableEnded
    error(errors.invalidArgValue("options.terminal", terminal, "is a terminal "
      .. (wasCut and "that was destroyed" or "whose child has ended")))
  end
  return {handle = handle, stream = terminal, name = terminal.name}
end

-- Copies a table without what is absent.
local function fieldsOf(value)
  local fields = {}
  for name, given in compat.pairs(value) do
    if type(name) ~= "string" then
      error(errors.invalidArgValue("options.terminal", value,
        ("has the key %s, which is not the name of a field"):format(tostring(name))))
    end
    fields[name] = given
  end
  return check.options("options.terminal", fields, KNOWN)
end

-- Whether it is an object of a class, such as another stream, and no table of fields.
local function isObject(value)
  local meta = getmetatable(value)
  return type(meta) == "table" and rawget(meta, "__name") ~= nil
end

---@param value any options.terminal
---@return child_process.TerminalDescription? # nil: no terminal
return function(value)
  if value == false then
    return nil
  elseif Terminal.isTerminal(value) then
    return shared(value)
  elseif value ~= true and (type(value) ~= "table" or isObject(value)) then
    error(errors.invalidArgType("options.terminal", {"boolean", "table", "Terminal"}, value))
  end
  local fields = value == true and {} or fieldsOf(value)
  return {
    name = kind(fields),
    columns = Terminal.checkCells("options.terminal.columns", field(fields, "columns", 80)),
    rows = Terminal.checkCells("options.terminal.rows", field(fields, "rows", 24)),
    raw = flag(fields, "rawMode", false),
    echo = flag(fields, "echo", true),
  }
end
