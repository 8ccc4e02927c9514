-- Whom we compare with. A peer takes part where `version`, a shell command, prints one.
-- LUA is the interpreter that runs the benchmark, HERE the folder of this file.

return {
  { name = "Python", command = "python3 HERE/peers/python.py", version = "python3 --version" },
  {
    name = "luv",
    command = "LUA HERE/peers/luv.lua",
    version = [[LUA -e 'print(require("luv").version_string())']],
  },
  { name = "Node", command = "node HERE/peers/node.mjs", version = "node --version" },
  { name = "Bun", command = "bun HERE/peers/node.mjs", version = "bun --version" },
  {
    name = "Deno",
    command = "deno run --allow-all HERE/peers/node.mjs",
    version = "deno --version",
  },
}
