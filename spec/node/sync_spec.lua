-- The synchronous functions beside those of a real Node: the same calls are made in both languages,
-- and what they return, raise, print and leave in files is compared value by value.
--
-- The cases are written once, and become a script of each language. What they have in common is the
-- form of calls and strings; tables differ. Both scripts have the same helpers, and print one line
-- for each value, and a line with the name of the case before.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local support = require("spec.support")

-- What stands in a script as it is.
local Raw = {}

local function raw(text) return setmetatable({text = text}, Raw) end

--- The same byte again and again.
local function times(character, count)
  return raw(("times(%q, %d)"):format(character, count))
end

--- Bytes that are no text.
local function bytes(text)
  local hex = text:gsub(".", function(c) return ("%02x"):format(c:byte()) end)
  return raw(("bytes(%q)"):format(hex))
end

--- A file of the scripts' working directory, opened for the case.
local function file(name, mode) return raw(("file(%q, %q)"):format(name, mode)) end

local NULL, INFINITY = raw("NULL"), raw("INFINITY")

local everyByte = {}
for byte = 0, 255 do everyByte[#everyByte + 1] = string.char(byte) end
everyByte = table.concat(everyByte)

local pipes = {"pipe", "pipe", "pipe"}

--- A script of sh as arguments.
local function sh(script) return {"-c", script} end

---@class SyncCase
---@field name string
---@field call string the function
---@field arguments table what it is called with
---@field patience? "ready"|"status" the call is made with longer and longer timeouts, until the
---child was fast enough to print "ready", or also to exit by itself
---@field ours? string[] lines that differ from Node's on purpose; those of Node with the same first
---words are left out
---@field lacks? string[] first words of lines that only Node's have

---@type SyncCase[]
local cases = {}

local function case(name, call, ...)
  cases[#cases + 1] = {name = name, call = call, arguments = compat.pack(...)}
end

--- Lines of the last case that differ from Node's on purpose.
local function differs(...) cases[#cases].ours = {...} end

--- First words of lines that only Node has in the last case, on purpose.
local function lacks(...) cases[#cases].lacks = {...} end

--- The last case needs time; its last argument are options.
local function patient(patience) cases[#cases].patience = patience or "ready" end

-- status and signal
for _, code in ipairs({0, 1, 3, 255}) do
  case("exit code " .. code, "spawnSync", "sh", sh("exit " .. code))
  case("exit code " .. code .. ", execSync", "execSync", "exit " .. code)
  case("exit code " .. code .. ", execFileSync", "execFileSync", "sh", sh("exit " .. code))
end
for _, signal in ipairs({"KILL", "TERM", "SEGV"}) do
  local script = "ulimit -c 0; kill -" .. signal .. " $$"
  case("killed by SIG" .. signal, "spawnSync", "sh", sh(script))
  case("killed by SIG" .. signal .. ", execSync", "execSync", script)
end

-- output
case("stdout and stderr", "spawnSync", "sh", sh("echo out; echo err >&2; exit 3"))
case("no output", "spawnSync", "true")
case("every byte as output", "spawnSync", "cat", {}, {input = bytes(everyByte)})
case("large stdout and stderr", "spawnSync", "sh",
  sh("head -c 300000 /dev/zero & head -c 200000 /dev/zero >&2; wait"))
case("another process holds stdout", "spawnSync", "sh", sh("{ sleep 0.1; echo late; } & exit 2"))
case("stdout closed early", "spawnSync", "sh", sh("exec >&- 2>&-; sleep 0.05; exit 2"))

-- input
case("input of 0 bytes", "spawnSync", "cat", {}, {input = ""})
case("input of 1 byte", "spawnSync", "cat", {}, {input = "x"})
case("input of 5 MB", "spawnSync", "cat", {}, {input = times("x", 5000000), maxBuffer = INFINITY})
case("input of 5 MB, counted", "execSync", "wc -c", {input = times("x", 5000000)})
case("input with every byte", "execSync", "od -An -v -tx1", {input = bytes(everyByte)})
case("input that is null", "spawnSync", "cat", {}, {input = NULL})
case("input in the place of 'pipe'", "spawnSync", "cat", {}, {input = "text", stdio = pipes})
-- the documentation says that input overrides stdio[0]; Node has it override a pipe alone
case("input in the place of 'ignore'", "spawnSync", "cat", {},
  {input = "text", stdio = {"ignore", "pipe", "pipe"}})
differs('output[1] "text"')
case("input in the place of a file", "spawnSync", "cat", {},
  {input = "text", stdio = {file("in", "r"), "pipe", "pipe"}})
differs('output[1] "text"')
case("no input", "spawnSync", "cat")
case("input that is not taken", "spawnSync", "sh", sh("exec <&-; echo out; exit 3"),
  {input = times("x", 5000000)})
differs("error none")
lacks("name", "code", "errno", "syscall", "path", "spawnargs", "message")
case("input that is not taken, and a timeout", "spawnSync", "sh",
  sh("exec <&-; echo ready; exec sleep 60"), {timeout = 100, input = times("x", 5000000)})
patient()
case("input that is not taken, and too much output", "spawnSync", "sh",
  sh("exec <&-; sleep 0.05; printf 123456; exec sleep 60"),
  {input = times("x", 5000000), maxBuffer = 5})
differs('output[1] "12345"')
case("input of the wrong type", "spawnSync", "cat", {}, {input = 5})

-- encodings
for _, encoding in ipairs({
  "buffer", "utf8", "utf-8", "UTF8", "latin1", "binary", "ascii", "hex", "base64", "base64url",
  "utf16le", "ucs2", "ucs-2",
}) do
  case("encoding " .. encoding, "spawnSync", "sh",
    sh([[printf 'h\351l\303\274\0'; printf '\377' >&2]]), {encoding = encoding})
end
case("encoding of input, hex", "execSync", "od -An -tx1; echo", {encoding = "hex", input = "6869"})
case("encoding of input, latin1", "execSync", "od -An -tx1",
  {encoding = "latin1", input = "éü"})
case("encoding of input, utf16le", "execSync", "od -An -tx1 | tr -d '\\n'",
  {encoding = "utf16le", input = "aé"})
case("encoding of execSync", "execSync", [[printf 'gr\303\274n']], {encoding = "utf8"})
case("encoding of an error", "execSync", [[printf '\351' >&2; exit 1]],
  {encoding = "latin1", stdio = "pipe"})
case("half a character at the end", "spawnSync", "printf", {[[a\342\202]]}, {encoding = "utf8"})

-- what cannot be started
case("missing command", "spawnSync", "does_not_exist", {"a", "b"})
case("missing command, execFileSync", "execFileSync", "does_not_exist", {"a", "b"})
case("missing command, execSync", "execSync", "does_not_exist", {stdio = "ignore"})
-- Node names the program, whatever is missing; we name what it is
local NO_CWD = [[message "spawnSync %s ENOENT: no such directory '/does/not/exist' (options.cwd)"]]
case("missing cwd", "spawnSync", "true", {"a"}, {cwd = "/does/not/exist"})
differs(NO_CWD:format("true"), 'path "/does/not/exist"')
case("missing cwd, execFileSync", "execFileSync", "true", {}, {cwd = "/does/not/exist"})
differs(NO_CWD:format("true"), 'path "/does/not/exist"')
case("missing cwd, execSync", "execSync", "true", {cwd = "/does/not/exist"})
differs(NO_CWD:format("/bin/sh"), 'path "/does/not/exist"')
case("missing shell", "spawnSync", "echo", {"a", "b"}, {shell = "/does/not/exist"})
case("missing shell, execSync", "execSync", "echo a", {shell = "/does/not/exist"})
case("a file that is no program", "spawnSync", "./in")
differs([[message "spawnSync ./in EACCES: './in' is not executable"]])
case("a folder", "spawnSync", "/")
differs([[message "spawnSync / EACCES: '/' is a directory"]])
case("a path through a file", "spawnSync", "./in/program")

-- timeout
case("timeout", "spawnSync", "sh", sh("echo ready; echo err >&2; exec sleep 60"), {timeout = 100})
patient()
case("timeout, execFileSync", "execFileSync", "sh", sh("echo ready; exec sleep 60"),
  {timeout = 100})
patient()
case("timeout, execSync", "execSync", "echo ready; exec sleep 60", {timeout = 100})
patient()
case("timeout with SIGKILL", "spawnSync", "sh", sh("echo ready; exec sleep 60"),
  {timeout = 100, killSignal = "SIGKILL"})
patient()
case("timeout with a number as signal", "spawnSync", "sh", sh("echo ready; exec sleep 60"),
  {timeout = 100, killSignal = 2})
patient()
case("timeout of a child that ignores SIGTERM", "spawnSync", "sh", sh([[
  trap '' TERM PIPE
  echo ready
  while echo more; do sleep 0.01; done 2>/dev/null
  exit 6
]]), {timeout = 100})
patient()
case("timeout of a child that handles SIGTERM", "spawnSync", "sh", sh([[
  trap 'sleep 0.05; echo x > handled; exit 7' TERM
  echo ready
  while :; do sleep 0.01; done
]]), {timeout = 100})
patient()
case("timeout of a child that handles SIGTERM: it was waited for", "execSync", "cat handled")
case("timeout of a child that writes on", "spawnSync", "sh", sh([[
  trap '' TERM
  echo ready
  while :; do echo more; sleep 0.01; done
]]), {timeout = 100})
patient()
case("timeout while another process holds stdout", "spawnSync", "sh",
  sh("sleep 5 & echo ready; exit 4"), {timeout = 100})
patient("status")
case("timeout while another process holds stderr, execFileSync", "execFileSync", "sh",
  sh("sleep 5 >/dev/null & echo ready; exit 0"), {timeout = 100})
patient("status")
case("timeout that is not reached", "spawnSync", "echo", {"a"}, {timeout = 60000})
case("timeout of 0", "spawnSync", "sh", sh("sleep 0.05; echo a"), {timeout = 0})

-- maxBuffer: Node hands over all that it has read, where the documentation says that output is
-- truncated; ours is
case("maxBuffer on stdout", "spawnSync", "sh", sh("printf 123456; exec sleep 60"), {maxBuffer = 5})
differs('output[1] "12345"')
case("maxBuffer on stderr", "spawnSync", "sh", sh("printf 123456 >&2; exec sleep 60"),
  {maxBuffer = 5})
differs('output[2] "12345"')
case("maxBuffer on a further pipe", "spawnSync", "sh", sh("printf 123456 >&3; exec sleep 60"),
  {maxBuffer = 5, stdio = {"pipe", "pipe", "pipe", "pipe"}})
differs('output[3] "12345"')
case("maxBuffer, execSync", "execSync", "printf 123456; exec sleep 60", {maxBuffer = 5})
differs('output[1] "12345"')
case("maxBuffer on stderr, execSync", "execSync", "printf 123456 >&2; exec sleep 60",
  {maxBuffer = 5, stdio = "pipe"})
differs('output[2] "12345"')
case("maxBuffer, execFileSync", "execFileSync", "sh", sh("printf 123456; exec sleep 60"),
  {maxBuffer = 5, killSignal = "SIGKILL"})
differs('output[1] "12345"')
case("maxBuffer that is reached, not exceeded", "spawnSync", "printf", {"12345"}, {maxBuffer = 5})
case("maxBuffer by default", "spawnSync", "head", {"-c", "1048576", "/dev/zero"})
case("maxBuffer by default, exceeded", "spawnSync", "sh",
  sh("head -c 1048577 /dev/zero; exec sleep 60"))
differs("output[1] 1048576 bytes, sum 0")
case("maxBuffer without end", "spawnSync", "head", {"-c", "3000000", "/dev/zero"},
  {maxBuffer = INFINITY})

-- shell
case("shell", "spawnSync", "echo $0; exit 3", {}, {shell = true})
case("shell with arguments", "spawnSync", "echo", {"a  b", "'c  d'", "|", "tr", "a-z", "A-Z"},
  {shell = true})
case("shell with quoting", "execSync", [[printf '<%s>' "a b" 'c "d"' e\ f "$0" '$0' "it's" '']])
case("shell with lines", "execSync", "echo a\necho b # comment\necho 'c\nd'")
case("shell by name", "execSync", "echo $0", {shell = "sh"})
case("shell = false of execSync", "execSync", "echo $0", {shell = false})
case("shell of execFileSync that fails", "execFileSync", "exit", {"4"}, {shell = true})
case("no shell", "spawnSync", "echo", {"$HOME", "*", ">", "x", "a  b", "", "'"})

-- other options
case("cwd", "spawnSync", "pwd", {}, {cwd = "/usr"})
case("argv0", "spawnSync", "sh", sh("echo $0; exit 1"), {argv0 = "another"})
case("argv0, execFileSync", "execFileSync", "sh", sh("exit 1"), {argv0 = "another"})
case("env", "spawnSync", "/usr/bin/env", {}, {env = {ONE = "1 a"}})
case("detached", "spawnSync", "sh",
  sh("read -r stat < /proc/$$/stat; set -- $stat; [ $1 = $6 ]"), {detached = true})
case("windowsHide", "spawnSync", "echo", {"a b"},
  {windowsHide = true, windowsVerbatimArguments = true})

-- stdio
local talk = sh("read line; echo \"out $line\"; echo err >&2; exit 2")
case("stdio inherited", "spawnSync", "sh", talk, {stdio = "inherit"})
case("stdio inherited as a list", "spawnSync", "sh", talk,
  {stdio = {"inherit", "inherit", "inherit"}})
case("stdio as numbers", "spawnSync", "sh", talk, {stdio = {0, 1, 2}})
case("stdio as numbers the other way round", "spawnSync", "sh", talk, {stdio = {0, 2, 1}})
case("stdio inherited, execSync", "execSync", "echo out; echo err >&2", {stdio = "inherit"})
case("stdio inherited, execFileSync that fails", "execFileSync", "sh", talk, {stdio = "inherit"})
case("stdio ignored", "spawnSync", "sh", talk, {stdio = "ignore"})
case("stdio ignored, execSync that fails", "execSync", "echo out; echo err >&2; exit 1",
  {stdio = "ignore"})
case("stdout ignored", "spawnSync", "sh", talk, {stdio = {"pipe", "ignore", "pipe"}})
case("stdio of files", "spawnSync", "sh", sh("cat; echo err >&2"),
  {stdio = {file("in", "r"), file("out", "w"), file("err", "w")}})
case("stdio of files: what was written", "execSync", "cat out; echo; cat err")
case("stdio of files that are appended to", "execSync", "echo more",
  {stdio = {"pipe", file("out", "a"), "pipe"}})
case("stdio of files: what was appended", "execSync", "cat out")
case("stdio with further pipes", "spawnSync", "sh",
  sh("echo three >&3; echo five >&5; echo one"),
  {stdio = {"pipe", "pipe", "pipe", "pipe", NULL, "pipe"}})
case("stdio with null", "spawnSync", "sh", talk, {stdio = {NULL, NULL, NULL}})
case("stdio with 'ipc'", "spawnSync", "true", {}, {stdio = {"pipe", "pipe", "pipe", "ipc"}})
case("stdio = 'ipc'", "spawnSync", "true", {}, {stdio = "ipc"})
case("stdio = 'nonsense'", "spawnSync", "true", {}, {stdio = "nonsense"})

-- execSync and execFileSync
case("stderr is passed through", "execSync", "echo out; echo err >&2")
case("stderr is passed through from a failure", "execSync", "echo out; echo err >&2; exit 3")
case("stderr is passed through by execFileSync", "execFileSync", "sh", talk)
case("stderr is passed through with a cwd", "execSync", "echo err >&2", {cwd = "/"})
case("stderr is passed through where stdio is null", "execSync", "echo err >&2", {stdio = NULL})
case("stderr is kept with stdio", "execSync", "echo out; echo err >&2; exit 3", {stdio = "pipe"})
case("stderr is kept with a list", "execFileSync", "sh", talk, {stdio = pipes})
case("message of many lines", "execSync", "echo a >&2; printf b >&2; exit 1", {stdio = "pipe"})
case("message without arguments", "execFileSync", "false")
case("message with arguments", "execFileSync", "sh", {"-c", "exit $#", "a", "b  c"},
  {stdio = "pipe"})

-- arguments of the wrong kind
case("no command", "spawnSync", "")
case("a command with a NUL", "execFileSync", "tr\0ue")
case("a number as command", "execSync", 5)
case("a negative timeout", "spawnSync", "true", {}, {timeout = -1})
case("a timeout that is no integer", "spawnSync", "true", {}, {timeout = 1.5})
case("a negative maxBuffer", "execSync", "true", {maxBuffer = -1})
case("an unknown signal", "spawnSync", "true", {}, {killSignal = "SIGNOTHING"})
case("signal 0", "spawnSync", "true", {}, {killSignal = 0})
case("a signal of the wrong type", "spawnSync", "true", {}, {killSignal = true})
case("a cwd of the wrong type", "spawnSync", "true", {}, {cwd = 5})
case("an argument with a NUL", "spawnSync", "true", {"a\0b"})
case("args of the wrong type", "execFileSync", "true", "text")

--- A value as source text, of JavaScript or Lua.
local function literal(value, javascript)
  if type(value) == "string" then
    local escape = javascript and "\\x%02x" or "\\%03d"
    return '"' .. value:gsub('[%c"\\]', function(c) return escape:format(c:byte()) end) .. '"'
  elseif type(value) ~= "table" then
    return tostring(value)
  elseif getmetatable(value) == Raw then
    return value.text
  end
  local parts = {}
  if #value > 0 or next(value) == nil then
    for i, item in ipairs(value) do parts[i] = literal(item, javascript) end
    return (javascript and "[%s]" or "{%s}"):format(table.concat(parts, ", "))
  end
  for key, item in pairs(value) do
    local text = literal(item, javascript)
    parts[#parts + 1] = (javascript and '"%s": %s' or '["%s"] = %s'):format(key, text)
  end
  return "{" .. table.concat(parts, ", ") .. "}"
end

--- The cases as calls of the function `run` of a script.
local function calls(javascript)
  local lines = {}
  for i, entry in ipairs(cases) do
    local words = {literal(entry.name), literal(entry.call), literal(entry.patience or "none")}
    for k = 1, entry.arguments.n do
      words[#words + 1] = literal(entry.arguments[k], javascript)
    end
    lines[i] = ("run(%s);\n"):format(table.concat(words, ", "))
  end
  return table.concat(lines)
end

-- Both scripts show the same of each value. Many lines about a child's patience are shown as one,
-- long text by its length and sum. Errors about arguments name the types of the language, so only
-- their codes are compared.

local javascript = [==[
const cp = require("child_process");
const fs = require("fs");
const NULL = null, INFINITY = Infinity;
let opened = [];

function times(character, count) { return character.repeat(count); }

function bytes(hex) { return Buffer.from(hex, "hex"); }

function file(name, mode) {
  opened.push(fs.openSync(name, mode));
  return opened.at(-1);
}

function write(name, value) { fs.writeSync(1, `${name} ${value}\n`); }

function shown(value) {
  if (value === null || value === undefined) return "none";
  if (typeof value === "number") return String(value);
  const text = Buffer.from(value).toString("latin1").replace(/(more\n)+/g, "more\n");
  if (text.length > 1000) {
    let sum = 0;
    for (let i = 0; i < text.length; i++) sum += text.charCodeAt(i);
    return `${text.length} bytes, sum ${sum}`;
  }
  const hex = (c) => "\\x" + c.charCodeAt(0).toString(16).padStart(2, "0");
  return `"${text.replace(/[^ -~]|["\\]/g, hex)}"`;
}

function showError(err) {
  for (const name of ["name", "code", "errno", "syscall", "path"]) write(name, shown(err[name]));
  if (err.spawnargs) write("spawnargs", err.spawnargs.map(shown).join(" "));
  if (!String(err.code).startsWith("ERR_")) write("message", shown(err.message));
}

function showResult(result) {
  write("pid", result.pid > 0);
  write("status", shown(result.status));
  write("signal", shown(result.signal));
  if (!result.output) write("output", "none");
  (result.output || []).forEach((text, fd) => {
    if (text !== null) write(`output[${fd}]`, shown(text));
  });
  const output = result.output || [];
  write("stdout", result.stdout == output[1] ? "is output[1]" : "differs");
  write("stderr", result.stderr == output[2] ? "is output[2]" : "differs");
}

function attempt(call, args) {
  try {
    return {value: cp[call](...args)};
  } catch (raised) {
    return {raised};
  }
}

function inTime(result, patience) {
  return String(result.stdout).includes("ready") &&
      (patience !== "status" || result.status !== null);
}

function run(name, call, patience, ...args) {
  write("#", name);
  fs.writeSync(2, `# ${name}\n`);
  let {value, raised} = attempt(call, args);
  while (patience !== "none" && !inTime(raised || value, patience)) {
    args.at(-1).timeout *= 2;
    ({value, raised} = attempt(call, args));
  }
  if (raised) {
    write("raised", raised instanceof Error);
    showError(raised);
    if ("pid" in raised) {
      showResult(raised);
      write("error", raised.error === raised ? "itself" : shown(raised.error));
    }
  } else if (call === "spawnSync") {
    showResult(value);
    write("error", value.error instanceof Error ? "there" : shown(value.error));
    if (value.error) showError(value.error);
  } else {
    write("returned", shown(value));
  }
  opened.forEach((fd) => fs.closeSync(fd));
  opened = [];
}

]==]

local lua = [==[
local cp = require("child_process")
local errors = require("child_process.errors")
local NULL, INFINITY = cp.null, math.huge
local opened = {}

-- Node 20 does not warn of arguments for a shell yet.
require("child_process.events").warn = function() end

local function times(character, count) return character:rep(count) end

local function bytes(hex)
  return (hex:gsub("..", function(digits) return string.char(tonumber(digits, 16)) end))
end

local function file(name, mode)
  opened[#opened + 1] = assert(io.open(name, mode))
  return opened[#opened]
end

local function write(name, value) assert(io.write(name, " ", tostring(value), "\n")) end

local function shown(value)
  if value == nil then return "none" end
  if type(value) == "number" then return tostring(value) end
  local text, again = value, nil
  repeat text, again = text:gsub("more\nmore\n", "more\n") until again == 0
  if #text > 1000 then
    local sum = 0
    for i = 1, #text do sum = sum + text:byte(i) end
    return ("%d bytes, sum %d"):format(#text, sum)
  end
  local function hex(c) return ("\\x%02x"):format(c:byte()) end
  return '"' .. text:gsub('["\\]', hex):gsub("[^ -~]", hex) .. '"'
end

local function showError(err)
  for _, name in ipairs({"name", "code", "errno", "syscall", "path"}) do
    write(name, shown(err[name]))
  end
  if err.spawnargs then
    local words = {}
    for i, word in ipairs(err.spawnargs) do words[i] = shown(word) end
    write("spawnargs", table.concat(words, " "))
  end
  if not tostring(err.code):find("^ERR_") then write("message", shown(err.message)) end
end

local function showResult(result)
  write("pid", result.pid > 0)
  write("status", shown(result.status))
  write("signal", shown(result.signal))
  if not result.output then write("output", "none") end
  local output = result.output or {}
  for fd = 0, 9 do
    if output[fd] then write(("output[%d]"):format(fd), shown(output[fd])) end
  end
  write("stdout", result.stdout == output[1] and "is output[1]" or "differs")
  write("stderr", result.stderr == output[2] and "is output[2]" or "differs")
end

local function inTime(result, patience)
  return result.stdout:find("ready", 1, true) and (patience ~= "status" or result.status)
end

local function run(name, call, patience, ...)
  local args = {n = select("#", ...), ...}
  write("#", name)
  io.stdout:flush()
  io.stderr:write("# ", name, "\n")
  local ok, value = pcall(cp[call], ...)
  while patience ~= "none" and not inTime(value, patience) do
    args[args.n].timeout = args[args.n].timeout * 2
    ok, value = pcall(cp[call], ...)
  end
  if not ok then
    write("raised", errors.isError(value))
    showError(value)
    if value.pid then
      showResult(value)
      write("error", value.error == value and "itself" or shown(value.error))
    end
  elseif call == "spawnSync" then
    showResult(value)
    write("error", errors.isError(value.error) and "there" or shown(value.error))
    if value.error then showError(value.error) end
  else
    write("returned", shown(value))
  end
  for _, handle in ipairs(opened) do handle:close() end
  opened = {}
end

]==]

--- Starts a script with files as its standard streams, in a folder of its own.
---@return fun(): table<string, string[]> # the lines that it has written, by the names of the cases
local function start(interpreter, text)
  local folder = support.tmpdir()
  local function open(name, mode, content)
    local handle = assert(io.open(folder .. "/" .. name, mode))
    if content then handle:write(content) end
    return handle
  end
  local function read(name)
    return support.readFile(folder .. "/" .. name)
  end
  open("script", "w", text):close()
  open("in", "w", ("one\ntwo\nthree\nfour\n"):rep(3)):close()
  local stdio = {open("in", "r"), open("stdout", "w"), open("stderr", "w")}
  local child = cp.spawn("env", {"NODE_NO_WARNINGS=1", "LC_ALL=C", interpreter, "script"}, {
    cwd = folder, stdio = stdio,
  })
  for _, handle in ipairs(stdio) do handle:close() end

  return function()
    if child.exitCode ~= 0 then
      error(("the script of %s has failed:\n%s"):format(interpreter, read("stderr"):sub(-1000)), 0)
    end
    local parts = {}
    for _, name in ipairs({"stdout", "stderr"}) do
      local current
      for line in (read(name) .. "\n"):gmatch("([^\n]*)\n") do
        local title = line:match("^# (.*)")
        if title then
          current = title
          parts[current] = parts[current] or {}
        elseif current then
          table.insert(parts[current], name == "stderr" and "stderr: " .. line or line)
        end
      end
    end
    return parts
  end
end

local function firstWord(line) return line:match("^%S*") end

--- The lines without those that start with the same words as `others`.
local function without(lines, others)
  local left, words = {}, {}
  for _, line in ipairs(others) do words[firstWord(line)] = true end
  for _, line in ipairs(lines) do
    if not words[firstWord(line)] then left[#left + 1] = line end
  end
  return left
end

-- What our messages say in addition.
local additions = {
  " %(exit code %d+%)", " %(killed by %w+%)", ": timed out after %d+ ms %(options.timeout%)",
  ": [%w%[%]]+ is longer than %d+ bytes %(options.maxBuffer%)",
}

--- The lines, each with Node's text of a message.
local function asInNode(lines)
  local list = {}
  for index, line in ipairs(lines) do
    if line:find("^message ") then
      for _, addition in ipairs(additions) do line = line:gsub(addition, "") end
    end
    list[index] = line
  end
  return list
end

describe("The synchronous functions do what those of Node do:", function()
  local ours, nodes

  setup(function()
    if not support.hasNode() then return end
    local ourOutput = start(support.lua, lua .. calls(false))
    local nodesOutput = start("node", javascript .. calls(true))
    support.run(120)
    ours, nodes = ourOutput(), nodesOutput()
  end)

  for _, entry in ipairs(cases) do
    it(entry.name, function()
      if not nodes then pending("Node 20 is not installed") end
      local mine, theirs = ours[entry.name], nodes[entry.name]
      for _, line in ipairs(entry.ours or {}) do
        local found
        for _, other in ipairs(mine) do found = found or other == line end
        assert.is_true(found, ("expected %s among:\n%s"):format(line, table.concat(mine, "\n")))
      end
      mine = asInNode(without(mine, entry.ours or {}))
      theirs = without(without(theirs, entry.ours or {}), entry.lacks or {})
      assert.is_true(#theirs > 0)
      assert.equal(table.concat(theirs, "\n"), table.concat(mine, "\n"))
    end)
  end
end)
