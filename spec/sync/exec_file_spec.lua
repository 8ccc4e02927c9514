-- child_process.execFileSync(file[, args][, options]); what is not its own: sync/options_spec.lua

local cp = require("child_process")
local support = require("spec.support")

--- Calls execFileSync, which has to raise an error.
local function failure(file, args, options)
  return support.error(cp.execFileSync, file, args, options)
end

describe("child_process.execFileSync(file[, args][, options])", function()
  it("is a synchronous version of execFile", function()
    local args = {"-c", "echo $0 \"$1\"; printf 'no newline'", "a", "*"}
    local err, stdout
    cp.execFile("sh", args, function(e, out) err, stdout = e, out end)
    support.run()
    assert.is_nil(err)
    assert.equal(stdout, cp.execFileSync("sh", args))
    assert.equal("a *\nno newline", stdout)
  end)

  it("is implemented on top of spawnSync: its errors are those of spawnSync", function()
    local err = failure("does_not_exist", {"a", "b"})
    local result = cp.spawnSync("does_not_exist", {"a", "b"})
    assert.equal(tostring(result.error), tostring(err))
    result.error.traceback = err.traceback -- each has its own
    for name, value in pairs(result.error) do assert.same(value, err[name], name) end
  end)

  it("if the shell option is enabled, lets input containing shell metacharacters trigger arbitrary "
    .. "command execution", function()
    local input = "file; echo executed"
    assert.equal("file; echo executed\n", cp.execFileSync("echo", {input}))
    assert.equal("file\nexecuted\n", cp.execFileSync("echo", {input}, {shell = true}))
  end)

  describe("file", function()
    it("is the name or path of the executable file to run", function()
      local folder = support.tmpdir()
      local path = support.executable(folder .. "/prog", "#!/bin/sh\necho ran $0\n")
      assert.equal("ran " .. path .. "\n", cp.execFileSync(path))
      assert.equal("ran ./prog\n", cp.execFileSync("./prog", {}, {cwd = folder}))
      local env = {PATH = "/nowhere:" .. folder}
      assert.equal("ran " .. path .. "\n", cp.execFileSync("prog", {env = env}))
    end)

    it("that cannot be run is an Error that is thrown", function()
      local err = failure("does_not_exist", {"a", "b"})
      assert.equal("Error: spawnSync does_not_exist ENOENT", tostring(err))
      assert.equal("does_not_exist", err.path)
      assert.same({"a", "b"}, err.spawnargs)
      assert.equal("EACCES", failure("/").code)
    end)

    it("alone is the command in the message of an Error, where there are no arguments", function()
      assert.equal("Command failed: false (exit code 1)", failure("false").message)
    end)
  end)

  describe("args", function()
    it("is a list of string arguments, which no shell reads", function()
      assert.equal('* > file $HOME a  b " \n',
        cp.execFileSync("echo", {"*", ">", "file", "$HOME", "a  b", '"', ""}))
    end)

    it("may be left out, and so may the options", function()
      assert.equal("\n", cp.execFileSync("echo"))
      assert.equal("a\n", cp.execFileSync("echo", {"a"}))
      assert.equal("/\n", cp.execFileSync("pwd", {cwd = "/"}))
      assert.equal("/\n", cp.execFileSync("sh", {"-c", "pwd"}, {cwd = "/"}))
      assert.equal("/\n", cp.execFileSync("pwd", nil, {cwd = "/"}))
      assert.equal("/\n", cp.execFileSync("pwd", {}, {cwd = "/"}))
    end)

    it("and the options are left as they were given", function()
      local args, options = {"a"}, {shell = true, timeout = 10000}
      cp.execFileSync("echo", args, options)
      assert.same({"a"}, args)
      assert.same({shell = true, timeout = 10000}, options)
    end)
  end)

  describe("options.shell", function()
    it("if true, runs command inside of a shell: '/bin/sh' on Unix", function()
      local options = {shell = true, env = {WORD = "loud", PATH = os.getenv("PATH")}}
      assert.equal("LOUD /BIN/SH\n",
        cp.execFileSync("echo", {"$WORD", "$0", "|", "tr", "a-z", "A-Z"}, options))
      local err = failure("exit", {"4"}, options)
      assert.equal("Command failed: exit 4 (exit code 4)", err.message)
      assert.equal(4, err.status)
    end)

    it("can be a different shell, specified as a string", function()
      assert.equal("sh\n", cp.execFileSync("echo", {"$0"}, {shell = "sh"}))
      local err = failure("echo", {"a"}, {shell = "/does/not/exist"})
      assert.equal("spawnSync /does/not/exist", err.syscall)
      assert.same({"-c", "echo a"}, err.spawnargs)
    end)

    it("is by default false: no shell", function()
      assert.equal("$HOME\n", cp.execFileSync("echo", {"$HOME"}))
      assert.equal("$HOME\n", cp.execFileSync("echo", {"$HOME"}, {shell = false}))
    end)
  end)

  describe("arguments", function()
    local cases = {
      {"ERR_INVALID_ARG_TYPE", nil},
      {"ERR_INVALID_ARG_TYPE", 5},
      {"ERR_INVALID_ARG_VALUE", ""},
      {"ERR_INVALID_ARG_VALUE", "tr\0ue"},
      {"ERR_INVALID_ARG_TYPE", "true", "text"},
      {"ERR_INVALID_ARG_TYPE", "true", 5},
      {"ERR_INVALID_ARG_VALUE", "true", {"a\0b"}},
      {"ERR_INVALID_ARG_TYPE", "true", {{}}},
      {"ERR_INVALID_ARG_TYPE", "true", {shell = 5}},
    }
    for i, case in ipairs(cases) do
      it(("of the wrong kind are raised at once (%d: %s)"):format(i, case[1]), function()
        local err = failure(case[2], case[3])
        assert.equal(case[1], err.code)
        assert.is_nil(err.status)
      end)
    end
  end)
end)
