-- Real programs at terminals: shells, interpreters, editors, pagers, and those that ask for
-- passwords.

local cp = require("child_process")
local process = require("child_process.process")
local support = require("spec.support")
local terminals = require("spec.support.terminals")

local converse, need = terminals.converse, terminals.need

--- Starts a program at a terminal, with no settings of the user's.
local function start(file, args, options)
  options = support.merge({terminal = true}, options)
  options.env = support.merge({PATH = process.env.PATH, HOME = support.tmpdir(), LC_ALL = "C"},
    options.env)
  return cp.spawn(file, args, options)
end

local PROMPT = "Password, please: "
local NOBODY = 65534

--- Starts sudo as a user who has to give a password. Skips the rest of a test where nobody has to.
local function startSudo(option, stdio)
  need("sudo", "--version")
  local user = support.isRoot and {uid = NOBODY, gid = NOBODY} or {}
  local complaint = cp.spawnSync("sudo", {"-k", "-n", "true"}, user).stderr
  if not complaint:find("password is required", 1, true) then
    support.skip("sudo asks for no password: " .. complaint)
  end
  return start("sudo", {"-k", "-p", PROMPT, option or "--", "true"},
    support.merge(user, {stdio = stdio}))
end

describe("At a terminal", function()
  it("tty and stty see it", function()
    assert.truthy(cp.execFileSync("tty", {terminal = true}):find("^/dev/"))
    assert.truthy(cp.execFileSync("stty", {"-a"}, {terminal = true}):find("rows 24; columns 80"))
  end)

  it("bash controls jobs", function()
    need("bash", "--version")
    local child = start("bash", {"--norc", "--noprofile", "-i"}, {env = {PS1 = "$((n++))> "}})
    local printed = converse(child, {
      "0> ", "sh -c 'echo started; exec cat'\n",
      "started\r\n", terminals.CTRL_Z,
      "Stopped", "sleep 600 & jobs\n",
      "Running", "kill %2; wait %2; fg %1\n",
      "exec cat", "typed\n\4",
      "typed\r\n", "sh -c 'echo more; exec sleep 600'\n",
      "more\r\n", terminals.CTRL_C,
      "^C", "echo status $?\n",
      "status 130", "exit\n",
    })
    assert.is_nil(printed:find("no job control", 1, true))
    assert.equal(0, child.exitCode)
  end)

  it("lua is interactive", function()
    need("lua5.4", "-v")
    local child = start("lua5.4", {})
    local printed = converse(child, {
      "> ", "x = 40 + 2\n", "> ", "print('is', x, io.stdin)\n", "is\t42", "",
      "> ", "\4",
    })
    assert.truthy(printed:find("is\t42\tfile", 1, true))
    assert.equal(0, child.exitCode)
  end)

  it("python is interactive", function()
    need("python3", "--version")
    local child = start("python3", {"-q", "-I"}, {env = {PYTHON_BASIC_REPL = "1", TERM = "dumb"}})
    converse(child, {">>> ", "import sys; sys.stdout.isatty() * 21\r", "\n21", "",
      ">>> ", "\4"})
    assert.equal(0, child.exitCode)
  end)

  it("vi edits a file by keystrokes", function()
    need("vi", "--version")
    local path = support.tmpdir() .. "/file"
    support.writeFile(path, "one\ntwo\nthree\n")
    local child = start("vi", {path}, {env = {VIMINIT = "set nocompatible nomodeline"}})
    converse(child, {
      "three", "ggO", "", "first\27", "first", "G", "", "A more\27", "more", ":wq\r",
    })
    assert.equal("first\none\ntwo\nthree more\n", support.readFile(path))
    assert.equal(0, child.exitCode)
  end)

  it("nano edits a file by keystrokes", function()
    need("nano", "--version")
    local path = support.tmpdir() .. "/file"
    support.writeFile(path, "two\n")
    local child = start("nano", {"-I", path})
    converse(child, {"two", "one\r", "one", "\15", "File Name", "\r", "Wrote", "\24"})
    assert.equal("one\ntwo\n", support.readFile(path))
  end)

  it("less shows pages, and more after a key", function()
    need("less", "--version")
    local path = support.tmpdir() .. "/file"
    local lines = {}
    for i = 1, 100 do lines[i] = ("line %d."):format(i) end
    support.writeFile(path, table.concat(lines, "\n") .. "\n")
    local child = start("less", {path}, {terminal = {rows = 10}, env = {LESSSECURE = "1"}})
    local printed = converse(child, {"line 9.", " ", "line 18.", "G", "line 100.", "q"})
    assert.is_nil(printed:find("line 50.", 1, true))
    assert.equal(0, child.exitCode)
  end)

  it("top shows a screen, and without a terminal text", function()
    need("top", "-v")
    local plain = cp.spawnSync("top", {"-b", "-n", "1"}).stdout
    assert.is_nil(plain:find("\27", 1, true))
    local child = start("top", {})
    local printed = converse(child, {"PID", "q"})
    assert.truthy(printed:find("\27[", 1, true))
    assert.equal(0, child.exitCode)
  end)

  it("ls colours its output", function()
    local folder = support.tmpdir()
    assert(os.execute(("mkdir '%s/sub'"):format(folder)))
    if not cp.spawnSync("ls", {"--color=always", folder}).stdout:find("\27", 1, true) then
      support.skip("ls knows no colours")
    end
    local args = {"--color=auto", folder}
    assert.is_nil(cp.execFileSync("ls", args):find("\27", 1, true))
    assert.truthy(cp.execFileSync("ls", args, {terminal = true}):find("\27", 1, true))
  end)

  it("script makes another one inside", function()
    need("script", "--version")
    local path = support.tmpdir() .. "/typescript"
    local child = start("script", {"-q", path, "-c", "tty; stty size; read a; echo got $a"},
      {terminal = {columns = 77, rows = 7}, env = {SHELL = "/bin/sh"}})
    local printed = converse(child, {"7 77", "it\n"})
    assert.truthy(printed:find("got it", 1, true), printed)
    assert.truthy(support.readFile(path):find("got it", 1, true))
  end)

  it("sudo asks for a password, which it does not show", function()
    local child = startSudo()
    local printed = converse(child, {
      PROMPT, "not the one\n", "Sorry", "", PROMPT, "\4",
    })
    assert.is_nil(printed:find("not the one", 1, true))
    assert.equal(1, child.exitCode)
  end)

  it("sudo -S reads the password from a pipe", function()
    local child = startSudo("-S", {"pipe"})
    child.stdin:finish("not the one\n")
    local printed = converse(child, {PROMPT, "", "Sorry", ""})
    assert.is_nil(printed:find("not the one", 1, true))
    assert.equal(1, child.exitCode)
  end)

  it("ssh asks for the passphrase of a key, which it does not show", function()
    need("ssh-keygen", "-?")
    local path = support.tmpdir() .. "/key"
    cp.execFileSync("ssh-keygen", {"-q", "-t", "ed25519", "-N", "hidden words", "-f", path})
    -- its output is a pipe: it asks at /dev/tty
    local child = start("ssh-keygen", {"-y", "-f", path}, {stdio = {"ignore", "pipe"}})
    local stdout = support.collect(child.stdout)
    local printed = converse(child, {"Enter passphrase", "hidden words\n"})
    assert.is_nil(printed:find("hidden", 1, true))
    assert.truthy(stdout():find("^ssh%-ed25519 "), stdout())
  end)
end)
