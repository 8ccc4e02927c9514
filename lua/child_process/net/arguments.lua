--- The arguments of net's and dgram's functions: ports, hosts, descriptors.

local compat = require("child_process.base.compat")
local core = require("child_process.core")
local errors = require("child_process.errors")
local check = require("child_process.base.check")

---@class child_process.net_arguments
local arguments = {}

-- A string is a path unless it is a number. JavaScript takes white space for a number.
local function isPath(value)
  local number = tonumber(value)
  return type(value) == "string" and not (number and number >= 0) and value:find("%S") ~= nil
end

--- Converts arguments to options. The arguments are options, a port and a host, or a path; then
--- perhaps a callback.
---@param ... any
---@return any # options: a new table {port, host} or {path}, or the first argument if that is an
---object
---@return function? # the callback
function arguments.normalize(...)
  local first, second = ...
  local last = select("#", ...) > 0 and select(select("#", ...), ...) or nil
  local callback = type(last) == "function" and last or nil
  if type(first) == "table" or type(first) == "userdata" and first ~= core.null then
    return first, callback
  elseif isPath(first) then
    return {path = first}, callback
  elseif type(first) == "function" or first == core.null then
    first = nil
  end
  return {port = first, host = type(second) == "string" and second or nil}, callback
end

--- A port: a number up to 65535, or a string that looks like one.
---@param name string
---@param value any
---@param least? 0|1 default 0
---@return integer
function arguments.port(name, value, least)
  local port = compat.toInteger(tonumber(value))
  if not port or port < (least or 0) or port > 0xFFFF then
    error(errors.socketBadPort(name, value, least ~= 1))
  end
  return port
end

--- A descriptor to take over. It need not be open, but must not be owned by another object.
---@param name string
---@param value any
---@return integer
function arguments.fd(name, value)
  local fd = check.integer(name, value, 0, 0x7FFFFFFF)
  if core.isOwned(fd) then
    error(errors.descriptorInUse(name, fd))
  end
  return fd
end

--- A host's name or address.
---@param name string
---@param value any
---@return string? # nil if it was not given, or is empty
function arguments.host(name, value)
  if value ~= nil then
    check.noNul(name, check.type(name, "string", value))
  end
  return value ~= "" and value or nil
end

--- Which addresses of a host are tried.
---@param name string
---@param value any
---@return 0|4|6 # 0 for all
function arguments.family(name, value)
  if value == nil then
    return 0
  elseif value ~= 0 and value ~= 4 and value ~= 6 then
    error(errors.invalidArgValue(name, value, "must be one of: 0, 4, 6"))
  end
  return value
end

--- The kind of an address in digits.
---@param value any
---@return 0|4|6 # 0 if it is not an address
function arguments.isIP(value)
  if type(value) ~= "string" then
    return 0
  end
  local family = core.addressFamily(value)
  if family == 6 and value:find("%", 1, true) and not value:find("%%[%w%-%.:]+$") then
    return 0
  end
  return family
end

return arguments
