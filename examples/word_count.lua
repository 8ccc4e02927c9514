-- Counts the words of all files in a folder: in one child, in as many as there are processors, on
-- other hosts that ssh reaches, or on the nodes of a Slurm allocation. Only the options of the pool
-- differ.
--
--   lua5.4 examples/word_count.lua FOLDER              on this machine
--   lua5.4 examples/word_count.lua FOLDER one          in one child
--   lua5.4 examples/word_count.lua FOLDER ssh n1 n2    on these hosts
--   salloc -N4 lua5.4 examples/word_count.lua FOLDER slurm
--
-- Other hosts need Lua and this module, and no shared folder: this program and the files are sent.
-- A file whose host is lost is counted by another one.

local process = require("child_process.process")

-- The child: counts the words of a text.
if process.send then
  process:handle(function(text)
    local _, count = text:gsub("%S+", "")
    return count
  end)
  return
end

local command = require("child_process.command")
local host = require("child_process.host")
local pool = require("child_process.pool")

local folder, where = arg[1], arg[2] or "here"
local names = {(table.unpack or unpack)(arg, 3)}

-- Where the children run.
local places = {
  here = function() end,
  one = function() return {"local"}, 1 end,
  ssh = function()
    local hosts = {}
    for index, name in ipairs(names) do hosts[index] = host.ssh(name) end
    return hosts
  end,
  slurm = function() return host.slurm() end,
}

if not folder or not places[where] or where == "ssh" and not names[1] then
  io.stderr:write("usage: word_count.lua FOLDER [here | one | ssh HOST... | slurm]\n")
  os.exit(2)
end

local hosts, size = places[where]()
local p = pool(arg[0], {
  hosts = hosts, size = size, -- this line is the difference
  options = {sendSource = true, serialization = "advanced"},
})

p:on("lost", function(err)
  io.stderr:write("word_count: ", err.message, "\n")
end)

local files = command.run("find", {folder, "-type", "f"}, {lines = true}).stdout
table.sort(files)

-- The texts are read one by one, when a child is free.
local position = 0
local function nextText()
  position = position + 1
  if files[position] then
    local file = assert(io.open(files[position], "rb"))
    local text = file:read("*a")
    file:close()
    return text
  end
end

local total = 0
for count, number in p:map(nextText, {ordered = true}) do
  print(("%8d %s"):format(count, files[number]))
  total = total + count
end
print(("%8d in all"):format(total))

p:close():await()
for _, each in ipairs(hosts or {}) do
  if each ~= "local" then
    each:close():await()
  end
end
