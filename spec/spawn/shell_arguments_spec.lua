-- Arguments together with options.shell, which are joined and not quoted (DEP0190 of Node).

local support = require("spec.support")

--- Runs a script that calls back for warnings, in an interpreter of its own: each comes only once.
---@return string stdout
---@return string stderr
local function run(text)
  return support.runScript([[
    local process = require("child_process.process")
    process:on("warning", function(warning)
      print(warning.name, warning.code, #warning.message > 0)
    end)
    local options = {shell = true, stdio = {"ignore", "ignore", "inherit"}}
  ]] .. text .. "\ncp.run()\n")
end

local WARNING = "DeprecationWarning\tDEP0190\ttrue\n"

describe("Arguments together with options.shell", function()
  for name, call in pairs({
    spawn = [[cp.spawn("echo", {"a"}, options)]],
    ["spawn with a shell by name"] = [[cp.spawn("echo", {"a"}, {shell = "/bin/sh"})]],
    execFile = [[cp.execFile("echo", {"a"}, {shell = true})]],
    spawnSync = [[cp.spawnSync("echo", {"a"}, options)]],
    execFileSync = [[cp.execFileSync("echo", {"a"}, {shell = true})]],
  }) do
    it("cause a warning that says what to do: " .. name, function()
      local stdout, stderr = run(call)
      assert.equal(WARNING, stdout)
      assert.equal(1, #support.lines(stderr))
      assert.truthy(stderr:find("^%(lua%) DeprecationWarning: "))
      assert.truthy(stderr:find("do without the shell", 1, true))
      assert.truthy(stderr:find("command.shell and command.quote", 1, true))
    end)
  end

  it("cause one warning, however many calls there are", function()
    assert.equal(WARNING, (run([[
      for _ = 1, 100 do cp.spawnSync("true", {"a"}, {shell = true}) end
      cp.spawn("true", {"a"}, options)
      cp.execFile("true", {"a"}, {shell = "/bin/sh"})
    ]])))
  end)

  it("are joined with spaces nevertheless", function()
    local stdout = run([[
      io.write(cp.spawnSync("printf '<%s>' ", {"a b", "$((1 + 1))"}, {shell = true}).stdout, "\n")
    ]])
    assert.equal("<a><b><2>\n" .. WARNING, stdout)
  end)

  it("raise no error in strict mode", function()
    assert.equal(WARNING .. "0\n", (run([[
      cp.strict(true)
      cp.spawn("true", {"a"}, options):on("exit", print)
    ]]):gsub("\tnil", "")))
  end)

  it("cause no warning without arguments, or without a shell", function()
    local stdout, stderr = run([[
      cp.spawn("echo a b", {shell = true, stdio = "ignore"})
      cp.spawn("true", {}, {shell = true, stdio = "ignore"})
      cp.spawn("true", {"a"}, {shell = false, stdio = "ignore"})
      cp.spawn("true", {"a"}, {stdio = "ignore"})
      cp.spawnSync("echo a", {shell = true})
      cp.execFileSync("true", {"a"})
    ]])
    assert.equal("", stdout)
    assert.equal("", stderr)
  end)

  it("cause none in exec and execSync, which take no arguments", function()
    local stdout, stderr = run([[
      cp.exec("true a b")
      cp.exec("true a b", {shell = "/bin/sh"}, function() end)
      cp.execSync("true a b")
      cp.promises.exec("true a b"):await()
    ]])
    assert.equal("", stdout)
    assert.equal("", stderr)
  end)
end)
