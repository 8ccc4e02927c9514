--- The targets of options that are for several outputs or commands: files, to which all append, so
--- that they do not overwrite each other, and streams, which are finished after the last command.

local options = require("child_process.command.options")

---@class SharedTargets
---@field package paths string[] of files that are emptied before the start
---@field package streams table<Stream, true>
local Shared = {}
Shared.__index = Shared

local OUTPUTS = {"stdout", "stderr"}

local function isFile(value)
  return type(value) == "table" and type(rawget(value, "file")) == "string"
end

-- Calls a function with each target of an option, and returns the option with its results.
local function map(value, convert)
  if type(value) ~= "table" or getmetatable(value) or rawget(value, 1) == nil then
    return convert(value)
  end
  local list = {}
  for index = 1, #value do
    list[index] = convert(value[index])
  end
  return list
end

--- Takes note of the targets, and changes the options so that they share these.
---@param merged table
---@return SharedTargets
function Shared.new(merged)
  local self = setmetatable({paths = {}, streams = {}}, Shared)
  for _, name in ipairs(OUTPUTS) do
    merged[name] = map(merged[name], function(target)
      if options.isStream(target) then
        self.streams[target] = true
      elseif isFile(target) and (target.append == nil or target.append == false) then
        self.paths[#self.paths + 1] = target.file
        return options.merge(target, {append = true})
      end
      return target
    end)
  end
  return self
end

--- Whether an option names a file twice, or both name the same one.
---@param merged table
---@return boolean
function Shared.haveCommonFile(merged)
  local seen, isCommon = {}, false
  for _, name in ipairs(OUTPUTS) do
    map(merged[name], function(target)
      if isFile(target) then
        isCommon = isCommon or seen[target.file] ~= nil
        seen[target.file] = true
      end
    end)
  end
  return isCommon
end

--- Empties the files. One that cannot be opened is reported by the command that is to write it.
function Shared:empty()
  for _, path in ipairs(self.paths) do
    local file = io.open(path, "wb")
    if file then
      file:close()
    end
  end
end

--- Whether a stream is finished by `finish`, and not by the commands.
---@param stream Stream
---@return boolean
function Shared:has(stream)
  return self.streams[stream] ~= nil
end

--- Finishes the streams.
function Shared:finish()
  for stream in pairs(self.streams) do
    if not stream.isStandardStream and not stream.destroyed and not stream.writableEnded then
      stream:finish()
    end
  end
end

return Shared
