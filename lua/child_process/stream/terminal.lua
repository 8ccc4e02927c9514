--- Terminals of children: streams to what the children read and write there.

local check = require("child_process.base.check")
local core = require("child_process.core")
local errors = require("child_process.errors")
local Stream = require("child_process.stream.stream")

local size, rawset = core.terminal.size, rawset
local TIME_TO_END = core.terminal.TIME_TO_END

--- `finish` presses Ctrl-D: the program reads end-of-file, once. Its output can still be read.
---@class Terminal : Stream
---@field columns integer
---@field rows integer
---@field name string of the kind of terminal, which the children find in TERM
---@field package _columns integer the size that was known last
---@field package _rows integer
---@field package _endsLine boolean what was written has ended with a line feed
---@field package _users integer the number of children that use it and run
---@field package _drops Timeout? until it is destroyed, see _dropRest
local Terminal, metatable = Stream.inherit("Terminal")

local checkThis = check.this("Terminal", metatable)

-- The program at the terminal may change the size, too.
local function updateSize(terminal)
  local fd = terminal:_fileno()
  local columns, rows = nil, nil
  if fd then
    columns, rows = size(fd)
  end
  if columns then
    rawset(terminal, "_columns", columns)
    rawset(terminal, "_rows", rows)
  end
end

-- Called for keys that the object does not have.
function metatable.__index(terminal, key)
  if key == "columns" or key == "rows" then
    updateSize(terminal)
    return rawget(terminal, "_" .. key)
  end
  return Terminal[key]
end

function metatable.__newindex(terminal, key, value)
  if key == "columns" or key == "rows" then
    error(errors.invalidArgValue("terminal." .. key, value,
      "cannot be set: resize(columns, rows) changes the size"))
  end
  rawset(terminal, key, value)
end

--- Makes the stream for a terminal of core, which has no handle if the child could not be started.
---@param handle userdata?
---@param description child_process.TerminalDescription
---@param onclose? fun(owner: any) called before the listeners of "close"
---@param owner? any
---@return Terminal
function Terminal.new(handle, description, onclose, owner)
  local terminal = Stream._create(metatable, handle, true, true, onclose, owner)
  terminal.name = description.name
  terminal._columns, terminal._rows = description.columns, description.rows
  terminal._endsLine, terminal._users = true, 0
  terminal:_closeWithReading()
  if handle then
    handle:setOwner(terminal)
  else
    terminal:_setEmpty()
    terminal:destroy()
  end
  return terminal
end

---@param value any
---@return boolean
function Terminal.isTerminal(value)
  return getmetatable(value) == metatable
end

--- For activeHandles, see active_handles.lua.
function Terminal:_describe()
  return "terminal", "terminal of " .. select(2, self._owner:_describe())
end

-- Children ----------------------------------------------------------------------------------------

-- The handle, for a child that is to use the terminal, too; nil if no child runs there any more.
function Terminal:_getHandle()
  local handle = self._handle
  return handle and handle:isKept() and handle or nil
end

-- A child that uses the terminal was started.
function Terminal:_addUser()
  self._users = self._users + 1
end

-- A child that used it has ended. After the last one the stream ends, unless other processes hold
-- the terminal open.
function Terminal:_removeUser()
  self._users = self._users - 1
  if self._users == 0 and self._drops then
    self:destroy()
  elseif self._users == 0 and self._handle then
    self._handle:letEnd()
  end
end

-- Drops what comes from now on, and destroys the stream when the children have ended, or after a
-- moment: if that hung up now, SIGHUP would end them, and not the signal that they are to get.
function Terminal:_dropRest()
  if self._users == 0 then
    self:destroy()
  elseif not self.destroyed and not self._drops then
    self:_captureInLua()
    self._capture = false
    self._drops = require("child_process.timers").setTimeout(self.destroy, TIME_TO_END, self)
      :_standsFor("the time to end", self._owner)
    self:resume()
  end
end

-- Called when it was destroyed.
function Terminal:_released()
  if self._drops then
    self._drops:close()
  end
end

-- Writing -----------------------------------------------------------------------------------------

--- Types bytes, or text in an encoding.
---@param data string
---@param name? string encoding of the text; by default the string's bytes are written
---@param callback? fun(err?: Error) called when the kernel has taken the data, or never will
---@return boolean # false when it is time to wait for "drain"
function Terminal:write(data, name, callback)
  checkThis(self, "write")
  if type(data) == "string" and data ~= "" then
    self._endsLine = data:sub(-1) == "\n"
  end
  return Stream.write(self, data, name, callback)
end

-- Types what makes a program read end-of-file, unless the terminal is raw. In the middle of a line
-- the first one only hands over the line.
function Terminal:_writeEnd()
  local fd = self:_fileno()
  local character = fd and core.terminal.endOfFile(fd)
  if character then
    Stream.write(self, self._endsLine and character or character .. character)
  end
end

-- Settings ----------------------------------------------------------------------------------------

local LARGEST = core.terminal.LARGEST

--- Checks a number of columns or rows. Raises ERR_INVALID_ARG_TYPE or ERR_OUT_OF_RANGE.
---@param name string
---@param value any
---@return integer
function Terminal.checkCells(name, value)
  return check.integer(name, value, 1, LARGEST, ("an integer >= 1 and <= %d"):format(LARGEST))
end

-- Calls a function of core with the descriptor, which returns an errno. Does nothing to a terminal
-- that was closed.
local function apply(terminal, syscall, set, ...)
  local fd = terminal:_fileno()
  local errno = fd and set(fd, ...)
  if errno then
    error(errors.system(errno, syscall))
  end
  return terminal
end

--- Changes the size. The program at the terminal gets SIGWINCH. Does nothing if the stream is
--- destroyed, like the next two.
---@param columns integer
---@param rows integer
---@return Terminal self
function Terminal:resize(columns, rows)
  checkThis(self, "resize")
  columns, rows = Terminal.checkCells("columns", columns), Terminal.checkCells("rows", rows)
  return apply(self, "resize", core.terminal.resize, columns, rows)
end

--- Sets whether the terminal passes on all bytes as they are: keys reach the program at once and
--- are not shown, Ctrl-C is a byte, and "\n" in the output does not become "\r\n". The program may
--- change that, too.
---@param on boolean
---@return Terminal self
function Terminal:setRawMode(on)
  checkThis(self, "setRawMode")
  return apply(self, "tcsetattr", core.terminal.setRaw, check.type("on", "boolean", on))
end

--- Sets whether the terminal shows what is typed, in its output.
---@param on boolean
---@return Terminal self
function Terminal:setEcho(on)
  checkThis(self, "setEcho")
  return apply(self, "tcsetattr", core.terminal.setEcho, check.type("on", "boolean", on))
end

return Terminal
