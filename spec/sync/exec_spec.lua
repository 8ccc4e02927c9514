-- child_process.execSync(command[, options]); what is not its own: sync/options_spec.lua

local cp = require("child_process")
local support = require("spec.support")

--- Calls execSync, which has to raise an error.
local function failure(command, options) return support.error(cp.execSync, command, options) end

describe("child_process.execSync(command[, options])", function()
  it("is a synchronous version of exec", function()
    local command = "echo $0 $((6 * 7)) | tr a-z A-Z; printf 'no newline'"
    local err, stdout
    cp.exec(command, function(e, out) err, stdout = e, out end)
    support.run()
    assert.is_nil(err)
    assert.equal(stdout, cp.execSync(command))
    assert.equal("/BIN/SH 42\nno newline", stdout)
  end)

  it("is implemented on top of spawnSync: its errors are those of a run of the shell", function()
    local options = {cwd = "/does/not/exist"}
    local err = failure("true", options)
    local result = cp.spawnSync("/bin/sh", {"-c", "true"}, options)
    assert.equal(tostring(result.error), tostring(err))
    result.error.traceback = err.traceback -- each has its own
    for name, value in pairs(result.error) do assert.same(value, err[name], name) end
  end)

  describe("command", function()
    it("is the command to run, by a shell, which understands its metacharacters", function()
      assert.equal("file\nexecuted\n", cp.execSync("echo file; echo executed"))
      assert.equal("a  b\n", cp.execSync([[echo "a  b"]]))
      assert.equal("a\nb $HOME\n", cp.execSync("echo 'a\nb $HOME'"))
      assert.equal("2\n", cp.execSync("printf 'b\\nb\\n' | grep -c b && true || false"))
      assert.equal("The $HOME variable is /nowhere\n",
        cp.execSync([[echo "The \$HOME variable is $HOME"]], {env = {HOME = "/nowhere"}}))
    end)

    it("that does not exist is an error of the shell", function()
      local err = failure("a_command_that_is_not_there", {stdio = "pipe"})
      assert.equal("Command failed: a_command_that_is_not_there (exit code 127)\n" .. err.stderr,
        err.message)
      assert.equal(127, err.status)
      assert.is_nil(err.error)
    end)
  end)

  describe("options.shell", function()
    it("is the shell to execute the command with", function()
      local path = support.executable(support.tmpdir() .. "/shell",
        '#!/bin/sh\necho "this shell got $# arguments: $1 $2"\n')
      assert.equal("this shell got 2 arguments: -c some command\n",
        cp.execSync("some command", {shell = path}))
      assert.equal("sh\n", cp.execSync("echo $0", {shell = "sh"}))
      local err = failure("true", {shell = "/does/not/exist"})
      assert.equal("Error: spawnSync /does/not/exist ENOENT", tostring(err))
      assert.same({"-c", "true"}, err.spawnargs)
    end)

    it("is by default '/bin/sh' on Unix, and cannot be left out", function()
      assert.equal("/bin/sh\n", cp.execSync("echo $0"))
      for _, shell in ipairs({true, false, cp.null}) do
        assert.equal("/bin/sh\n", cp.execSync("echo $0", {shell = shell}))
      end
    end)
  end)

  describe("arguments", function()
    local cases = {
      {"ERR_INVALID_ARG_TYPE", nil},
      {"ERR_INVALID_ARG_TYPE", 5},
      {"ERR_INVALID_ARG_TYPE", {}},
      {"ERR_INVALID_ARG_VALUE", ""},
      {"ERR_INVALID_ARG_VALUE", "true\0x"},
    }
    for i, case in ipairs(cases) do
      it(("of the wrong kind are raised at once (%d: %s)"):format(i, case[1]), function()
        local err = failure(case[2])
        assert.equal(case[1], err.code)
        assert.is_nil(err.status)
        assert.equal(("%s [%s]: %s"):format(err.name, err.code, err.message), tostring(err))
      end)
    end

    it("beyond the options are ignored", function()
      assert.equal("x\n", cp.execSync("echo x", {}, function() error("called") end))
    end)
  end)
end)
