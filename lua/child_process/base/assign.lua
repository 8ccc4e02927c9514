--- Copies fields into a table: methods into a class, so that one lookup finds them, or initial
--- values into an object.

---@generic T : table
---@param target T
---@param ... table<string, any> a later table's fields replace those of an earlier one
---@return T target
return function(target, ...)
  for index = 1, select("#", ...) do
    for name, value in next, (select(index, ...)) do
      target[name] = value
    end
  end
  return target
end
