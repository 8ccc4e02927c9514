--- What Lua 5.4 has and other versions lack. Files take it from here, and no other file asks for
--- the version. Where Lua has the function itself, this is Lua's own.

local standard = require("child_process.base.standard")
local core = require("child_process.core")

local coroutine, debug, io = standard.coroutine, standard.debug, standard.io
local os, package = standard.os, standard.package

---@class child_process.compat
local compat = {}

local major, minor = _VERSION:match("(%d+)%.(%d+)")
local version = major * 100 + minor -- 501 also for LuaJIT
local hasIntegers = version >= 503

--- Whether integers of 64 bits are numbers of a type of their own.
compat.hasIntegers = hasIntegers

-- Tables and arguments ----------------------------------------------------------------------------

---@diagnostic disable-next-line: deprecated
compat.unpack = table.unpack or unpack

compat.pack = table.pack or function(...)
  return {n = select("#", ...), ...}
end

compat.move = table.move or function(from, first, last, start, to)
  to = to or from
  local step = (start > first and start <= last) and -1 or 1
  for index = step > 0 and first or last, step > 0 and last or first, step do
    to[start + index - first] = from[index]
  end
  return to
end

local asksForPairs = false
for _ in pairs(setmetatable({}, {__pairs = function() return next, {true} end})) do
  asksForPairs = true
end

--- Like pairs, and also asks for __pairs where Lua's own does not: in 5.1, and in LuaJIT as it is
--- usually built.
compat.pairs = asksForPairs and pairs or function(value)
  local meta = debug.getmetatable(value)
  local listed = meta and rawget(meta, "__pairs")
  if listed then
    return listed(value)
  end
  return pairs(value)
end

compat.rawlen = rawget(_G, "rawlen") or function(value)
  return #value -- no table has a method for its length before 5.2
end

-- Numbers -----------------------------------------------------------------------------------------

--- The largest number that is certainly an integer. Without a type for integers every whole float
--- up to it counts as one.
compat.maxInteger = hasIntegers and math.maxinteger or 2 ^ 53

--- Returns "integer" or "float"; nil if the value is not a number.
compat.mathType = hasIntegers and math.type or function(value)
  if type(value) ~= "number" then
    return nil
  end
  return value % 1 == 0 and value >= -2 ^ 53 and value <= 2 ^ 53 and "integer" or "float"
end

--- Returns the number as an integer; nil if it is not whole, and for all other values.
---@param value any
---@return integer?
function compat.toInteger(value)
  if type(value) ~= "number" then
    return nil
  elseif hasIntegers then
    return math.tointeger(value)
  end
  return compat.mathType(value) == "integer" and value or nil
end

-- Lua hashes integers by their remainder, and floats by their first digits. So a sender that
-- chooses the keys of a table could make all of them collide, and each lookup slow. The address of
-- a table cannot be predicted, since it differs in each process.
local secret = hasIntegers
  and (tonumber(tostring({}):match("0x(%x+)") or "1", 16) * 0x9E3779B97F4A7C15 + os.time()) * 2 + 1

-- The last bits of a product depend on the last bits of the factors alone, and Lua 5.3 looks at
-- nothing else: there the bytes change places.
local function scatter(integer)
  local product = integer * secret
  return version == 503 and ("<i8"):unpack((">i8"):pack(product)) or product
end

--- Returns an integer that replaces a whole number as a key of a table. Returns nil for other
--- numbers, and where Lua has no integers.
---@param value number
---@return integer?
function compat.scatterInteger(value)
  local integer = secret and math.tointeger(value)
  return integer and scatter(integer)
end

--- Returns a key that replaces a number, not NaN, in a table that has no other keys than such.
---@param value number
---@return integer|string
function compat.scatterNumber(value)
  if secret then
    return scatter(("<i8"):unpack(("<d"):pack(value)))
  end
  return ("%.17g"):format(value + 0) -- without the sign of -0
end

-- Functions and coroutines ------------------------------------------------------------------------

local isPuc51 = version == 501 and not rawget(_G, "jit")

--- Whether a coroutine can yield in a function that pcall, xpcall or a loop's iterator has called.
compat.yieldsAnywhere = not isPuc51

compat.xpcall = not isPuc51 and xpcall or function(fn, handler, ...)
  local arguments = compat.pack(...)
  return xpcall(function()
    return fn(compat.unpack(arguments, 1, arguments.n))
  end, handler)
end

