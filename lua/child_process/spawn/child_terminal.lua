--- The terminal of a child: its own, or that of another child, which it uses, too.

local core = require("child_process.core")

local fieldsOf = core.child.fields

---@class ChildProcess
local childTerminal = {}

-- Makes the terminal, or joins that of another child. Returns how many streams were made.
function childTerminal:_attachTerminal(description, handles, onclose)
  local fields, terminal = fieldsOf(self), description.stream
  local count = terminal and 0 or 1
  if not terminal then
    local Terminal = require("child_process.stream.terminal")
    terminal = Terminal.new(handles and handles.terminal, description, onclose, self)
  end
  if handles then
    handles.terminal = nil
  end
  if fields.pid then
    terminal:_addUser()
    fields._usesTerminal = true
  end
  fields.terminal = terminal
  return count
end

-- The child has ended.
function childTerminal:_leaveTerminal()
  local fields = fieldsOf(self)
  if fields._usesTerminal then
    fields._usesTerminal = nil
    fields.terminal:_removeUser()
  end
end

-- The terminal that the child was started with, unless it is that of another child.
function childTerminal:_getOwnTerminal()
  local terminal = fieldsOf(self).terminal
  return terminal and rawequal(terminal._owner, self) and terminal or nil
end

-- The start of the child has raised: closes its terminal without any event.
function childTerminal:_abandonTerminal()
  local terminal = self:_getOwnTerminal()
  if terminal then
    terminal:_discard()
  else
    self:_leaveTerminal()
  end
end

return childTerminal
