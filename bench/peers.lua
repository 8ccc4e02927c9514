-- Whom we compare with. A peer takes part where `version`, a shell command, prints one, and where
-- `works` is given only in rows with such work.
-- LUA is the interpreter that runs the benchmark, HERE the folder of this file.

local COMMANDS = {command = true, pipeline = true}

return {
  {name = "Python", command = "python3 HERE/peers/python.py", version = "python3 --version"},
  {
    name = "luv",
    command = "LUA HERE/peers/luv.lua",
    version = [[LUA -e 'print(require("luv").version_string())']],
  },
  {name = "Node", command = "node HERE/peers/node.mjs", version = "node --version"},
  {name = "Bun", command = "bun HERE/peers/node.mjs", version = "bun --version"},
  {
    name = "Deno",
    command = "deno run --allow-all HERE/peers/node.mjs",
    version = "deno --version",
  },
  {
    name = "execa",
    command = "node HERE/peers/commands.mjs package=execa",
    version = "node HERE/peers/commands.mjs package=execa version=1",
    works = COMMANDS,
  },
  {
    name = "zx",
    command = "node HERE/peers/commands.mjs package=zx",
    version = "node HERE/peers/commands.mjs package=zx version=1",
    works = COMMANDS,
  },
  {
    name = "piscina",
    command = "node HERE/peers/piscina.mjs",
    version = "node HERE/peers/commands.mjs package=piscina version=1",
    works = {pool = true},
  },
}
