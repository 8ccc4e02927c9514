--- Writes a line to stderr if a script ends without having run the loop, although listeners or
--- callbacks wait. Loaded at the end of such a script.

local core = require("child_process.core")
local values = require("child_process.errors.value_text")
local standard = require("child_process.base.standard")

local debug, package = standard.debug, standard.package

local LONGEST = 60 -- bytes of a command that is shown

local function isListenedTo(emitter)
  return #emitter:eventNames() > 0
end

-- Whether somebody waits for a child that runs, as far as we know.
local function isAwaited(child)
  if not child:_isReferenced() then
    return false
  elseif isListenedTo(child) then
    return true
  end
  for _, stream in pairs(child:_getStreams()) do
    if isListenedTo(stream) then
      return true
    end
  end
  return false
end

-- Whether an open socket, server or stream is listened to, and was not unreferenced.
local function keepsAlive(object)
  return isListenedTo(object) and object:_isReferenced() and not object.destroyed
end

-- The command of a shell, or the program.
local function command(child)
  local args = child.spawnargs
  local text = #args == 3 and args[2] == "-c" and args[3] or child.spawnfile
  return #text <= LONGEST and text or text:sub(1, LONGEST) .. "..."
end

-- Describes the object if something waits for it, otherwise returns nil.
local function describe(object)
  local class = values.emitterName(object)
  if class == "ChildProcess" then
    return isAwaited(object) and ("child '%s'"):format(command(object)) or nil
  elseif class == "Timeout" then
    return object:_isAwaited() and "a timer" or nil
  elseif class == "Server" then
    return object.listening and keepsAlive(object) and "a server" or nil
  elseif class == "Socket" then
    return keepsAlive(object) and "a socket" or nil
  elseif object.isStandardStream then
    return keepsAlive(object) and "standard input" or nil
  end
end

-- Whether the object is a promise whose rejection nobody has handled.
local function isRejection(object)
  return values.emitterName(object) == "Promise" and object:_isUnhandled()
end

-- Sets the text that is written when the program ends, unless there is one already.
local function say(text)
  core.setExitWarning(("(lua) MissingRunWarning: the script has ended without cp.run(), so %s\n")
    :format(text))
end

-- Describes the wait of a coroutine that the script has started. It may be a generator.
local function describeWait(waiter)
  return ("a coroutine that waits for %s was never resumed. If it is a generator, which yields "
    .. "values to a loop of the script, it must not wait: see \"Generators\" in the manual")
    :format(require("child_process.loop.stranded").subject(waiter))
end

-- Whether the stock interpreter has come to the end of a script, and no other loop drives ours.
local function isEndOfScript()
  local arguments = rawget(_G, "arg")
  return type(arguments) == "table" and arguments[-1] ~= nil
    and not package.loaded.luv and not debug.getregistry()["child_process.uv_loop"]
end

-- Nothing is written if the program may have a good reason: another loop drives ours, the program
-- ends by an error or by os.exit, or the child may outlive the program without a listener.
---@param started table<any, boolean> the objects that were started
---@param waiting? fun(): Waiter? returns a waiter of a coroutine that waits
return function(started, waiting)
  if not isEndOfScript() then
    return
  end
  local first, count = nil, 0
  for object in pairs(started) do
    local text = describe(object)
    if isRejection(object) then
      say("an error was not raised: " .. tostring(select(2, object:_outcome())))
    elseif text then
      first = (not first or text < first) and text or first
      count = count + 1
    end
  end
  local waiter = waiting and waiting()
  if waiter then
    say(describeWait(waiter))
  elseif first then
    say(("the listeners or callbacks of %s%s were never called"):format(first,
      count > 1 and (" and %d more"):format(count - 1) or ""))
  end
end
