-- What `ssh HOST cat` moves, with an sshd on this machine: GB/s of what a program over there
-- prints, into a program that only reads here. Options as name=value: program, to, piece, bytes.

local command = require("child_process.command")
local process = require("child_process.process")

local HERE = arg[0]:match("^(.*)/[^/]*$")

local options = {}
for _, argument in ipairs(arg) do
  local name, value = argument:match("^(%w+)=(.*)$")
  options[name] = value
end

local function now()
  local time = process:hrtime()
  return time[1] + time[2] / 1e9
end

-- The programs over there start in another folder.
local from = options.program:find("^/") and options.program
  or process:cwd() .. "/" .. options.program

dofile(HERE .. "/../sshd.lua").with(function(words)
  local file = table.remove(words, 1)

  -- Seconds that it takes to log in, and to move bytes.
  local function move(bytes)
    words[#words + 1] = command.quote(from, options.piece, ("%d"):format(bytes))
    local began = now()
    command.pipeline({{file, words}, {options.to}})
    table.remove(words)
    return now() - began
  end

  local bytes = tonumber(options.bytes)
  local login = move(1)
  print(bytes / (move(bytes) - login) / 1e9)
end)
