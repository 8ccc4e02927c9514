-- The options `input` and `stdio` of exec, execFile and their promises.

local cp = require("child_process")
local support = require("spec.support")

--- The result of a promise once the loop has run to its end, or its error.
local function settled(promise)
  local result, err
  promise:andThen(function(value) result = value end, function(reason) err = reason end)
  support.run()
  return result, err
end

--- Both functions, each running a command line.
local functions = {
  exec = cp.promises.exec,
  execFile = function(command, options)
    return cp.promises.execFile("sh", {"-c", command}, options)
  end,
}

for name, call in pairs(functions) do
  describe(name .. " options.input", function()
    it("is what the child reads from its standard input", function()
      assert.equal("a\nb\n", settled(call("sort", {input = "b\na\n"})).stdout)
      assert.equal("0\n", settled(call("wc -c", {input = ""})).stdout)
    end)

    it("may be longer than a pipe holds, while the output is longer too", function()
      local input = ("0123456789abcdef"):rep(2 ^ 16)
      support.assertSameText(input, settled(call("cat", {input = input, maxBuffer = math.huge}))
        .stdout)
    end)

    it("counts whatever stdio says of the standard input", function()
      for _, entry in ipairs({"ignore", "inherit", "pipe", 0}) do
        assert.equal("x", settled(call("cat", {input = "x", stdio = {entry}})).stdout)
      end
      assert.equal("x", settled(call("cat", {input = "x", stdio = "pipe"})).stdout)
    end)

    it("is text in the encoding that is named", function()
      local result = settled(call("cat", {input = "\195\169", encoding = "latin1"}))
      assert.equal("\195\169", result.stdout)
      assert.equal("2\n", settled(call("wc -c", {input = "c3a9", encoding = "hex"})).stdout
        :gsub("^320a$", "2\n"))
    end)

    it("that the child does not take to its end is not an error", function()
      local input = ("x\n"):rep(2 ^ 20)
      assert.equal("x\n", settled(call("head -n1", {input = input})).stdout)
      assert.equal("", settled(call("exec <&-", {input = input})).stdout)
      local _, err = settled(call("exit 4", {input = input}))
      assert.equal(4, err.code)
    end)

    it("of a program that cannot be started is not an error of its own", function()
      local _, err = settled(call("true", {input = "x", cwd = "/nonexistent"}))
      assert.equal("ENOENT", err.code)
    end)
  end)

  describe(name .. " options.stdio", function()
    it("says where the standard input comes from", function()
      assert.equal("", settled(call("cat", {stdio = {"ignore", "pipe", "pipe"}})).stdout)
      assert.equal("", settled(call("cat", {stdio = {"ignore"}})).stdout)
      local file = assert(io.tmpfile())
      file:write("from a file")
      file:seek("set")
      assert.equal("from a file", settled(call("cat", {stdio = {file}})).stdout)
      file:close()
    end)

    it("may have further descriptors", function()
      local promise = call("echo more >&3", {stdio = {"ignore", nil, nil, "pipe"}})
      local more = support.collect(promise.child.stdio[3])
      settled(promise)
      assert.equal("more\n", more())
    end)

    it("is checked", function()
      assert.equal("ERR_INVALID_ARG_VALUE", support.error(call, "true", {stdio = "x"}).code)
      assert.equal("ERR_INVALID_SYNC_FORK_INPUT", support.error(call, "true", {stdio = {"x"}}).code)
    end)
  end)
end

describe("The output of exec and execFile", function()
  it("is collected whatever stdio says, which is warned of once", function()
    local stdout, stderr = support.runScript([[
      for _, stdio in ipairs({"inherit", {"pipe", "ignore", "inherit"}, {[0] = "pipe", [1] = 1}}) do
        cp.exec("echo out; echo err >&2", {stdio = stdio}, function(err, stdout, stderr)
          print(err, (stdout:gsub("\n", "")), (stderr:gsub("\n", "")))
        end)
      end
      cp.run()
    ]])
    assert.equal(("nil\tout\terr\n"):rep(3), stdout)
    assert.matches("^%(lua%) IgnoredOptionWarning: options.stdio has an entry for descriptor 1, "
      .. "which exec and execFile collect %(use spawn%)\n$", stderr)
  end)
end)
