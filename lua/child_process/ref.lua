--- ref and unref of streams, servers and sockets, which may have no handle yet, or get another one.
--   _handle        of core; nil while there is none
--   _unreferenced  unref was called
local loop = require("child_process.loop")

---@param class table gets the methods
---@param check fun(object: any, method: string) see expect.this
return function(class, check)
  -- From now on this is the object's handle.
  function class:_setHandle(handle)
    self._handle = handle
    handle:setOwner(self)
    if self._unreferenced then
      handle:reference(false)
    end
  end

  -- What these do for a class, its fields of the same names tell.

  function class:ref()
    check(self, "ref")
    self._unreferenced = nil
    if self._handle then
      self._handle:reference(true)
      loop.started()
    end
    return self
  end

  function class:unref()
    check(self, "unref")
    self._unreferenced = true
    if self._handle then
      self._handle:reference(false)
    end
    return self
  end
end
