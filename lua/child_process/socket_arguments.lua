--- The arguments of net's and dgram's functions: ports, hosts, descriptors.
local core = require("child_process.core")
local errors = require("child_process.errors")
local expect = require("child_process.expect")

---@class child_process.socket_arguments
local arguments = {}

-- A name that is no number is a path. White space is a number to JavaScript, though no port.
local function isPath(value)
  local number = tonumber(value)
  return type(value) == "string" and not (number and number >= 0) and value:find("%S") ~= nil
end

--- Both ways to call: with options, or with port and host or with a path. A function at the end is
--- the callback.
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

--- Numbers, and strings that look like one, up to 65535.
---@param name string
---@param value any
---@param least? 0|1 default 0
---@return integer
function arguments.port(name, value, least)
  local port = math.tointeger(tonumber(value))
  if not port or port < (least or 0) or port > 0xFFFF then
    error(errors.socketBadPort(name, value, least ~= 1))
  end
  return port
end

--- A descriptor, which need not be open.
---@param name string
---@param value any
---@return integer
function arguments.fd(name, value)
  local fd = math.tointeger(expect.type(name, "number", value))
  if not fd or fd < 0 or fd > 0x7FFFFFFF then
    error(errors.outOfRange(name, ">= 0 and <= 2147483647", value))
  end
  return fd
end

--- A host's name or address.
---@param name string
---@param value any
---@return string? # nil if it was not given, or is empty
function arguments.host(name, value)
  if expect.optional(name, "string", value) then
    expect.noNul(name, value)
  end
  return value ~= "" and value or nil
end

--- Which addresses of a host count.
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
---@return 0|4|6 # 0 if it is none
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
