--- Closes the streams and the channel of a child that other processes may hold open.

local stdioName = require("child_process.base.stdio_name")

---@class child_process.held_streams
local heldStreams = {}

--- Ends the streams of a child that has ended, after the data that has arrived, and its channel,
--- after the messages that have arrived.
---@param child ChildProcess
---@return string[] # the names of those that other processes held
function heldStreams.cut(child)
  local held = {}
  local isTerminalHeld = false
  for fd, stream in pairs(child:_getStreams()) do
    local isHeld = stream:_cut()
    if fd == "terminal" then
      isTerminalHeld = isHeld
    elseif isHeld then
      held[#held + 1] = fd
    end
  end
  table.sort(held)
  for index, fd in ipairs(held) do
    held[index] = stdioName(fd)
  end
  if isTerminalHeld then
    held[#held + 1] = "terminal"
  end
  local channelEnd = child._channelEnd
  if channelEnd and channelEnd:cut() then
    held[#held + 1] = "channel"
  end
  return held
end

--- Destroys the streams from a child, which may still run, and closes its channel.
---@param child ChildProcess
function heldStreams.destroy(child)
  for _, stream in pairs(child:_getStreams()) do
    if stream:_hasReadableSide() then
      stream:_dropRest()
    end
  end
  if child.connected then
    child:disconnect()
  end
end

return heldStreams
