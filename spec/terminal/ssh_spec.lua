-- ssh at a terminal, against an sshd of the test's own on the loopback interface: it asks whether
-- the host is known, for the passphrase of a key, and for a password.

local cp = require("child_process")
local sshd = require("spec.support.sshd")
local support = require("spec.support")
local terminals = require("spec.support.terminals")

local PASSPHRASE = "hidden words"

-- Starts the client at a terminal, with options of ssh_config and then other arguments.
local function start(server, options, args, terminal)
  local words = {}
  for index, option in ipairs(options) do
    words[2 * index - 1], words[2 * index] = "-o", option
  end
  words[#words + 1] = "n1"
  for _, word in ipairs(args) do words[#words + 1] = word end
  return cp.spawn("ssh", words, {terminal = terminal, env = server:environment()})
end

describe("ssh at a terminal", function()
  it("asks for a passphrase, and passes on keys and sizes", function()
    local server = sshd.serve()
    local folder = server.folder
    support.writeFile(folder .. "/authorized", sshd.makeKey(folder .. "/locked", PASSPHRASE))
    local child = start(server, {
      "StrictHostKeyChecking=ask", "UserKnownHostsFile=" .. folder .. "/none",
      "IdentityFile=" .. folder .. "/locked",
    }, {
      -- bash, which may be the shell of the account, would finish reading before the trap
      "-t", [[exec sh -c "stty size; trap 'stty size' WINCH; echo ready
      until read a; do :; done; echo got \$a; exit 7"]],
    }, {columns = 70, rows = 20})
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
    local server = sshd.serve()
    local child = start(server, {"PreferredAuthentications=password", "NumberOfPasswordPrompts=1"},
      {}, true)
    local printed = terminals.converse(child, {"password: ", "not the one\n"})
    server:close()
    assert.truthy(printed:find("Permission denied", 1, true), printed)
    assert.is_nil(printed:find("not the one", 1, true))
    assert.equal(255, child.exitCode)
  end)
end)
