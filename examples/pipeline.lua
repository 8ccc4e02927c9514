-- The words that are used most in a folder's source files, counted by eight programs in a row, like
--
--   find ... | xargs -0 cat | tr -cs A-Za-z '\n' | tr A-Z a-z | sort | uniq -c | sort -rn | head
--
-- in a shell, but held together by `pipe`. Takes the folder as its argument; without one, it is the
-- folder above this program.

local cp = require("child_process")
local process = require("child_process.process")

local folder = arg[1] or (arg[0]:match("^(.*)/[^/]*$") or ".") .. "/.."

local commands = {
  {
    "find", folder, "-type", "f",
    "(", "-name", "*.lua", "-o", "-name", "*.[ch]", "-o", "-name", "*.md", ")", "-print0",
  },
  { "xargs", "-0", "cat" },
  { "tr", "-cs", "A-Za-z", "\\n" },
  { "tr", "A-Z", "a-z" },
  { "sort" },
  { "uniq", "-c" },
  { "sort", "-rn" },
  { "head", "-n", "15" },
}

local started = process:hrtime()
local children, endings = {}, {}

for i, command in ipairs(commands) do
  local child = cp.spawn(command[1], { table.unpack(command, 2) }, {
    stdio = { "pipe", "pipe", "inherit" },
  })
  child:on("exit", function(code, signal)
    endings[i] = signal or ("code " .. code)
  end)
  children[i] = child
end

for i = 2, #children do
  local source, destination = children[i - 1].stdout, children[i].stdin
  source:pipe(destination)
  -- `head` ends as soon as it has enough. Those before it then learn, as in a shell, that nobody
  -- reads any more.
  destination:on("error", function(err)
    if err.code ~= "EPIPE" then error(err) end
  end)
  destination:on("close", function()
    source:destroy()
  end)
end

local last = children[#children]
last.stdout:pipe(process.stdout)

local open = #children
local function summary()
  open = open - 1
  if open > 0 then return end
  local elapsed = process:hrtime(started)
  local moved = 0
  print()
  for i, child in ipairs(children) do
    local bytes = child.stdout.bytesRead
    moved = moved + bytes
    print(("%10d bytes  %-8s  %s"):format(bytes, endings[i], table.concat(commands[i], " ")))
  end
  local seconds = elapsed[1] + elapsed[2] / 1e9
  print(("%d programs, %d bytes moved in %.3f s"):format(#children, moved, seconds))
end

for _, child in ipairs(children) do
  child:on("close", summary)
end

cp.run()
