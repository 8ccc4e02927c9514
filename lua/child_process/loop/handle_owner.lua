--- A class of objects with a handle of core: streams, servers, and UDP sockets.
-- An object may have no handle yet, or get another one, and remembers whether it keeps the loop
-- alive. The classes copy these methods; their own `ref` and `unref` check the object first.

local loop = require("child_process.loop")

---@class child_process.HandleOwner
local HandleOwner = {
  _handle = nil, ---@type userdata? Node has this field, too, and programs use it
  _unreferenced = false, -- `unref` was called
}

-- Gives the object this handle.
function HandleOwner:_setHandle(handle)
  self._handle = handle
  handle:setOwner(self)
  if self._unreferenced then
    handle:reference(false)
  end
end

-- Returns the object's descriptor, or nil if it has none.
function HandleOwner:_fileno()
  local fileno = self._handle and self._handle:fileno()
  return fileno and fileno >= 0 and fileno or nil -- -1: a socket that has none yet
end

-- Sets whether the object keeps the loop alive, now and with later handles.
function HandleOwner:_reference(on)
  self._unreferenced = not on
  if self._handle then
    self._handle:reference(on)
    loop.started()
  end
end

-- Whether the object keeps the loop alive while it waits for something.
function HandleOwner:_isReferenced()
  return not self._unreferenced
end

return HandleOwner
