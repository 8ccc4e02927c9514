-- Deploys a small site: gets a revision from a git repository, builds it, packs it with tar,
-- unpacks it as a release, checks the release, and makes it the current one. Stops at the first
-- command that fails, prints the reason, and exits with 1.
--
--   lua5.4 examples/deploy.lua [REVISION]     v1, v2 or HEAD, which is the default
--
-- It makes the repository and everything else in a temporary folder, which it removes at the end.

local command = require("child_process.command")
local process = require("child_process.process")

local revision = arg[1] or "HEAD"

-- Commands get only this environment, so that the user's settings do not matter, and each is shown
-- when it starts.
local commands = command.with({
  env = {
    PATH = process.env.PATH,
    TMPDIR = process.env.TMPDIR,
    LC_ALL = "C",
    GIT_CONFIG_GLOBAL = "/dev/null",
    GIT_CONFIG_NOSYSTEM = "1",
  },
  extendEnv = false,
  timeout = 60000,
  verbose = function(event)
    if event.type == "start" then
      print("$ " .. event.command)
    end
  end,
})
local run, pipeline = commands.run, commands.pipeline

--- Calls a function with the path of a folder, which is removed afterwards, even after an error.
local function withTemporaryFolder(fn)
  local path = run("mktemp", {"-d"}).stdout
  local ok, problem = pcall(fn, path)
  run("rm", {"-rf", path})
  if not ok then error(problem, 0) end
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  assert(file:write(text))
  file:close()
end

--- Makes a repository with two revisions, v1 and v2.
local function makeRepository(folder)
  local function git(...)
    run("git", {"-c", "user.name=Deploy", "-c", "user.email=deploy@localhost", ...}, {
      cwd = folder,
    })
  end
  run("git", {"init", "-q", folder})
  for _, version in ipairs({"v1", "v2"}) do
    write(folder .. "/index.html", "<p>This is " .. version .. ", built from @COMMIT@.</p>\n")
    git("add", "index.html")
    git("commit", "-q", "-m", version)
    git("tag", version)
  end
end

local function deploy(scratch)
  local repository, build = scratch .. "/repository", scratch .. "/build"
  local releases, tarball = scratch .. "/releases", scratch .. "/site.tar"

  makeRepository(repository)

  run("mkdir", {build})
  pipeline({{"git", {"archive", revision}}, {"tar", {"-xf", "-", "-C", build}}}, {cwd = repository})
  local commit = run("git", {"rev-parse", "--short", revision}, {cwd = repository}).stdout
  run("sed", {"-i", "s/@COMMIT@/" .. commit .. "/", "index.html"}, {cwd = build})
  run("tar", {"-cf", tarball, "-C", build, "."})

  local release = releases .. "/" .. commit
  run("mkdir", {"-p", release})
  run("tar", {"-xf", tarball, "-C", release})
  run("diff", {"-r", build, release})
  run("ln", {"-s", commit, releases .. "/current"})

  print("\ndeployed: " .. run("cat", {releases .. "/current/index.html"}).stdout)
end

local ok, problem = pcall(withTemporaryFolder, deploy)
if not ok then
  io.stderr:write("\nThe deployment has stopped.\n", problem.message or problem, "\n")
  os.exit(1)
end
