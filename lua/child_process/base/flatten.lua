--- Copies a table with a metatable into a plain one: the fields that `pairs` finds, and those that
--- it inherits from other tables by __index.

local compat = require("child_process.base.compat")
local errors = require("child_process.errors")
local debug = require("child_process.base.standard").debug

local getmetatable = debug.getmetatable -- also sees behind a __metatable field
local DEEPEST = 100 -- tables in a chain of inheritance; a longer one must be a circle

-- The table from which another one inherits fields. A metatable that is its own __index is a class,
-- which has methods and no fields.
local function parentOf(name, fields)
  local meta = getmetatable(fields)
  local parent = meta and rawget(meta, "__index")
  if parent == nil or parent == meta or rawget(meta, "__pairs") then
    return nil
  elseif type(parent) ~= "table" then
    error(errors.invalidArgValue(name, fields,
      "has an __index function, whose fields cannot be listed, and no __pairs"))
  end
  return parent
end

---@param name string of the table in errors
---@param fields table
---@return table # a copy
return function(name, fields)
  local all = {}
  for _ = 1, DEEPEST do
    for key, value in compat.pairs(fields) do
      if all[key] == nil then
        all[key] = value
      end
    end
    fields = parentOf(name, fields)
    if not fields then
      return all
    end
  end
  error(errors.invalidArgValue(name, all, "inherits from itself"))
end
