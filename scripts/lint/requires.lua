-- Reads which modules of a tree its Lua files load.

local files = require("files")
local functions = require("functions")
local problems = require("problems")
local tokensOf = require("tokens")

local requires = {}

--- The name of a file from the tree's folder on.
---@param path string
---@return string
function requires.name(path)
  return (path:gsub("%.lua$", ""))
end

-- The tokens other than comments.
local function codeOf(source)
  local tokens, code = tokensOf(source), {}
  functions(tokens)
  for _, token in ipairs(tokens) do
    if token.kind ~= "comment" then
      code[#code + 1] = token
    end
  end
  return code
end

local function textAt(code, index)
  return code[index] and code[index].text
end

-- The file that a string could name, "child_process/stream" for "child_process.stream".
local function named(token)
  local name = token.kind == "string" and (token.text:match("^[\"']([%w_.]+)[\"']$")
    or token.text:match("^%[=*%[([%w_.]+)%]=*%]$"))
  return name and (name:gsub("%.", "/"))
end

local function isOneOf(list, wanted)
  for _, value in ipairs(list) do
    if value == wanted then
      return true
    end
  end
  return false
end

-- Whether a string is compared with another, or measured.
local function isCompared(code, index)
  local before = textAt(code, index - 1)
  return before == "==" or before == "~=" or before == "#"
end

local function isCalled(code, index)
  return textAt(code, index - 1) == "(" and textAt(code, index - 2) == "require"
end

-- Reports a call of `require` in which no module of the tree stands, though one should.
local function checkCall(tree, file, code, index)
  local token = code[index]
  if not isCalled(code, index) or not named(token):find("^" .. tree.root .. "%f[/%z]") then
    return
  elseif textAt(code, index + 1) == ".." then
    problems.add(file.path, token.line, "the name of a module that is loaded is written out")
  else
    problems.add(file.path, token.line, "there is no module %s", token.text)
  end
end

--- Returns an arrow for each module of the tree that a file names in a string, whether in a call of
--- `require`, in a table of modules to load, or to look it up in package.loaded. Names that are
--- only compared load nothing.
---@param tree Tree
---@param file {path: string, name: string}
---@param names table<string, string> all files of the tree
---@return Arrow[]
function requires.read(tree, file, names)
  local arrows = {}
  local code = codeOf(files.read(file.path))
  for index, token in ipairs(code) do
    local name = named(token)
    if name and names[name] then
      if name ~= file.name and not isCompared(code, index) then
        local isLate = token.isInFunction or not isCalled(code, index)
        arrows[#arrows + 1] = {to = name, line = token.line, isLate = isLate}
      end
    elseif name then
      checkCall(tree, file, code, index)
    elseif token.text == "loadlib" and not isOneOf(tree.loaders, file.name) then
      problems.add(file.path, token.line, "only %s may call package.loadlib",
        table.concat(tree.loaders, " and "))
    end
  end
  return arrows
end

return requires
