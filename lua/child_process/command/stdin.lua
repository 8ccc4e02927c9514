--- Where a command reads: the options stdin, input and inputFile. It reads nothing by default.

local cp = require("child_process")
local errors = require("child_process.errors")
local files = require("child_process.command.files")
local options = require("child_process.command.options")

local given, isStream = options.given, options.isStream

---@class CommandInput
---@field entry any of options.stdio
---@field opened? file* closed once the child has it
---@field failure? Error a file that cannot be opened
---@field feed? fun(child: ChildProcess, onfailure: fun(err: any)) writes the input

---@class child_process.command.stdin
local stdin = {}

local function ignore() end

-- A command need not read its input to the end.
local function watch(child, onfailure)
  child.stdin:on("error", function(err)
    if err.code ~= "EPIPE" then
      onfailure(err)
    end
  end)
end

local function feedText(text)
  return function(child, onfailure)
    watch(child, onfailure)
    child.stdin:finish(text)
  end
end

local CLOSED = "the stream of options.input was closed before its end"

local function feedStream(source)
  return function(child, onfailure)
    local function cut()
      if not source.readableEnded and not child.stdin.destroyed then
        onfailure(CLOSED)
        child.stdin:destroy()
      end
    end
    watch(child, onfailure)
    source:on("error", function(err)
      onfailure(err)
    end)
    source:on("close", cut)
    source:pipe(child.stdin)
    if source.destroyed then
      cut()
    end
  end
end

-- Calls the iterator when there is room for more. It may wait, for another command for instance.
local function writeAll(target, iterator)
  local chunk = iterator()
  while chunk ~= nil and not target.destroyed do
    if type(chunk) ~= "string" then
      error(errors.invalidArgType("result of options.input", "string", chunk))
    end
    if not target:write(chunk) and not target.destroyed then
      target:wait("drain")
    end
    chunk = iterator()
  end
end

local function feedIterator(iterator)
  return function(child, onfailure)
    watch(child, onfailure)
    local target = child.stdin
    cp.async(writeAll, target, iterator):andThen(function()
      target:finish()
    end, function(err)
      if not target.destroyed then -- otherwise the command has ended, or reads no more
        onfailure(err)
        target:destroy()
      end
    end):catch(ignore)
  end
end

local function feedNothing(child, onfailure)
  watch(child, onfailure)
  child.stdin:finish()
end

-- Nobody will type anything.
local function typeEnd(child)
  child.terminal:finish()
end

local function feedOf(input)
  if type(input) == "string" then
    return feedText(input)
  elseif isStream(input) then
    return feedStream(input)
  end
  return feedIterator(input)
end

local PIECE = 65536

-- Another host cannot have the file, so it is sent.
local function feedFile(file)
  local write = feedIterator(function()
    return file:read(PIECE)
  end)
  return function(child, onfailure)
    write(child, onfailure)
    child:on("close", function()
      file:close()
    end)
  end
end

local WORDS = {pipe = true, overlapped = true, inherit = true, ignore = true}

local function checkEntry(value)
  if type(value) == "string" and not WORDS[value] then
    error(errors.invalidArgValue("options.stdin", value, "must be 'pipe', 'inherit', 'ignore' or "
      .. "an entry of options.stdio; a text to read is options.input"))
  elseif isStream(value) then
    options.checkReadable("stdin", value)
  end
end

local SENT = {pipe = true, overlapped = true, ignore = true}

-- What is open here cannot go to another host.
local function checkSent(merged)
  local value = merged.stdin
  if merged.host and given(value) and value ~= false and not SENT[value] then
    error(errors.invalidArgValue("options.stdin", value, "cannot be combined with options.host: it "
      .. "may be 'pipe' or 'ignore', and options.input and options.inputFile are sent"))
  end
end

local SOURCES = {"stdin", "input", "inputFile"}

local function checkOnlyOne(merged)
  local first
  for _, name in ipairs(SOURCES) do
    if given(merged[name]) and not (name == "stdin" and merged.stdin == "pipe") then
      if first then
        error(errors.invalidArgValue("options." .. name, merged[name],
          ("cannot be used together with options.%s"):format(first)))
      end
      first = name
    end
  end
end

---@param merged table
---@param wiring CommandWiring
---@return CommandInput
function stdin.read(merged, wiring)
  checkOnlyOne(merged)
  checkEntry(merged.stdin)
  checkSent(merged)
  local source = {entry = "pipe"}
  if wiring.stdin then
    source.entry = wiring.stdin
  elseif given(merged.input) then
    source.feed = feedOf(merged.input)
  elseif given(merged.inputFile) then
    local file, failure = files.open(merged.inputFile, "rb", "options.inputFile")
    source.failure = failure
    if file and merged.host then
      source.feed = feedFile(file)
    else
      source.entry, source.opened = file, file
    end
  elseif wiring.leavesStdin and (wiring.isFed or merged.stdin == "pipe") then
    source.feed = watch
  elseif merged.stdin == "pipe" then
    source.feed = feedNothing
  elseif merged.hasTerminal and not given(merged.stdin) then
    source.entry = false
    source.feed = not wiring.leavesStdin and not merged.isOthersTerminal and typeEnd or nil
  else
    source.entry = given(merged.stdin) and merged.stdin or "ignore"
  end
  return source
end

return stdin
