-- An sshd for the benchmark: it is started for each connection, with a key and a configuration of
-- its own, and reached through a pipe.

local command = require("child_process.command")

local quote = command.quote

local CONFIG = [[
HostKey %s/host_key
AuthorizedKeysFile %s/key.pub
PidFile none
StrictModes no
PasswordAuthentication no
UsePAM no
]]

-- Where sshd is, which must be an absolute path.
local FIND = 'PATH="$PATH:/usr/sbin"; command -v sshd'

---@class bench.sshd
local sshd = {}

--- Calls a function with the words of an ssh command that logs in on this machine. The keys are in
--- a folder that is removed afterwards.
---@param fn fun(words: string[])
function sshd.with(fn)
  local path = command.shell(FIND).stdout
  local folder = command.run("mktemp", {"-d"}).stdout
  local function fill()
    for _, name in ipairs({"host_key", "key"}) do
      command.run("ssh-keygen", {"-q", "-t", "ed25519", "-N", "", "-f", folder .. "/" .. name})
    end
    local file = assert(io.open(folder .. "/config", "w"))
    file:write((CONFIG:gsub("%%s", folder)))
    file:close()
    fn({
      "ssh", "-T", "-F", "/dev/null", "-i", folder .. "/key", "-o", "BatchMode=yes",
      "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o",
      "LogLevel=ERROR", "-o", "IdentitiesOnly=yes", "-o",
      "ProxyCommand=" .. quote(path, "-i", "-f", folder .. "/config", "-E", folder .. "/log"),
      "localhost",
    })
  end
  local ok, problem = pcall(fill)
  command.run("rm", {"-r", folder})
  if not ok then
    error(problem, 0)
  end
end

return sshd
