--- Streams that were given to children as their descriptors.

---@class Stream
local sharing = {
  _children = 0, -- the number of children that have the descriptor and run
  _keptForLater = false, -- it was paused before a child got it: our program will read it again
}

-- A child got the descriptor.
function sharing:_shareWithChild()
  self._keptForLater = self._keptForLater or self:_isPausedByUser() and not self:_isReadByChild()
  self:_leaveToChild()
  self._children = self._children + 1
  self._handle:share()
end

-- A synchronous call, during which a child had the descriptor, is over.
function sharing:_takeBack()
  self._handle:takeBack()
end

-- A child that had the descriptor has ended. After the last one we close our copy of a reading end,
-- unless somebody reads it here, so that the program that writes to it learns that nobody reads.
-- Data read ahead is kept as long as that program runs.
function sharing:_leftByChild()
  self._children = self._children - 1
  local isTaken = self.readableLength == 0 or self:_ownerHasExited()
  if isTaken and self._children == 0 and self:_isReadByChild() and not self._keptForLater
    and not self:_hasWritableSide() and not self:_isRead() then
    self:_close()
  end
end

-- Drops data that nobody reads, so that the stream ends. Does nothing if the stream has listeners,
-- even while it is paused. If it was given to another child, that child reads it.
function sharing:_drainUnread()
  if not self.readable or self:_isRead() then
    return
  elseif not self:_isReadByChild() then
    self:resume()
  elseif not self._keptForLater then
    self:destroy()
  end
end

return sharing
