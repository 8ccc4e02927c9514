-- Launchers that change what the agent is: its user, its file system, its number.

local agents = require("spec.support.agents")
local cluster = require("spec.support.cluster")
local cp = require("child_process")
local host = require("child_process.host")
local installation = require("spec.support.installation")
local process = require("child_process.process")
local support = require("spec.support")
local trees = require("spec.support.trees")

local SUDO = {"sudo", "-n", "-u", "nobody"}

-- Makes a root, in which a command then runs as process 1.
local CONTAIN = {"unshare", "--pid", "--mount", "--fork", "--mount-proc", "sh", "-ec",
  'mount --rbind / "$0"; exec chroot "$0" "$@"', "/mnt"}

-- A launcher of words, and then of env with the variables of the installed module.
local function withModule(words)
  local list = {}
  for index, word in ipairs(words) do list[index] = word end
  list[#list + 1] = "env"
  for name, value in pairs(installation.make().environment) do
    list[#list + 1] = name .. "=" .. value
  end
  return list
end

local function need(...)
  cluster.need()
  support.needRoot()
  local result = cp.spawnSync(...)
  if result.status ~= 0 then
    support.skip(("%s does not run: %s"):format((...), result.stderr or result.error.message))
  end
end

-- Starts a process that goes on when it is asked to end. Returns its pid as it is known here.
local function startStubborn(h)
  local child = cp.spawn("sh", {"-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"},
    {host = h})
  support.inTime(function() child.stdout:wait("data") end)
  return child
end

describe("a host by sudo", function()
  it("runs its children as the other user, and ends them", function()
    need("sudo", {"-n", "-u", "nobody", "true"})
    local h = agents.connect(withModule(SUDO), {grace = 50})
    local child = cp.spawn("id", {"-un"}, {host = h})
    assert.equal("nobody\n", support.outputOfSuccess(child))
    child = startStubborn(h)
    agents.close(h)
    support.run()
    assert.equal("SIGKILL", child.signalCode)
    trees.awaitEnd(child.pid)
  end)

  it("leaves nothing behind when sudo is killed", function()
    need("sudo", {"-n", "-u", "nobody", "true"})
    local h = agents.connect(withModule(SUDO), {grace = 50})
    local child, lost = startStubborn(h), nil
    child:on("error", function(err) lost = err.code end)
    h:on("error", function() end)
    h:kill("SIGKILL")
    support.run()
    assert.equal("ERR_HOST_LOST", lost)
    trees.awaitEnd(child.pid)
    trees.awaitEnd(h.pid)
  end)

  it("says so if it may not signal what a child has left behind", function()
    need("sudo", {"-n", "-u", "nobody", "true"})
    local h = agents.connect(withModule(SUDO), {grace = 50})
    -- A program that everybody may run as root.
    local setpriv = support.tmpdir() .. "/setpriv"
    cp.execFileSync("sh", {"-ec", 'cp "$(command -v setpriv)" "$0"; chmod 4755 "$0" "${0%/*}"',
      setpriv})
    -- It says its pid once it runs as root.
    local child = cp.spawn("sh", {"-c", '"$0" --reuid=0 --clear-groups "$@" &', setpriv, "sh", "-c",
      "echo $$; exec sleep 600 >/dev/null 2>&1"}, {host = h})
    local codes = {}
    child:on("error", function(err) codes[#codes + 1] = err.code end)
    local pid = tonumber((support.output(child)))
    assert.same({}, codes)
    assert.is_true(child:kill("SIGTERM", {tree = true}))
    support.inTime(function() return cp.promises.execFile("true", {host = h}):await() end)
    assert.same({"EPERM"}, codes)
    agents.close(h)
    assert.same({"EPERM"}, codes)
    process:kill(pid, "SIGKILL")
  end)

  it("says that a password is wanted", function()
    need("setpriv", {"--reuid=nobody", "--clear-groups", "true"})
    need("sudo", {"-n", "true"})
    local err
    host.connect({"setpriv", "--reuid=nobody", "--clear-groups", "sudo", "-n"}):on("error",
      function(e) err = e end)
    support.run()
    assert.match("sudo wants a password, and there is no terminal to ask for it: allow the command "
      .. "without one, by NOPASSWD in sudoers, and the launcher has ended with exit code 1",
      err.message, 1, true)
  end)

  it("names the interpreter that is missing", function()
    need("sudo", {"-n", "-u", "nobody", "true"})
    local err
    host.connect(SUDO, {lua = "nonexistent-lua"}):on("error", function(e) err = e end)
    support.run()
    assert.match("there seems to be no command 'nonexistent-lua' there (options.lua), and the "
      .. "launcher has ended with exit code 1", err.message, 1, true)
  end)
end)

describe("a host in place of a container", function()
  local function connect()
    need("unshare", {"--pid", "--mount", "--fork", "--mount-proc", "true"})
    return agents.connect(withModule(CONTAIN), {grace = 50})
  end

  it("has an agent that is process 1, and adopts what others leave behind", function()
    local h = connect()
    local child = cp.spawn("sh", {"-c", "(sleep 0.01 >&- 2>&- &); echo $PPID"}, {host = h})
    assert.equal("1\n", support.outputOfSuccess(child))
    assert.equal(1, h.pid)
    child = startStubborn(h)
    agents.close(h)
    support.run()
    assert.equal("SIGKILL", child.signalCode)
  end)

  it("is lost when the agent is killed, with which all its processes end", function()
    local h = connect()
    h:on("error", function() end)
    local child = startStubborn(h)
    local seen = support.names(child, "error", "exit", "close")
    cp.execFileSync("pkill", {"-KILL", "-P", tostring(h._launcher.pid)})
    support.run()
    assert.same({"error", "exit", "close"}, seen)
    assert.equal("closed", h.state)
  end)
end)
