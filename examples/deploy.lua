-- Deploys a small site: takes a revision out of a git repository, builds it, packs it with tar,
-- unpacks it as a release, checks it, and makes it the current one. Stops at the first command that
-- fails, says why, and exits with 1.
--
--   lua5.4 examples/deploy.lua [REVISION]     v1, v2 or HEAD, which is the default
--
-- It makes the repository and all the rest in a temporary folder, which is gone afterwards.

local cp = require("child_process")
local process = require("child_process.process")

local revision = arg[1] or "HEAD"

-- Commands get this environment alone, so that no settings of the user's play a part.
local environment = {
  PATH = process.env.PATH,
  TMPDIR = process.env.TMPDIR,
  LC_ALL = "C",
  GIT_CONFIG_GLOBAL = "/dev/null",
  GIT_CONFIG_NOSYSTEM = "1",
}

--- How a command that did not succeed has ended.
---@param result table of spawnSync
---@return string
local function ending(result)
  if result.error then return result.error.message end
  if result.signal then return "ended by " .. result.signal end
  return "exited with code " .. result.status
end

--- Runs a command to its end. If it fails, raises a text that tells what went wrong.
---@param command string[] the program and its arguments
---@param options? table `cwd`, `input`
---@return string # what it printed
local function run(command, options)
  local line = table.concat(command, " ")
  print("$ " .. line)
  local result = cp.spawnSync(command[1], { table.unpack(command, 2) }, {
    cwd = options and options.cwd,
    input = options and options.input,
    env = environment,
    timeout = 60000,
    maxBuffer = math.huge,
  })
  if result.error or result.status ~= 0 then
    error(("  %s\n  %s\n%s"):format(line, ending(result), result.stderr or ""), 0)
  end
  return result.stdout
end

--- Runs a command that prints one line, and returns that.
local function lineOf(command, options)
  return run(command, options):match("^[^\n]*")
end

--- Makes a folder that is removed when the variable that holds it goes out of scope.
local function temporaryFolder()
  local path = lineOf({ "mktemp", "-d" })
  return setmetatable({ path = path }, {
    __close = function() run({ "rm", "-rf", path }) end,
  })
end

local function write(path, text)
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(text))
end

--- Makes a repository with two revisions, v1 and v2.
local function makeRepository(folder)
  local function git(...)
    run({ "git", "-c", "user.name=Deploy", "-c", "user.email=deploy@localhost", ... }, {
      cwd = folder,
    })
  end
  run({ "git", "init", "-q", folder })
  for _, version in ipairs({ "v1", "v2" }) do
    write(folder .. "/index.html", "<p>This is " .. version .. ", built from @COMMIT@.</p>\n")
    git("add", "index.html")
    git("commit", "-q", "-m", version)
    git("tag", version)
  end
end

local function deploy()
  local scratch <close> = temporaryFolder()
  local repository, build = scratch.path .. "/repository", scratch.path .. "/build"
  local releases, tarball = scratch.path .. "/releases", scratch.path .. "/site.tar"

  makeRepository(repository)

  local archive = run({ "git", "archive", revision }, { cwd = repository })
  local commit = lineOf({ "git", "rev-parse", "--short", revision }, { cwd = repository })
  run({ "mkdir", build })
  run({ "tar", "-xf", "-", "-C", build }, { input = archive })
  run({ "sed", "-i", "s/@COMMIT@/" .. commit .. "/", "index.html" }, { cwd = build })
  run({ "tar", "-cf", tarball, "-C", build, "." })

  local release = releases .. "/" .. commit
  run({ "mkdir", "-p", release })
  run({ "tar", "-xf", tarball, "-C", release })
  run({ "diff", "-r", build, release })
  run({ "ln", "-s", commit, releases .. "/current" })

  print("\ndeployed: " .. lineOf({ "cat", releases .. "/current/index.html" }))
end

local ok, problem = pcall(deploy)
if not ok then
  io.stderr:write("\nThe deployment has stopped:\n", problem)
  os.exit(1)
end
