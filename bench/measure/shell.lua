-- What the benchmark runs, it runs through a shell, with the peers of `make bench-peers` first.
--
-- In commands, LUA is the interpreter that runs the benchmark, HERE the folder bench, BIN the
-- folder of the built programs.

local command = require("child_process.command").with({
  shell = true, reject = false, stderr = "inherit",
})

local HERE = arg[0]:match("^(.*)/[^/]*$") or "."

---@class bench.shell
local shell = {here = HERE, quote = command.quote}

-- The folder of packages that `make bench-peers` has installed, or nil.
local packages = command.run("cd -- " .. command.quote(HERE)
  .. "/../build/peers/node_modules 2>/dev/null && pwd").stdout:match("^[^\n]+")

local PREFIX = packages and ('PATH=%s/.bin:"$PATH"; : "${BENCH_PACKAGES:=%s}"; '):format(
  command.quote(packages), command.quote(packages)) .. "export PATH BENCH_PACKAGES; " or ""

--- The output of a shell command, or nil where it fails.
---@param line string
---@param options? table those of a command
---@return string?
function shell.output(line, options)
  local result = command.run(PREFIX .. line, options)
  return not result.failed and result.stdout or nil
end

--- The first line of that, or nil where there is none.
---@param line string
---@return string?
function shell.line(line)
  return (shell.output("{ " .. line .. "; } 2>/dev/null") or ""):match("^[^\n]+")
end

-- The path of the interpreter that runs this file.
local function interpreter()
  local first = 0
  while arg[first - 1] do
    first = first - 1
  end
  return shell.line("command -v " .. command.quote(arg[first]))
end

local VALUES = {
  LUA = command.quote(interpreter()), HERE = command.quote(HERE),
  BIN = command.quote(HERE .. "/../build/bench"),
}

--- A command with the values of the names in it.
---@param text string
---@return string
function shell.substitute(text)
  return (text:gsub("%u+", VALUES))
end

--- Builds the programs in C. Raises an error where that fails.
function shell.build()
  assert(shell.output("make -s -C " .. command.quote(HERE)),
    "the limit programs cannot be built")
end

return shell
