--- Opens the files that options name, and closes them.

local errors = require("child_process.errors")

---@class child_process.command.files
local files = {}

--- Opens a file.
---@param path string
---@param mode string of io.open
---@param what string what the file is for: "options.inputFile"
---@return file*? # nil if that fails
---@return Error? # why
function files.open(path, mode, what)
  local file, text, errno = io.open(path, mode)
  if file then
    return file
  end
  local err = errors.system(errno or 0, "open", {path = path})
  local reason = text:sub(1, #path + 2) == path .. ": " and text:sub(#path + 3) or text
  err.message = ("%s '%s': %s (%s)"):format(err.message, path, reason, what)
  err.reason = ("%s '%s': %s"):format(what, path, reason)
  return nil, err
end

--- Closes the file that was opened for a target or an input.
---@param target Target|CommandInput
function files.close(target)
  if target.opened then
    target.opened:close()
    target.opened = nil
  end
end

return files
