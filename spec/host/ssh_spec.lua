-- host.ssh against an sshd of the test's own on the loopback interface: what works, and what a
-- person reads who tries it for the first time.

local agents = require("spec.support.agents")
local cp = require("child_process")
local host = require("child_process.host")
local installation = require("spec.support.installation")
local sshd = require("spec.support.sshd")
local support = require("spec.support")

local installed, server

-- Installs the module over there, and lets the server start.
local function serve()
  installed = installation.make()
  server = sshd.serve(installed.environment)
end

local function connect(options)
  return host.ssh("n1", support.merge({
    lua = support.lua, env = server:environment(), connectTimeout = 120000,
  }, options))
end

-- Connects, which fails. Checks what the first line says, and the exit code of ssh.
local function fails(text, exitCode, options)
  local err
  connect(options):on("error", function(e) err = e end)
  support.run()
  assert.equal("ERR_HOST_CONNECT", err.code)
  assert.equal(("cannot connect to host 'n1': %s, and the launcher has ended with exit code %d")
    :format(text, exitCode), err.message:match("^[^\n]*"))
  assert.equal(exitCode, err.exitCode)
  return err
end

local function rewrite(path, from, to)
  local text, count = support.readFile(path):gsub(from, to)
  assert.equal(1, count)
  support.writeFile(path, text)
end

describe("host.ssh", function()
  after_each(function()
    if server then server:close() end
    server = nil
  end)

  it("starts children over there", function()
    serve()
    local h = connect()
    local child = cp.spawn("sh", {"-c", 'echo "$SSH_CONNECTION"; cat; exit 4'}, {host = h})
    child.stdin:finish("'quoted' $words;\n")
    local lines
    support.inTime(function() lines = support.lines(child.stdout:readAll()) end)
    assert.match("^127%.0%.0%.1 ", lines[1])
    assert.equal("'quoted' $words;", lines[2])
    agents.close(h)
    support.run()
    assert.equal(4, child.exitCode)
    assert.equal("n1", h.name)
  end)

  it("says that the key of the host is not known", function()
    serve()
    support.writeFile(server.folder .. "/known_hosts", "")
    local err = fails("its key is not known here: connect once by ssh in a terminal, which shows "
      .. "the key and asks", 255)
    assert.match("\nHost key verification failed.", err.message, 1, true)
  end)

  it("says that the key of the host has changed", function()
    serve()
    local known = support.readFile(server.folder .. "/known_hosts"):match("^%S+")
    support.writeFile(server.folder .. "/known_hosts", known .. " "
      .. sshd.makeKey(server.folder .. "/other_key", ""))
    local err = fails("its key is not the one that was known: if it was changed for a reason, "
      .. "remove the old one, as with ssh-keygen -R, and connect once by ssh in a terminal", 255)
    assert.match("REMOTE HOST IDENTIFICATION HAS CHANGED", err.message, 1, true)
  end)

  it("says that a password is wanted", function()
    serve()
    support.writeFile(server.folder .. "/authorized", "")
    local err = fails("it wants a password, for which nobody is asked here: set up a key, as with "
      .. "ssh-copy-id", 255)
    assert.match("Permission denied (publickey,password", err.stderr, 1, true)
  end)

  it("says that there is no such Lua over there", function()
    serve()
    local err = fails("there seems to be no command 'nonexistent-lua' there (options.lua)", 127,
      {lua = "nonexistent-lua"})
    assert.match("nonexistent-lua", err.stderr, 1, true)
  end)

  it("says that the module is not there, or not all of it", function()
    serve()
    local text = "child_process is not installed there for the Lua that was started (options.lua), "
      .. "or is a version that has no agent"
    os.remove(installed.folder .. "/core.so")
    assert.match("module 'child_process.core' not found", fails(text, 1).message, 1, true)
    os.remove(installed.folder .. "/agent.lua")
    assert.match("module 'child_process.agent' not found", fails(text, 1).message, 1, true)
  end)

  it("says that the versions differ", function()
    serve()
    rewrite(installed.folder .. "/link/protocol.lua", "VERSION = %d+", "VERSION = 99")
    local err
    connect():on("error", function(e) err = e end)
    support.run()
    assert.equal("ERR_HOST_VERSION", err.code)
    assert.match("^cannot connect to host 'n1': the agent speaks version 99 of the protocol, and "
      .. "we speak version %d+: install the same version of child_process on both sides$",
      err.message)
  end)

  it("says in the words of ssh what else has gone wrong", function()
    serve()
    server:close()
    local err = fails("the connection was closed", 255)
    assert.match("Connection refused", err.message, 1, true)
  end)
end)
