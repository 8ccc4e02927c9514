-- Checks the shape of the sources where the formatters have no rule: the length of lines, the
-- comment on top of each file, and in Lua the braces of tables and the length of functions.
--
--   lua scripts/lint/shape.lua FOLDER...

package.path = arg[0]:match("^(.-)[^/]*$") .. "?.lua;" .. package.path

local files = require("files")
local functions = require("functions")
local problems = require("problems")
local tokensOf = require("tokens")

local MAX_COLUMNS = 100
local MAX_LINES = 59 -- of a function

local function checkColumns(path, source)
  local number = 0
  for line in source:gmatch("([^\n]*)\n") do
    number = number + 1
    local columns = select(2, line:gsub("[^\128-\191]", "")) -- the bytes that begin a character
    if columns > MAX_COLUMNS then
      problems.add(path, number, "has %d columns, of %d at most", columns, MAX_COLUMNS)
    end
  end
end

local NO_COMMENT = "starts with no comment that says what the file is"
local TWO_COMMENTS = "a second comment on top of the file"

local function lineAt(source, position)
  return select(2, source:sub(1, position - 1):gsub("\n", "")) + 1
end

local function checkCComment(path, source)
  local after = source:match("^/%*.-%*/()")
  local second = source:match("^%s*()/%*", after)
  if not after then
    problems.add(path, 1, NO_COMMENT)
  elseif second then
    problems.add(path, lineAt(source, second), TWO_COMMENTS)
  end
end

-- The end of a Lua comment of one or more lines; nil if there is none at this position.
local function endOfComment(source, at)
  local after = source:match("^%-%-[^\n]*()", at)
  while after and source:find("^\n%-%-", after) do
    after = source:match("^\n[^\n]*()", after)
  end
  return after
end

-- An editor takes a comment for that of the first local unless a blank line stands between them. A
-- second comment before a blank line belongs to no code either, unless it declares a type.
local function checkLuaComment(path, source)
  local start = source:match("^#![^\n]*\n()") or source:match("^%-%-%-@meta[^\n]*\n\n()") or 1
  local after = endOfComment(source, start)
  if not after then
    problems.add(path, 1, NO_COMMENT)
  elseif not source:find("^\n\n", after) then
    problems.add(path, lineAt(source, after),
      "a blank line stands between the file's comment and the code")
  else
    local stop = endOfComment(source, after + 2)
    if stop and source:find("^\n\n", stop) and not source:find("^%-%-%-@", after + 2) then
      problems.add(path, lineAt(source, after + 2), TWO_COMMENTS)
    end
  end
end

-- Whether there are blanks, and no end of a line, between two tokens.
local function isSpaced(source, left, right)
  return left ~= nil and right ~= nil and left.kind ~= "comment" and right.kind ~= "comment"
    and source:sub(left.to + 1, right.from - 1):find("^[ \t]+$") ~= nil
end

local function checkBraces(path, source, tokens)
  for index, token in ipairs(tokens) do
    if token.text == "{" and isSpaced(source, token, tokens[index + 1]) then
      problems.add(path, token.line, "a space after {")
    elseif token.text == "}" and isSpaced(source, tokens[index - 1], token) then
      problems.add(path, token.line, "a space before }")
    end
  end
end

-- In specs functions group the tests.
local function checkFunctions(path, tokens)
  for _, found in ipairs(path:find("_spec%.lua$") and {} or functions(tokens)) do
    local line = found.first.line
    local lines = found.last.line - line + 1
    if lines > MAX_LINES then
      problems.add(path, line, "a function of %d lines, of %d at most", lines, MAX_LINES)
    end
  end
end

local function checkFile(path, source)
  checkColumns(path, source)
  if not path:find("%.lua$") then
    return checkCComment(path, source)
  end
  local tokens = tokensOf(source)
  checkLuaComment(path, source)
  checkBraces(path, source, tokens)
  checkFunctions(path, tokens)
end

for _, folder in ipairs(arg) do
  for _, path in ipairs(files.list(folder, {"c", "h", "lua"})) do
    checkFile(path, files.read(path))
  end
end
problems.finish()
