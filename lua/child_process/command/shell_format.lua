--- Puts quoted values into a shell command: each `%s` is one, `%%` is a percent sign.

local errors = require("child_process.errors")
local quote = require("child_process.command.quote")

-- Where a shell would not take a quoted value as a word: what opens such a place, what closes it,
-- and its name. A backslash hides the closing mark where `escapes` is set.
local PLACES = {
  {open = "$((", close = "))", name = "an arithmetic expression"},
  {open = "'", close = "'", name = "quotes"},
  {open = '"', close = '"', name = "quotes", escapes = true},
  {open = "`", close = "`", name = "backquotes", escapes = true},
}

-- Whose end is not looked for.
local HERE_DOCUMENT = {name = "a here-document"}
local COMMENT = {close = "\n", name = "a comment"}

local function refuse(format, reason)
  error(errors.invalidArgValue("format", format, reason))
end

local function startsWith(text, position, mark)
  return text:sub(position, position + #mark - 1) == mark
end

-- The scanner: `place` is where the position is, nil outside of all places.
---@class ShellFormat
---@field package format string
---@field package position integer
---@field package place? table
---@field package hasHereDocument? boolean one starts at the next line
---@field package values table packed
---@field package used integer
local ShellFormat = {}
ShellFormat.__index = ShellFormat

function ShellFormat:value()
  if self.place then
    refuse(self.format, ("has a %%s inside %s, where no value can be quoted"):format(
      self.place.name))
  end
  self.used = self.used + 1
  local value = self.values[self.used]
  if value == nil then
    error(errors.missingArgs(("value %d"):format(self.used)))
  end
  return quote.value(("value %d"):format(self.used), value)
end

function ShellFormat:directive()
  local letter = self.format:sub(self.position + 1, self.position + 1)
  self.position = self.position + 2
  if letter == "%" then
    return "%"
  elseif letter == "s" then
    return self:value()
  end
  refuse(self.format, ("has a %%%s; a percent sign is written %%%%"):format(letter))
end

function ShellFormat:copy(length)
  local text = self.format:sub(self.position, self.position + length - 1)
  self.position = self.position + length
  return text
end

-- A backslash with the byte that it quotes.
function ShellFormat:escape()
  if startsWith(self.format, self.position + 1, "%s") then
    refuse(self.format, "has a %s after a backslash")
  end
  return self:copy(startsWith(self.format, self.position + 1, "%") and 1 or 2)
end

function ShellFormat:stepInside()
  local place = self.place
  if place.escapes and startsWith(self.format, self.position, "\\") then
    return self:escape()
  elseif place.close and startsWith(self.format, self.position, place.close) then
    self.place = nil
    return self:copy(place == COMMENT and 0 or #place.close)
  end
  return self:copy(1)
end

-- Whether a "#" at the position starts a comment.
function ShellFormat:startsComment()
  return self.position == 1 or self.format:find("^[%s;&|()]", self.position - 1) ~= nil
end

function ShellFormat:stepOutside()
  local format, position = self.format, self.position
  for _, place in ipairs(PLACES) do
    if startsWith(format, position, place.open) then
      self.place = place
      return self:copy(#place.open)
    end
  end
  if startsWith(format, position, "\\") then
    return self:escape()
  elseif startsWith(format, position, "#") and self:startsComment() then
    self.place = COMMENT
  elseif startsWith(format, position, "<<") then
    self.hasHereDocument = true
    return self:copy(2)
  elseif startsWith(format, position, "\n") and self.hasHereDocument then
    self.place = HERE_DOCUMENT
  end
  return self:copy(1)
end

function ShellFormat:step()
  if startsWith(self.format, self.position, "%") then
    return self:directive()
  elseif self.place then
    return self:stepInside()
  end
  return self:stepOutside()
end

--- Returns the command, and how many of the values it has.
---@param format string
---@param values table packed
---@return string
---@return integer
return function(format, values)
  if type(format) ~= "string" then
    error(errors.invalidArgType("format", "string", format))
  end
  local self = setmetatable({format = format, position = 1, values = values, used = 0}, ShellFormat)
  local pieces = {}
  while self.position <= #format do
    pieces[#pieces + 1] = self:step()
  end
  return table.concat(pieces), self.used
end
