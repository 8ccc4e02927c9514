-- Error objects. The texts are those of a current Node, with nil for undefined and Lua's types.

local errors = require("child_process.errors")

local function received(value)
  return errors.invalidArgType("x", "string", value).message:match("Received (.*)$")
end

local function inspected(value)
  return errors.invalidArgValue("x", value).message:match("Received (.*)$")
end

describe("an Error object", function()
  it("is a table with name and message", function()
    for _, name in ipairs({"Error", "TypeError", "RangeError", "AbortError"}) do
      local err = errors[name]("some text")
      assert.equal("table", type(err))
      assert.equal(name, err.name)
      assert.equal("some text", err.message)
    end
    assert.equal("", errors.Error().message)
  end)

  it("takes further fields", function()
    local fields = {cause = "c", killed = false}
    local err = errors.TypeError("text", fields)
    assert.equal("c", err.cause)
    assert.is_false(err.killed)
    assert.same({cause = "c", killed = false}, fields)
    assert.not_equal(fields, err)
  end)

  it("is printed as Node prints it", function()
    assert.equal("Error: boo", tostring(errors.Error("boo")))
    assert.equal("TypeError: boo", tostring(errors.TypeError("boo")))
    assert.equal("Error", tostring(errors.Error("")))
    assert.equal("RangeError [ERR_X]: boo", tostring(errors.RangeError("boo", {code = "ERR_X"})))
    assert.equal("Error: spawn x ENOENT",
      tostring(errors.Error("spawn x ENOENT", {code = "ENOENT"})))
    assert.equal("Error: Command failed", tostring(errors.Error("Command failed", {code = 1})))
  end)

  it("is printed with the message that it has now", function()
    local err = errors.Error("one")
    err.message = "two"
    assert.equal("Error: two", tostring(err))
  end)

  it("comes out of pcall as it was raised", function()
    local err = errors.Error("boo")
    local _, caught = pcall(error, err)
    assert.equal(err, caught)
  end)

  it("is known by isError", function()
    assert.is_true(errors.isError(errors.Error("boo")))
    assert.is_true(errors.isError(errors.ipcOnePipe()))
    assert.is_false(errors.isError("boo"))
    assert.is_false(errors.isError(nil))
    assert.is_false(errors.isError({name = "Error", message = "boo"}))
    assert.is_false(errors.isError(io.stdout))
  end)
end)

describe("an AbortError", function()
  it("has the code ABORT_ERR and a text of its own", function()
    local err = errors.AbortError()
    assert.equal("ABORT_ERR", err.code)
    assert.equal("AbortError: The operation was aborted", tostring(err))
    assert.equal("AbortError: other", tostring(errors.AbortError("other")))
  end)

  it("has the reason as its cause", function()
  end)
end)

describe("a system error", function()
  it("has the name of its errno, the negative number and the call", function()
    for _, errno in ipairs({2, -2}) do
      local err = errors.system(errno, "spawn nope")
      assert.equal("Error: spawn nope ENOENT", tostring(err))
      assert.equal("ENOENT", err.code)
      assert.equal(-2, err.errno)
      assert.equal("spawn nope", err.syscall)
      assert.is_true(errors.isError(err))
    end
    assert.equal("write EPIPE", errors.system(32, "write").message)
  end)

  it("takes further fields", function()
    local args = {"a"}
    local err = errors.system(13, "spawn x", {path = "x", spawnargs = args})
    assert.equal("EACCES", err.code)
    assert.equal("x", err.path)
    assert.equal(args, err.spawnargs)
  end)

  it("says so when nobody has named the errno", function()
    local err = errors.system(9999, "write")
    assert.equal("write Unknown system error -9999", err.message)
    assert.equal("Unknown system error -9999", err.code)
  end)
end)

