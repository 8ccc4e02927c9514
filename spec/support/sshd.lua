-- Servers of ssh that belong to a test, and clients that nothing of the user's changes.

local cp = require("child_process")
local lfs = require("lfs")
local net = require("child_process.net")
local process = require("child_process.process")
local support = require("spec.support")

local sshd = {}

-- The path of a program; nil if it is not installed.
local function find(name)
  local found = cp.spawnSync("sh", {"-c", 'PATH=$PATH:/usr/sbin; command -v "$0"', name}).stdout
  return found:match("[^\n]+")
end

--- The path of the server. Skips the rest of a test that needs it, or the client, where they are
--- not installed.
---@return string absolute
function sshd.find()
  local path = find("sshd")
  if not path then support.skip("sshd is not installed") end
  if not find("ssh") then support.skip("ssh is not installed") end
  return path
end

--- Makes a pair of keys.
---@param path string of the private key
---@param passphrase string
---@return string # the line of the public key
function sshd.makeKey(path, passphrase)
  cp.execFileSync("ssh-keygen", {"-q", "-t", "ed25519", "-N", passphrase, "-f", path})
  return support.readFile(path .. ".pub")
end

-- What a session gets besides what it has anyway.
local function variableLine(environment)
  local words = {}
  for name, value in pairs(environment or {}) do
    words[#words + 1] = ('"%s=%s"'):format(name, value)
  end
  return words[1] and "SetEnv " .. table.concat(words, " ") or ""
end

---@class Sshd what a server and its clients are told
---@field folder string with `sshd_config`; `ssh_config`, in which the host is called "n1"; `key`,
---which lets one in; `authorized`, a list of public keys; `bin`, a folder for PATH with an `ssh`
---that reads `ssh_config`; and the server's `log`
local Sshd = {}
Sshd.__index = Sshd

--- Makes the keys, and the configuration of a server.
---@param environment? table<string, string> further variables of its sessions
---@param folder string
---@return Sshd
function sshd.new(environment, folder)
  local self = setmetatable({path = sshd.find(), folder = folder}, Sshd)
  sshd.makeKey(folder .. "/host_key", "")
  support.writeFile(folder .. "/authorized", sshd.makeKey(folder .. "/key", ""))
  support.writeFile(folder .. "/sshd_config", table.concat({
    "HostKey " .. folder .. "/host_key", "AuthorizedKeysFile " .. folder .. "/authorized",
    "PasswordAuthentication yes", "PermitRootLogin yes", "PidFile none", "StrictModes no",
    "UsePAM no", variableLine(environment), "",
  }, "\n"))
  return self
end

--- Makes the configuration of the clients, for which the host is known.
---@param address string
---@param port integer
---@param before? string words in front of the client's command
function Sshd:setAddress(address, port, before)
  local folder = self.folder
  support.writeFile(folder .. "/known_hosts", ("[%s]:%d %s"):format(address, port,
    support.readFile(folder .. "/host_key.pub")))
  support.writeFile(folder .. "/ssh_config", table.concat({
    "Host n1", "HostName " .. address, "Port " .. port, "IdentityFile " .. folder .. "/key",
    "UserKnownHostsFile " .. folder .. "/known_hosts", "GlobalKnownHostsFile /dev/null",
    "IdentitiesOnly yes", "IdentityAgent none", "",
  }, "\n"))
  assert(lfs.mkdir(folder .. "/bin"))
  support.executable(folder .. "/bin/ssh", ('#!/bin/sh\nexec %s %s -F %s/ssh_config "$@"\n'):format(
    before or "", find("ssh"), folder))
end

--- Our environment, in which `ssh` reads the configuration.
---@return table<string, string>
function Sshd:environment()
  return support.merge(process.env, {PATH = ("%s/bin:%s"):format(self.folder,
    os.getenv("PATH"))})
end

--- Skips the rest of the test if one is not let in: an account may be locked.
function Sshd:needEntry()
  local result = cp.spawn("ssh", {"-o", "BatchMode=yes", "n1", "true"},
    {env = self:environment(), stdio = {"ignore"}})
  local _, stderr = support.output(result)
  if result.exitCode ~= 0 then support.skip("sshd lets nobody in: " .. stderr) end
end

-- The sshd of root needs this folder, which its package makes when it starts the service.
local PRIVATE = [[unshare --mount sh -c '
  mount -t tmpfs tmpfs /run && mkdir /run/sshd && exec %s' "$0" "$1"]]

--- Serves on the loopback interface as long as the loop runs. Skips the rest of the test where that
--- is not possible.
---@param environment? table<string, string> further variables of the sessions
---@return Sshd
function sshd.serve(environment)
  local self = sshd.new(environment, support.tmpdir())
  local command = '"$0" -i -f "$1/sshd_config" -E "$1/log"'
  if support.isRoot and not lfs.attributes("/run/sshd") then
    command = PRIVATE:format(command)
  end
  self.server = net.createServer(function(socket)
    cp.spawn("sh", {"-c", "exec " .. command, self.path, self.folder},
      {stdio = {socket, socket, "ignore"}}):unref()
    socket:destroy()
  end)
  self.server:listen(0, "127.0.0.1")
  self.server:unref()
  self:setAddress("127.0.0.1", self.server:address().port)
  self:needEntry()
  return self
end

--- Accepts no more connections.
function Sshd:close()
  self.server:close()
end

return sshd