-- A coroutine of Lua 5.1 cannot yield in what a C function or a `for` loop has called. Callbacks
-- run in a coroutine whose first function is C. What cannot be recognised: a metamethod, and an
-- iterator that has made a tail call.
local function isYieldable51()
  local level = 2
  local info = debug.getinfo(level, "Sn")
  while info and info.what ~= "C" and info.name ~= "(for generator)" do
    level = level + 1
    info = debug.getinfo(level, "Sn")
  end
  return info == nil and coroutine.running() ~= nil
end

--- The running coroutine; false outside of coroutines.
---@return thread|false
function compat.runningCoroutine()
  local thread, isMain = coroutine.running()
  return not isMain and thread or false
end

--- Returns true if the running coroutine can yield here.
---@return boolean
compat.isYieldable = coroutine.isyieldable or isPuc51 and isYieldable51 or core.isYieldable

-- nginx replaces these three by functions of its scheduler, and keeps Lua's under other names. Our
-- coroutines are not its scheduler's.
compat.resume = rawget(coroutine, "_resume") or coroutine.resume
compat.status = rawget(coroutine, "_status") or coroutine.status
compat.yield = rawget(coroutine, "_yield") or coroutine.yield

--- Closes a suspended coroutine, or one that an error has ended. Before 5.4 this does nothing.
compat.close = coroutine.close or function()
  return true
end

local function tracebackFrom(level)
  if version == 501 then
    return (require("child_process.base.traceback51")(level))
  end
  return (debug.traceback("", level):gsub("^\n", "", 1))
end

--- Returns the traceback of the caller from `level` on, or that of a coroutine.
---@param where integer|thread
---@return string
function compat.traceback(where)
  if type(where) == "number" then
    return (tracebackFrom(where + 2))
  end
  return debug.traceback(where)
end

--- Returns the place of a module's file, like package.searchpath.
compat.searchPath = package.searchpath or function(name, path)
  name = name:gsub("%.", "/")
  for template in path:gmatch("[^;]+") do
    local place = template:gsub("%?", (name:gsub("%%", "%%%%")))
    local file = io.open(place)
    if file then
      file:close()
      return place
    end
  end
  return nil
end

--- Functions that look for a module.
---@diagnostic disable-next-line: deprecated
compat.searchers = package.searchers or package.loaders

-- Scopes and finalizers ---------------------------------------------------------------------------

local function finish(value, ok, ...)
  value:__close()
  if not ok then
    return core.throw((...)) -- adds no line to the traceback
  end
  return ...
end

-- In Lua 5.1 a coroutine could not yield in the protected call. There an error does not close.
local function scope(value, fn, ...)
  if compat.yieldsAnywhere or not compat.isYieldable() then
    return finish(value, pcall(fn, ...))
  end
  return finish(value, true, fn(...))
end

if version >= 504 then
  scope = load([[local value, fn = ...
    local closing <close> = value
    return fn(select(3, ...))]], "=?") -- a name without a place, since no user wrote it
end

--- Calls a function, and the method `__close` of a value when the function has returned, raised an
--- error, or, from Lua 5.4 on, when its coroutine is closed.
---@param value table with a metatable that has the method
---@param fn function
---@param ... any its arguments
---@return any ... what the function returns
function compat.scope(value, fn, ...)
  return scope(value, fn, ...)
end

local function nameAndAddress(value)
  local meta = debug.getmetatable(value)
  debug.setmetatable(value, nil)
  local text = tostring(value)
  debug.setmetatable(value, meta)
  return (text:gsub("^%a+", meta.__name, 1))
end

--- Lets `tostring` show the field `__name` of a metatable of tables, as Lua does from 5.3 on.
---@param meta table
---@return table meta
function compat.named(meta)
  if not hasIntegers then
    meta.__tostring = nameAndAddress
  end
  return meta
end

---@diagnostic disable-next-line: undefined-global
local newproxy = version < 502 and newproxy

--- Returns a value that calls a function when it is collected, or when the Lua state is closed.
---@param fn fun()
---@return any
function compat.finalizer(fn)
  if version >= 502 then
    return setmetatable({}, {__gc = fn})
  end
  local value = newproxy(true)
  getmetatable(value).__gc = fn
  return value
end

-- Lua searches the tables of all modules for names of functions. It must not find its own ones
-- here, or tracebacks call them ours.
return setmetatable({}, {__index = compat}) --[[@as child_process.compat]]
