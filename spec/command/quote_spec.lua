-- command.quote and command.shell: values in command lines.

local command = require("child_process.command")
local cp = require("child_process")
local support = require("spec.support")

local quote, shell = command.quote, command.shell

--- A string of random bytes without NUL. Half of the bytes mean something to a shell.
local SPECIAL = " \t\n\r\"'`$\\!*?[](){}<>|&;#~=%^"

local function randomText()
  local bytes = {}
  for index = 1, math.random(0, 12) do
    local at = math.random(#SPECIAL)
    bytes[index] = math.random(2) == 1 and SPECIAL:sub(at, at) or string.char(math.random(255))
  end
  return table.concat(bytes)
end

describe("command.quote", function()
  it("leaves plain words as they are", function()
    for _, word in ipairs({"a", "a-b_c.d/e:f@g%h,i+j", "-x", "--long", "1.5"}) do
      assert.equal(word, quote(word))
    end
  end)

  it("quotes all others", function()
    assert.equal("''", quote(""))
    assert.equal("'a b'", quote("a b"))
    assert.equal([['it'\''s']], quote("it's"))
    assert.equal("'if'", quote("if"))
    assert.equal("'A=b'", quote("A=b"))
    assert.equal("'~'", quote("~"))
    assert.equal("'\195\169'", quote("\195\169"))
  end)

  it("takes several values, numbers, booleans and lists", function()
    assert.equal("a 'b c' 1 2 1.5 true", quote("a", "b c", 1, 2.0, 1.5, true))
    assert.equal("a 'b c' d", quote({"a", "b c"}, "d"))
    assert.equal("", quote({}))
    assert.equal("1000000000000000", quote(1e15))
  end)

  it("refuses what is no word", function()
    for _, wrong in ipairs({print, {{}}, {print}, 0 / 0}) do
      assert.matches("^ERR_INVALID_ARG", support.error(quote, wrong).code)
    end
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(quote, nil).code)
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(quote, "a", nil).code)
    assert.equal("ERR_INVALID_ARG_VALUE", support.error(quote, "a\0b").code)
  end)

  it("keeps any bytes as they are", function()
    local count = support.isSlow and 1000 or 100000
    math.randomseed(7)
    local left = count
    while left > 0 do
      local words, script = {}, {}
      for index = 1, math.min(left, 5000) do
        words[index] = randomText()
        script[index] = "printf '%s\\0' " .. quote(words[index])
      end
      left = left - #words
      local got = cp.execFileSync("sh", {"-s"}, {
        input = table.concat(script, "\n") .. "\n", maxBuffer = math.huge,
      })
      support.assertSameText(table.concat(words, "\0") .. "\0", got)
    end
  end)

  it("makes the command of a result one that can be typed", function()
    math.randomseed(8)
    for _ = 1, 20 do
      local result = command.run("printf", {"%s\\0", randomText(), randomText(), "if", "A=b"})
      assert.equal(result.stdout, cp.execSync(result.escapedCommand):gsub("\r?\n$", ""))
    end
  end)
end)

describe("command.shell", function()
  it("runs a line in a shell", function()
    local result = shell("echo a b | tr a-z A-Z; exit 0")
    assert.equal("A B", result.stdout)
    assert.equal("echo a b | tr a-z A-Z; exit 0", result.command)
    assert.equal(result.command, result.escapedCommand)
    assert.equal("echo x; exit 4: failed with exit code 4\nx",
      support.error(shell, "echo x; exit 4").message)
  end)

  it("replaces each %s by a value, quoted, and %% by a percent sign", function()
    assert.equal("it's $HOME|a b|c", shell("printf '%%s|' %s %s", "it's $HOME", {"a b", "c"}).stdout
      :gsub("|$", ""))
    assert.equal("100%", shell("echo 100%%").stdout)
    assert.equal("--name=a b", shell("echo --name=%s", "a b").stdout)
    assert.equal("", shell("echo %s", {}).stdout)
  end)

  it("takes options after the values", function()
    assert.equal("/usr", shell("pwd", {cwd = "/usr"}).stdout)
    assert.same({"a b"}, shell("echo %s", "a b", {lines = true}).stdout)
    assert.same({"x", "y"}, shell("printf '%%s\n' %s", {"x", "y"}, {lines = true}).stdout)
    assert.matches("^/", shell("echo $0", {shell = "/bin/sh"}).stdout)
  end)

  it("refuses values where they cannot be quoted", function()
    for format, place in pairs({
      ["echo '%s'"] = "quotes", ['echo "%s"'] = "quotes", ['echo "a \\" %s"'] = "quotes",
      ["echo `ls %s`"] = "backquotes", ["echo a # %s"] = "a comment",
      ["echo $((1 + %s))"] = "an arithmetic expression",
      ["cat <<EOF\n%s\nEOF"] = "a here-document",
    }) do
      local err = support.error(shell, format, "x")
      assert.equal("ERR_INVALID_ARG_VALUE", err.code)
      assert.matches("has a %s inside " .. place, err.message, 1, true)
    end
    assert.matches("after a backslash", support.error(shell, "echo \\%s", "x").message)
  end)

  it("knows where quotes and comments end", function()
    assert.equal("'a b", shell([[echo \'%s]], "a b").stdout)
    assert.equal("it's a b", shell([[echo "it's" %s]], "a b").stdout)
    assert.equal([[\ a b]], shell([[echo '\' %s]], "a b").stdout)
    assert.equal("a#b c d", shell("echo a#b %s # it's", "c d").stdout)
    assert.equal("3 a b", shell("echo $((1 + 2)) %s", "a b").stdout)
    assert.equal("a b", shell("# it's\necho %s", "a b").stdout)
    assert.equal("a b", shell("cat >&2 <<EOF; echo %s\nEOF", "a b").stdout)
    assert.equal("%", shell([[echo \%%]]).stdout)
  end)

  it("refuses what is no format, and counts the values", function()
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(shell).code)
    local err = support.error(shell, "date +%Y")
    assert.matches("a percent sign is written %%", err.message, 1, true)
    assert.equal("ERR_INVALID_ARG_VALUE", support.error(shell, "echo %").code)
    assert.equal("ERR_MISSING_ARGS", support.error(shell, "echo %s").code)
    assert.equal("ERR_MISSING_ARGS", support.error(shell, "echo %s", nil).code)
    assert.equal("ERR_INVALID_ARG_VALUE", support.error(shell, "echo %s", "a", "b").code)
    assert.equal("ERR_INVALID_ARG_VALUE", support.error(shell, "echo %s", "a", {}, {}).code)
  end)
end)
