-- Counts the words that are used most in the source files of a folder, by eight programs that are
-- connected with `pipe`. In a shell this would be:
--
--   find ... | xargs -0 cat | tr -cs A-Za-z '\n' | tr A-Z a-z | sort | uniq -c | sort -rn | head
--
-- The argument is the folder; by default it is the folder above this program. Folders named "build"
-- are left out, as their files come and go.

local cp = require("child_process")
local process = require("child_process.process")

local unpack = table.unpack or unpack -- before Lua 5.2

local folder = arg[1] or (arg[0]:match("^(.*)/[^/]*$") or ".") .. "/.."

local commands = {
  {
    "find", folder, "-name", "build", "-prune", "-o", "-type", "f",
    "(", "-name", "*.lua", "-o", "-name", "*.[ch]", "-o", "-name", "*.md", ")", "-print0",
  },
  {"xargs", "-0", "cat"},
  {"tr", "-cs", "A-Za-z", "\\n"},
  {"tr", "A-Z", "a-z"},
  {"sort"},
  {"uniq", "-c"},
  {"sort", "-rn"},
  {"head", "-n", "15"},
}

local TITLE = "The words that are used most in the sources of %s, counted by %d programs in a row:"
process.stdout:write(TITLE:format(folder, #commands) .. "\n")

local started = process:hrtime()
local children, endings = {}, {}

for i, command in ipairs(commands) do
  local child = cp.spawn(command[1], {unpack(command, 2)}, {
    stdio = {"pipe", "pipe", "inherit"},
  })
  child:on("exit", function(code, signal)
    endings[i] = signal or ("code " .. code)
  end)
  children[i] = child
end

for i = 2, #children do
  -- `head` ends as soon as it has enough lines. Then, as in a shell, the program before it gets
  -- SIGPIPE, because nobody reads its output any more.
  children[i - 1].stdout:pipe(children[i].stdin)
end

local last = children[#children]
last.stdout:pipe(process.stdout)

local open = #children
local function summary()
  open = open - 1
  if open > 0 then return end
  local elapsed = process:hrtime(started)
  local moved, isCut = 0, false
  print()
  for i, child in ipairs(children) do
    local bytes = child.stdout.bytesRead
    moved = moved + bytes
    isCut = isCut or endings[i] == "SIGPIPE"
    print(("%10d bytes  %-7s  %s"):format(bytes, endings[i], table.concat(commands[i], " ")))
  end
  local seconds = elapsed[1] + elapsed[2] / 1e9
  print(("%d programs, %d bytes moved in %.3f s"):format(#children, moved, seconds))
  if isCut then
    print("(That is no failure: SIGPIPE ends a program whose reader has enough, as in a shell.)")
  end
end

for _, child in ipairs(children) do
  child:on("close", summary)
end

cp.run()
