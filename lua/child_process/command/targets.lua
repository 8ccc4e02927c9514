--- Reads the options stdout and stderr: a target, or a list of targets.

local errors = require("child_process.errors")
local files = require("child_process.command.files")
local options = require("child_process.command.options")
local sinks = require("child_process.command.sinks")

local given, isStream = options.given, options.isStream

---@class Target what one output of a command goes to
---@field entry any of options.stdio; nil if we read the output
---@field merged? integer the output goes where the one with this descriptor goes
---@field isCollected boolean? it is a part of the result
---@field sinks Sink[]
---@field streams table<Stream, Sink> of both outputs
---@field shared? SharedTargets
---@field finishes? Stream what the command writes to by itself, to be finished at the end
---@field opened? file* closed once the child has it
---@field failure? Error a file that cannot be opened

---@class child_process.command.targets
local targets = {}

local OUTPUTS = {stdout = 1, stderr = 2}
local OURS = {io.stdout, io.stderr}

local EXPECTED = "must be a target ('pipe', 'inherit', 'ignore', {file = path}, {fd = 1 or 2}, a "
  .. "function, a stream, a file) or a list of targets"

local function refuse(name, value)
  error(errors.invalidArgValue("options." .. name, value, EXPECTED))
end

local kinds = {}

local FILE_FIELDS = {file = true, append = true}

-- The kind of a target: the name of a function below.
local function kindOf(value)
  local kind = type(value)
  if kind == "function" then
    return "call"
  elseif value == "pipe" or value == "overlapped" then
    return "collect"
  elseif value == "inherit" or value == "ignore" then
    return value
  elseif kind == "number" then
    return "descriptor"
  elseif io.type(value) == "file" then
    return "luaFile"
  elseif isStream(value) then
    return "stream"
  elseif kind == "table" and not getmetatable(value) then
    return rawget(value, "file") ~= nil and "file" or rawget(value, "fd") ~= nil and "merge"
      or rawget(value, "childFd") ~= nil and "handle" or rawget(value, 1) ~= nil and "list" or nil
  end
  return (kind == "table" or kind == "userdata") and "handle" or nil
end

local function openFile(name, value)
  for key, field in pairs(value) do
    local expected = key == "append" and "boolean" or "string"
    if not FILE_FIELDS[key] then
      error(errors.invalidArgValue(("options.%s.%s"):format(name, tostring(key)), field,
        "is not a field of a file, which has `file` and `append`"))
    elseif type(field) ~= expected then
      error(errors.invalidArgType(("options.%s.%s"):format(name, key), expected, field))
    end
  end
  return files.open(value.file, value.append and "ab" or "wb", "options." .. name)
end

-- Each function adds one target of a list, or the only one.

function kinds.collect(target)
  target.isCollected = true
end

function kinds.call(target, value)
  target.sinks[#target.sinks + 1] = sinks.lines(value)
end

function kinds.inherit(target, _, name, isOnly)
  if isOnly then
    target.entry = "inherit"
  else
    local file = OURS[OUTPUTS[name]]
    target.sinks[#target.sinks + 1] = sinks.file(file, "our " .. name, false)
  end
end

function kinds.ignore(target, _, _, isOnly)
  target.entry = isOnly and "ignore" or nil
end

-- Both outputs share the sink of a stream that is a target of both.
function kinds.stream(target, value, name, isOnly)
  options.checkWritable(name, value)
  local isShared = target.shared and target.shared:has(value)
  if isOnly then
    target.entry, target.finishes = value, not isShared and value or nil
    return
  end
  local sink = target.streams[value]
  if sink then
    sink:share()
  else
    sink = sinks.stream(value, {staysOpen = isShared})
    target.streams[value] = sink
  end
  target.sinks[#target.sinks + 1] = sink
end

function kinds.luaFile(target, value, _, isOnly)
  if isOnly then
    target.entry = value
  else
    target.sinks[#target.sinks + 1] = sinks.file(value, "the file", false)
  end
end

function kinds.file(target, value, name, isOnly)
  local file, failure = openFile(name, value)
  if not file then
    target.failure = target.failure or failure
  elseif isOnly then
    target.entry, target.opened = file, file
  else
    target.sinks[#target.sinks + 1] = sinks.file(file, value.file, true)
  end
end

function kinds.descriptor(target, value, name, isOnly)
  local file = OURS[value]
  if isOnly then
    target.entry = value
  elseif file then
    target.sinks[#target.sinks + 1] = sinks.file(file, ("our descriptor %d"):format(value), false)
  else
    refuse(name, value)
  end
end

function kinds.handle(target, value, name, isOnly)
  if not isOnly then
    refuse(name, value)
  end
  target.entry = value
end

function kinds.merge(target, value, name, isOnly)
  local other = OUTPUTS[name] == 1 and 2 or 1
  if not isOnly then
    error(errors.invalidArgValue("options." .. name, value, "cannot stand in a list of targets"))
  elseif value.fd ~= other or next(value, next(value)) ~= nil then
    error(errors.invalidArgValue("options." .. name, value,
      ("must be {fd = %d}, the other output"):format(other)))
  end
  target.merged = other
end

function kinds.list(target, list, name)
  for index = 1, #list do
    local kind = kindOf(list[index])
    if not kind or kind == "list" then
      refuse(("%s[%d]"):format(name, index), list[index])
    end
    kinds[kind](target, list[index], name, #list == 1)
  end
end

---@param name "stdout"|"stderr"
---@param value any nil: the output is collected
---@param streams table<Stream, Sink> of both outputs
---@param shared? SharedTargets those of several commands
---@return Target
function targets.read(name, value, streams, shared)
  local target = {sinks = {}, streams = streams, shared = shared}
  if not given(value) or value == false then
    value = "pipe"
  end
  local kind = kindOf(value)
  if not kind then
    refuse(name, value)
  end
  kinds[kind](target, value, name, true)
  return target
end

--- Finishes the stream that the command has written to by itself.
---@param target Target
function targets.finish(target)
  local stream = target.finishes
  if stream and not stream.isStandardStream and not stream.destroyed
    and not stream.writableEnded then
    stream:finish()
  end
end

return targets
