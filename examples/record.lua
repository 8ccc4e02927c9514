-- Runs a program at a terminal inside ours, like script(1), and records what it shows. The file is
-- an asciicast, version 2: `asciinema play FILE` shows it again. Keys and changes of the size are
-- passed on, so full-screen programs work.
--
--   lua5.4 examples/record.lua FILE [COMMAND [ARGUMENT...]]
--
-- Without a command it runs the shell. Its input need not be a terminal:
--
--   echo 'ls --color=auto' | lua5.4 examples/record.lua ls.cast sh

local cp = require("child_process")
local json = require("child_process.json")
local process = require("child_process.process")

local path = assert(arg[1], "usage: record.lua FILE [COMMAND [ARGUMENT...]]")
local command = arg[2] or process.env.SHELL or "/bin/sh"
local arguments = {}
for index = 3, #arg do
  arguments[#arguments + 1] = arg[index]
end

local stdin, stdout = process.stdin, process.stdout
local columns, rows = stdout.columns or 80, stdout.rows or 24
local file = assert(io.open(path, "w"))
local start = process:hrtime()

-- Writes one line of the recording.
local function write(value)
  file:write(json.encode(value), "\n")
end

-- An event: how long after the start, its kind, what it is about.
local function record(kind, data)
  local span = process:hrtime(start)
  write({span[1] + math.floor(span[2] / 1000) / 1e6, kind, data})
end

local child = cp.spawn(command, arguments, {
  terminal = {columns = columns, rows = rows, name = process.env.TERM},
})
local terminal = child.terminal

write({
  version = 2, width = columns, height = rows, timestamp = os.time(),
  command = table.concat({command, (table.unpack or unpack)(arguments)}, " "),
  env = {TERM = process.env.TERM or "xterm-256color", SHELL = process.env.SHELL},
})

-- What the program shows goes to our terminal as it is. The recording is text, of which no
-- character is split between two events.
terminal:setEncoding("utf8")
terminal:on("data", function(text)
  stdout:write(text)
  record("o", text)
end)

-- A program that is slow to read its keys makes whoever types wait, and the end of our input is
-- Ctrl-D there.
stdin:pipe(terminal)
if stdin.isTTY then
  stdin:setRawMode(true, {output = true})
end
stdout:on("resize", function()
  terminal:resize(stdout.columns, stdout.rows)
  record("r", ("%dx%d"):format(stdout.columns, stdout.rows))
end)

child:on("error", function(err)
  io.stderr:write(tostring(err), "\n")
end)
child:on("close", function(code, signal)
  stdin:pause()
  if stdin.isTTY then
    stdin:setRawMode(false)
  end
  file:close()
  process.exitCode = signal and 1 or code and code >= 0 and code or 1
  print(("recorded in %s"):format(path))
end)
cp.run()
os.exit(process.exitCode)
