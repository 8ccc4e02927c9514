--- What a descriptor of a child, or of this program, is called.

local NAMES = {[0] = "stdin", "stdout", "stderr"}

--- "stdin", "stdout", "stderr", or "stdio[3]".
---@param fd integer
---@return string
return function(fd)
  return NAMES[fd] or ("stdio[%d]"):format(fd)
end
