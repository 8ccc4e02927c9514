-- What `ssh HOST cat` moves, with an sshd on this machine: GB/s of what a program over there
-- prints, into a program that only reads here. Options as name=value: program, to, piece, bytes.

local command = require("child_process.command")
local cp = require("child_process")
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

  -- Seconds that it takes to move bytes, without the login.
  local function move(bytes)
    words[#words + 1] = ("echo ready >&2; read line; exec %s"):format(
      command.quote(from, options.piece, ("%d"):format(bytes)))
    local sink = cp.spawn(options.to, {stdio = {"pipe", "ignore", "ignore"}})
    local ssh = cp.spawn(file, words, {stdio = {"pipe", sink.stdin, "pipe"}})
    table.remove(words)
    sink.stdin:destroy()
    ssh.stderr:wait("data")
    local began = now()
    ssh.stdin:finish("\n")
    sink:wait("close")
    return now() - began
  end

  local bytes = tonumber(options.bytes)
  move(bytes / 8)
  print(bytes / move(bytes) / 1e9)
end)
