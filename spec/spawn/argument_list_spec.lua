-- What a list of arguments may hold, in all functions that take one.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local support = require("spec.support")

--- The functions, each as one that returns the lines that `printf "%s\n"` makes of the arguments.
local functions = {
  spawnSync = function(args, options)
    return cp.spawnSync("printf", args, options).stdout
  end,
  execFileSync = function(args, options)
    return cp.execFileSync("printf", args, options)
  end,
  spawn = function(args, options)
    return (support.output(cp.spawn("printf", args, options)))
  end,
  execFile = function(args, options)
    return cp.promises.execFile("printf", args, options):await().stdout
  end,
}

local script = 'for _, value in ipairs({select(2, ...)}) do io.write(value, "\\n") end'

function functions.fork(args, options)
  options = support.merge(options, {silent = true})
  return (support.output(cp.fork(support.script(script), args, options)))
end

for name, linesOf in pairs(functions) do
  describe("the arguments of " .. name, function()
    it("may be numbers and booleans", function()
      assert.equal("1\n2\n0.5\n-3\ntrue\nfalse\nx\n",
        linesOf({"%s\n", 1, 2.0, 0.5, -3, true, false, "x"}))
    end)

    it("are numbers as tostring writes them, without the end of a float that is an integer",
      function()
        local largest = support.hasIntegers and "9223372036854775807" or "9007199254740992"
        assert.equal(("9007199254740992\n1e+100\n0\n%s\ninf\n"):format(largest),
          linesOf({"%s\n", 2 ^ 53, 1e100, -0.0, compat.maxInteger, math.huge}))
        assert.equal("1152921504606846976\n-1152921504606846976\n",
          linesOf({"%s\n", 2 ^ 60, -2 ^ 60}))
      end)

    it("may come from table.pack", function()
      assert.equal("a\nb\n", linesOf(compat.pack("%s\n", "a", "b")))
      assert.equal("a\nb\n", linesOf(compat.pack("%s\n", "a", "b"), {cwd = "/"}))
    end)

    it("are not taken with a hole, nor nan", function()
      for _, case in ipairs({
        {{"%s\n", nil, "b"}, "args[2]"}, {compat.pack("%s\n", "a", nil), "args[3]"},
        {{n = 1}, "args[1]"}, {{"%s\n", 0 / 0}, "args[2]"},
      }) do
        local err = support.error(linesOf, case[1], {})
        assert.matches("^ERR_INVALID_ARG_", err.code)
        assert.matches(case[2], err.message, 1, true)
      end
    end)

    it("are not taken in one table with options", function()
      for _, args in ipairs({{"a", cwd = "/"}, {"a", n = "x"}, {"a", [0] = "b"}, {[1.5] = "b"}}) do
        local err = support.error(linesOf, args)
        assert.equal("ERR_INVALID_ARG_VALUE", err.code)
        assert.matches("arguments are a list, and options a table of their own", err.message, 1,
          true)
        assert.equal("ERR_INVALID_ARG_VALUE", support.error(linesOf, args, {}).code)
      end
    end)

    it("may be a list that is empty itself and has its entries by metamethods", function()
      local behind = {"%s\n", "a", "b"}
      local args = setmetatable({}, {__index = behind, __len = function() return #behind end})
      assert.equal("a\nb\n", linesOf(args))
      assert.equal("a\nb\n", linesOf(args, {}))
      assert.equal("\n", cp.execFileSync("echo", setmetatable({}, {__index = table})))
    end)

    it("are left as they were given", function()
      local args = compat.pack("%s\n", 1, 2.0, true)
      linesOf(args)
      assert.same({"%s\n", 1, 2.0, true, n = 4}, args)
      if support.hasIntegers then assert.equal("float", compat.mathType(args[3])) end
    end)
  end)
end

describe("numbers and booleans among arguments", function()
  it("are written in the same way for a shell and in errors", function()
    assert.equal("1 2 true\n", cp.execFileSync("echo", {1, 2.0, true}, {shell = true}))
    assert.equal("1 2 true\n", cp.promises.execFile("echo", {1, 2.0, true}, {shell = true})
      :await().stdout)
    local err = support.error(cp.execFileSync, "false", {1, 2.0, true})
    assert.matches("Command failed: false 1 2 true ", err.message, 1, true)
    local promise = cp.promises.execFile("false", {1, 2.0, true})
    assert.equal("false 1 2 true", support.error(promise.await, promise).cmd)
  end)

  it("may be flags of a forked interpreter", function()
    local child = cp.fork(support.script("print(arg[-1])"), {
      silent = true, execPath = "sh", execArgv = compat.pack("-c", 'echo "$0 $1"', 7.0, true),
    })
    local path = support.output(child)
    assert.equal("7 true\n", path)
  end)
end)

describe("options", function()
  it("are refused where they have positions", function()
    for _, call in ipairs({cp.spawn, cp.execFile, cp.spawnSync}) do
      local err = support.error(call, "true", {}, {"-l"})
      assert.equal("ERR_INVALID_ARG_VALUE", err.code)
      assert.matches("'options'", err.message, 1, true)
    end
    assert.equal("ERR_INVALID_ARG_VALUE", support.error(cp.exec, "true", {"-l"}).code)
    assert.equal("ERR_INVALID_ARG_VALUE", support.error(cp.execSync, "true", {"-l"}).code)
  end)

  it("may inherit from others", function()
    local defaults = {cwd = "/", encoding = "hex"}
    local options = setmetatable({encoding = "utf8"}, {__index = defaults})
    assert.equal("/\n", cp.execSync("pwd", options))
    assert.equal("/\n", cp.execFileSync("pwd", options))
    assert.equal("/\n", cp.spawnSync("pwd", {}, options).stdout)
    assert.equal("/\n", cp.promises.exec("pwd", options):await().stdout)
    local inherited = setmetatable({}, {__index = defaults})
    assert.equal("2f0a", cp.execSync("pwd", inherited))
    assert.equal("2f0a", cp.execFileSync("pwd", inherited))
    assert.equal("2f0a", cp.promises.execFile("pwd", inherited):await().stdout)
  end)
end)
