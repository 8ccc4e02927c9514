--- Checks ids of users and groups, and looks up their names.

local check = require("child_process.base.check")
local core = require("child_process.core")
local errors = require("child_process.errors")

---@class child_process.ids
local ids = {}

local LARGEST = 0x7FFFFFFF

local function lookUp(name, value, kind, find, syscall)
  check.noNul(name, value)
  local id, errno = find(value)
  if errno then
    local err = errors.system(errno, syscall)
    err.message = ("%s: %s is '%s', and the %ss of this system cannot be looked up"):format(
      err.message, name, value, kind)
    error(err)
  elseif not id then
    local hint = value:find("^%d+$") and "; an id is a number, not a string" or ""
    error(errors.invalidArgValue(name, value,
      ("is not the name of a %s of this system%s"):format(kind, hint)))
  end
  return id
end

local function idCheck(kind, find, syscall)
  return function(name, value)
    if type(value) == "string" then
      return lookUp(name, value, kind, find, syscall)
    elseif type(value) ~= "number" then
      error(errors.invalidArgType(name, {"string", "int32"}, value))
    end
    return check.integer(name, value, 0, LARGEST)
  end
end

--- Returns the id of a user.
---@type fun(name: string, value: any): integer name: of the option in errors
ids.user = idCheck("user", core.userId, "getpwnam")

--- Returns the id of a group.
---@type fun(name: string, value: any): integer name: of the option in errors
ids.group = idCheck("group", core.groupId, "getgrnam")

return ids