describe("ERR_INVALID_ARG_TYPE", function()
  it("is a TypeError", function()
    local err = errors.invalidArgType("file", "string", nil)
    assert.equal("TypeError", err.name)
    assert.equal("ERR_INVALID_ARG_TYPE", err.code)
    assert.equal('TypeError [ERR_INVALID_ARG_TYPE]: The "file" argument must be of type string. '
      .. "Received nil", tostring(err))
  end)

  it("calls a name with a dot a property", function()
    assert.equal('The "options.cwd" property must be of type string. Received type number (1)',
      errors.invalidArgType("options.cwd", "string", 1).message)
  end)

  it("lists what is expected", function()
    local function expected(...)
      local message = errors.invalidArgType("x", {...}, nil).message
      return message:match("must be (.*)%. Received nil$")
    end
    assert.equal("of type boolean", expected("boolean"))
    assert.equal("one of type boolean or string", expected("boolean", "string"))
    assert.equal("one of type boolean, string, or table", expected("boolean", "string", "table"))
    assert.equal("an instance of Stream", expected("Stream"))
    assert.equal("of type string or an instance of Buffer or URL",
      expected("string", "Buffer", "URL"))
    assert.equal("int32", expected("int32"))
  end)

  it("describes what was received", function()
    assert.equal("nil", received(nil))
    assert.equal("type boolean (true)", received(true))
    assert.equal("type number (1)", received(1))
    assert.equal("type number (1.5)", received(1.5))
    assert.equal("type number (nan)", received(0 / 0))
    assert.equal("type number (-inf)", received(-math.huge))
    assert.equal("type string ('x')", received("x"))
    assert.equal("a function", received(print))
    assert.equal("a table", received({}))
    assert.equal("a thread", received(coroutine.create(function() end)))
    assert.equal("an instance of Parrot", received(setmetatable({}, {__name = "Parrot"})))
    assert.equal("an instance of Error", received(errors.Error("boo")))
    assert.equal("an instance of FILE*", received(io.stdout))
  end)

  it("shortens a string of more than 28 characters", function()
    assert.equal("type string ('abcdefghijklmnopqrstuvwxyzab')",
      received("abcdefghijklmnopqrstuvwxyzab"))
    assert.equal("type string ('abcdefghijklmnopqrstuvwxy...')",
      received("abcdefghijklmnopqrstuvwxyzabc"))
    assert.equal("type string ('" .. ("é"):rep(28) .. "')", received(("é"):rep(28)))
    assert.equal("type string ('" .. ("é"):rep(25) .. "...')", received(("é"):rep(29)))
    assert.equal("type string ('" .. ("\\xFF"):rep(25) .. "...')", received(("\255"):rep(29)))
  end)
end)

