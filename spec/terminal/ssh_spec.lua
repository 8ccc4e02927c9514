-- ssh at a terminal, against an sshd of the test's own on the loopback interface: it asks whether
-- the host is known, for the passphrase of a key, and for a password.

local cp = require("child_process")
local lfs = require("lfs")
local net = require("child_process.net")
local support = require("spec.support")
local terminals = require("spec.support.terminals")

local PASSPHRASE = "hidden words"

--- The path of sshd, which must be absolute. Skips the rest of a test where it cannot run.
local function findSshd()
  terminals.need("ssh", "-V")
  local found = cp.spawnSync("sh", {"-c", "PATH=$PATH:/usr/sbin; command -v sshd"}).stdout
  if found == "" then support.skip("sshd is not installed") end
  if support.isRoot and not lfs.attributes("/run/sshd") then
    support.skip("sshd needs the folder /run/sshd, which its package makes at the start")
  end
  return (found:gsub("\n", ""))
end

local function makeKey(path, passphrase)
  cp.execFileSync("ssh-keygen", {"-q", "-t", "ed25519", "-N", passphrase, "-f", path})
  return support.readFile(path .. ".pub")
end

--- Accepts connections, each with an sshd that serves it.
local function listen(sshd, folder)
  local server = net.createServer(function(socket)
    local args = {"-i", "-f", folder .. "/config", "-E", folder .. "/log"}
    cp.spawn(sshd, args, {stdio = {socket, socket, "ignore"}})
    socket:destroy()
  end)
  server:listen(0, "127.0.0.1")
  server:unref()
  return server
end

-- Options for a client that nothing of the user's changes. `key` is what it is let in with.
local function arguments(folder, server, key, ...)
  local port = tostring(server:address().port)
  local args = {"-F", "/dev/null", "-p", port, "-i", folder .. "/" .. key}
  local options = {
    "UserKnownHostsFile=" .. folder .. "/known_hosts", "GlobalKnownHostsFile=/dev/null",
    "IdentitiesOnly=yes", "IdentityAgent=none",
  }
  for _, option in ipairs({...}) do
    table.insert(options, 1, option) -- of several values ssh takes the first
  end
  for _, option in ipairs(options) do
    args[#args + 1] = "-o"
    args[#args + 1] = option
  end
  args[#args + 1] = "127.0.0.1"
  return args
end

--- Serves, and sees whether one gets in at all with a key that needs no passphrase. If not, the
--- rest of the test is skipped: an account may be locked.
local function serve()
  local sshd, folder = findSshd(), support.tmpdir()
  makeKey(folder .. "/host_key", "")
  support.writeFile(folder .. "/authorized", makeKey(folder .. "/key", PASSPHRASE)
    .. makeKey(folder .. "/open_key", ""))
  support.writeFile(folder .. "/config", ([[
    HostKey %s/host_key
    AuthorizedKeysFile %s/authorized
    PasswordAuthentication yes
    PermitRootLogin yes
    PidFile none
    StrictModes no
    UsePAM no
  ]]):format(folder, folder))
  local server = listen(sshd, folder)
  local args = arguments(folder, server, "open_key", "BatchMode=yes", "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null")
  args[#args + 1] = "true"
  local client = cp.spawn("ssh", args, {stdio = {"ignore"}})
  local _, stderr = support.output(client)
  if client.exitCode ~= 0 then
    server:close()
    support.skip("sshd lets nobody in: " .. stderr)
  end
  return folder, server
end

describe("ssh at a terminal", function()
  it("asks for a passphrase, and passes on keys and sizes", function()
    local folder, server = serve()
    local args = arguments(folder, server, "key", "StrictHostKeyChecking=ask")
    args[#args + 1] = "-t"
    -- bash, which may be the shell of the account, would finish reading before the trap
    args[#args + 1] = [[exec sh -c "stty size; trap 'stty size' WINCH; echo ready
      until read a; do :; done; echo got \$a; exit 7"]]
    local child = cp.spawn("ssh", args, {terminal = {columns = 70, rows = 20}})
    local printed = terminals.converse(child, {
      "(yes/no", "yes\n",
      "Enter passphrase", PASSPHRASE .. "\n",
      "20 70", "",
      "ready", function() child.terminal:resize(90, 31) end,
      "31 90", "it\n",
      "got it", "",
    })
    server:close()
    assert.is_nil(printed:find(PASSPHRASE, 1, true))
    assert.equal(7, child.exitCode)
  end)

  it("asks for a password, and says that it is wrong", function()
    local folder, server = serve()
    local child = cp.spawn("ssh", arguments(folder, server, "key", "StrictHostKeyChecking=no",
      "PreferredAuthentications=password", "NumberOfPasswordPrompts=1"), {terminal = true})
    local printed = terminals.converse(child, {"password: ", "not the one\n"})
    server:close()
    assert.truthy(printed:find("Permission denied", 1, true), printed)
    assert.is_nil(printed:find("not the one", 1, true))
    assert.equal(255, child.exitCode)
  end)
end)
