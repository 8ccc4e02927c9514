-- Runs scripts at a terminal of their own, and presses keys there.

local cp = require("child_process")
local process = require("child_process.process")
local support = require("spec.support")

local terminals = {}

terminals.CTRL_C, terminals.CTRL_BACKSLASH, terminals.CTRL_Z = "\3", "\28", "\26"

--- Skips the rest of a test where there is no script(1), which makes terminals.
local function needScript()
  if cp.spawnSync("script", {"--version"}).error then support.skip("script(1) is not installed") end
end

-- The end of a text, or of the last of several.
local function endOf(printed, start, texts)
  local last, ends = 0, {}
  for _, text in ipairs(type(texts) == "table" and texts or {texts}) do
    local _, found = printed:find(text, ends[text] or start, true)
    if not found then return nil end
    ends[text] = found + 1
    last = math.max(last, found)
  end
  return last
end

-- Returns a function that takes what is printed, piece by piece, and types the keys as soon as
-- their texts were printed; and one that returns all that was printed.
local function typist(keys, write)
  local printed, from, nextKey = "", 1, 1
  return function(data)
    printed = printed .. data
    while keys[nextKey] do
      local last = endOf(printed, from, keys[nextKey])
      if not last then break end
      write(keys[nextKey + 1])
      from, nextKey = last + 1, nextKey + 2
    end
  end, function() return printed end
end

--- Types at the terminal of a child, and waits until the child has closed. Fails if it does not.
---@param child ChildProcess
---@param keys table as for `run`; a function is called instead of typing
---@return string # what was printed
function terminals.converse(child, keys)
  local onData, printed = typist(keys, function(text)
    if type(text) == "function" then text() else child.terminal:write(text) end
  end)
  onData("")
  child.terminal:on("data", onData)
  local ended, err = pcall(support.run)
  if not ended then error(("%s\nIt has printed:\n%s"):format(err, printed()), 0) end
  return printed()
end

--- Skips the rest of a test where a program is missing.
---@param program string
---@param ... string its arguments, with which it ends at once
function terminals.need(program, ...)
  if cp.spawnSync(program, {...}).error then support.skip(program .. " is not installed") end
end

--- Runs a shell command at a new terminal. Fails if it does not end.
---@param command string
---@param keys table pairs: a text, or several in any order, and what is typed as soon as they were
---printed; the same text may be there several times
---@return string # what was printed, with "\n" as the ends of lines
function terminals.run(command, keys)
  needScript()
  local child = cp.spawn("script", {"-qec", command, "/dev/null"},
    {env = support.merge(process.env, {SHELL = "/bin/sh"})})
  local onData, printed = typist(keys, function(text) child.stdin:write(text) end)
  child.stdout:on("data", onData)
  local ended, err = pcall(support.run)
  if not ended then error(("%s\nIt has printed:\n%s"):format(err, printed()), 0) end
  return (printed():gsub("\r\n", "\n"))
end

-- Runs the script. Its descriptor 3 is a pipe, and the shell waits until nobody holds that.
local COMMAND = [[
  ulimit -c 0
  trap : INT QUIT
  (trap : INT QUIT; "$0" "$1" 3>&1 >&4; echo ended with $? >&4) 4>&1 |
    (trap "" INT QUIT; exec cat)
]]

--- Runs a Lua script at a new terminal, and waits for all processes that hold its descriptor 3.
---@param text string in which `cp` and `process` are the modules
---@param keys string[] as for `run`
---@param command? string another one, with the interpreter and the script as "$0" and "$1"
---@return string # what was printed, and "ended with" the status of the script
function terminals.runScript(text, keys, command)
  local script = support.script([[
    local cp = require("child_process")
    local process = require("child_process.process")
    io.stdout:setvbuf("line") -- each line in one piece, among those of other processes
  ]] .. text)
  local main = script:gsub("script%.lua$", "main.sh")
  -- otherwise keys that raise signals discard what is being printed
  support.writeFile(main, "stty noflsh\n" .. (command or COMMAND))
  command = ("exec sh -c \"$(cat '%s')\" '%s' '%s'"):format(main, support.lua, script)
  return terminals.run(command, keys)
end

return terminals