describe("ERR_INVALID_ARG_VALUE", function()
  it("is a TypeError that gives the reason", function()
    local err = errors.invalidArgValue("file", "", "cannot be empty")
    assert.equal("TypeError [ERR_INVALID_ARG_VALUE]: The argument 'file' cannot be empty. "
      .. "Received ''", tostring(err))
    assert.equal("ERR_INVALID_ARG_VALUE", err.code)
    assert.equal("The argument 'stdio' is invalid. Received 'foo'",
      errors.invalidArgValue("stdio", "foo").message)
  end)

  it("calls a name with a dot a property", function()
    assert.equal("The property 'options.cwd' must be a string without null bytes. "
      .. "Received 'x\\x00y'",
      errors.invalidArgValue("options.cwd", "x\0y", "must be a string without null bytes").message)
  end)

  it("quotes strings as Node does", function()
    assert.equal([['a\x00b']], inspected("a\0b"))
    assert.equal([["it's"]], inspected("it's"))
    assert.equal([[`it's "x"`]], inspected([[it's "x"]]))
    assert.equal([['it\'s "x" `y`']], inspected([[it's "x" `y`]]))
    assert.equal([['\n\t\b\f\r\x0B\\\x1B\x7F']], inspected("\n\t\b\f\r\v\\\27\127"))
    assert.equal("'é€😀'", inspected("é€😀"))
    assert.equal([['caf\xE9']], inspected("caf\233"))
  end)

  it("shows other values shortly", function()
    assert.equal("nil", inspected(nil))
    assert.equal("false", inspected(false))
    assert.equal("-1", inspected(-1))
    assert.equal("a table", inspected({}))
    assert.equal("a function", inspected(print))
    assert.equal("Error: boo", inspected(errors.Error("boo")))
  end)

  it("cuts what is longer than 128 characters", function()
    assert.equal("'" .. ("a"):rep(127) .. "...", inspected(("a"):rep(300)))
    assert.equal("'" .. ("a"):rep(126) .. "'", inspected(("a"):rep(126)))
  end)
end)

describe("ERR_OUT_OF_RANGE", function()
  it("is a RangeError that names the range", function()
    local err = errors.outOfRange("timeout", "an unsigned integer", -1)
    assert.equal("RangeError [ERR_OUT_OF_RANGE]: The value of \"timeout\" is out of range. "
      .. "It must be an unsigned integer. Received -1", tostring(err))
    assert.equal("ERR_OUT_OF_RANGE", err.code)
  end)

  it("groups the digits of large integers", function()
    local function shown(value)
      return errors.outOfRange("x", "small", value).message:match("Received (.*)$")
    end
    assert.equal("4294967296", shown(0x100000000))
    assert.equal("4_294_967_297", shown(0x100000001))
    assert.equal("-4294967296", shown(-0x100000000))
    assert.equal("-1_099_511_627_776", shown(-0x10000000000))
    assert.equal("-123_456_789_012", shown(-123456789012))
    assert.equal("9_007_199_254_740_992", shown(0x20000000000000))
    assert.equal("123_456_789_012", shown(123456789012))
    assert.equal("4294967296.5", shown(4294967296.5))
    assert.equal("'1'", shown("1"))
  end)
end)

describe("ERR_UNHANDLED_ERROR", function()
  it("has the value as its context", function()
    local value = setmetatable({}, {__tostring = function() return "own words" end})
    local err = errors.unhandledError(value)
    assert.equal("Error [ERR_UNHANDLED_ERROR]: Unhandled error. (own words)", tostring(err))
    assert.equal(value, err.context)
  end)
end)

describe("ERR_UNKNOWN_SIGNAL", function()
  it("names the signal", function()
    assert.equal("TypeError [ERR_UNKNOWN_SIGNAL]: Unknown signal: SIGFOO",
      tostring(errors.unknownSignal("SIGFOO")))
    assert.equal("Unknown signal: 999", errors.unknownSignal(999).message)
    assert.equal("Unknown signal: a table", errors.unknownSignal({}).message)
  end)
end)

describe("ERR_INVALID_THIS", function()
  it("says that a colon is missing", function()
    assert.equal("TypeError [ERR_INVALID_THIS]: ChildProcess:kill must be called with a colon: "
      .. "object:kill(...), not object.kill(...)",
      tostring(errors.invalidThis("ChildProcess:kill")))
  end)
end)

describe("an error with a code", function()
  -- { constructor, argument, what it prints, code }
  local texts = {
    {"ipcOnePipe", nil, "Error [ERR_IPC_ONE_PIPE]: Child process can have only one IPC pipe"},
    {"streamDestroyed", "write",
      "Error [ERR_STREAM_DESTROYED]: Cannot call write after a stream was destroyed"},
    {"streamNullValues", nil,
      "TypeError [ERR_STREAM_NULL_VALUES]: May not write null values to stream"},
    {"streamWriteAfterEnd", nil, "Error [ERR_STREAM_WRITE_AFTER_END]: write after end"},
  }

  for _, entry in ipairs(texts) do
    local constructor, argument, text = entry[1], entry[2], entry[3]
    it("has Node's text: " .. constructor, function()
      local err = errors[constructor](argument)
      assert.equal(text, tostring(err))
      assert.equal(text:match("%[(.-)%]"), err.code)
      assert.is_true(errors.isError(err))
    end)
  end
end)
