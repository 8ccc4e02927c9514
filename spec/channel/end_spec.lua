-- The states of one end of a channel, with a handle that does nothing by itself.

local ChannelEnd = require("child_process.channel.end")
local events = require("child_process.events")
local support = require("spec.support")

-- An end with a handle on which `waiting` has the results of some methods.
local function newEnd(waiting)
  local handle = setmetatable({}, {__index = function(_, name)
    return function()
      local result = waiting[name]
      if name ~= "written" and name ~= "backlog" then
        return result
      end
      return result or 0
    end
  end})
  local target = events.EventEmitter()
  return ChannelEnd.new(target, handle, {fields = target}), target
end

describe("The end of a channel", function()
  it("closes at once when nothing has to be delivered or written", function()
    local channelEnd, target = newEnd({})
    assert.is_false(channelEnd:isClosed())
    channelEnd:disconnect()
    assert.is_true(channelEnd:isClosed())
    assert.is_false(target.connected)
    support.run()
    assert.is_true(channelEnd:isDisconnected())
  end)

  it("waits for a handle on its way, then for messages, then until all is written", function()
    local waiting = {awaits = true, finish = true, backlog = 5}
    local channelEnd = newEnd(waiting)
    channelEnd:disconnect()
    waiting.awaits = false
    channelEnd:acknowledge()
    assert.is_false(channelEnd:isFlushing())
    channelEnd:onend()
    assert.is_true(channelEnd:isFlushing())
    waiting.backlog = 0
    channelEnd:onwritten()
    assert.is_true(channelEnd:isClosed())
    support.run()
  end)

  it("refuses a step that its state does not allow", function()
    local channelEnd = newEnd({backlog = 5})
    channelEnd:disconnect()
    local err = support.error(channelEnd.disconnect, channelEnd)
    assert.matches("a channel that is flushing cannot be finishing", err, 1, true)
    channelEnd:close()
    support.run()
  end)
end)
