--- A message channel as scripts see it: child.channel and process.channel.

local compat = require("child_process.base.compat")
local errors = require("child_process.errors")

---@class Channel
---@field maxMessageSize integer bytes; a longer message is an error and ends the channel
---@field package _end child_process.ChannelEnd
local Channel = {}
local metatable = compat.named({__name = "Channel"})

function metatable.__index(channel, key)
  if key == "maxMessageSize" then
    return rawget(channel, "_end"):getMaxMessageSize()
  end
  return Channel[key]
end

-- Setting maxMessageSize has an effect at once.
function metatable.__newindex(channel, key, value)
  if key == "maxMessageSize" then
    local size = require("child_process.base.check").size("channel.maxMessageSize", value)
    channel._end:setMaxMessageSize(size)
  else
    rawset(channel, key, value)
  end
end

-- As check.this, which a forked child need not load.
local function checkThis(channel, method)
  if getmetatable(channel) ~= metatable then
    error(errors.invalidThis("Channel:" .. method))
  end
end

--- The channel keeps the loop alive.
function Channel:ref()
  checkThis(self, "ref")
  self._end:reference(true)
end

--- The loop may end although the channel is open.
function Channel:unref()
  checkThis(self, "unref")
  self._end:reference(false)
end

---@param channelEnd child_process.ChannelEnd
---@return Channel
return function(channelEnd)
  return setmetatable({_end = channelEnd}, metatable)
end
