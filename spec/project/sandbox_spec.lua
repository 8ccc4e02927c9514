-- Programs that remove parts of the standard library, before the module is loaded or after that.

local cp = require("child_process")
local support = require("spec.support")

--- Runs a script in an interpreter of its own. Returns its output.
local function run(text)
  local result = cp.spawnSync(support.lua, {support.script(text)}, {encoding = "utf8"})
  assert.equal("", result.stderr)
  assert.equal(0, result.status)
  return result.stdout
end

--- The text of a script that loads the module without a part, and once more with it.
local function loadingWithout(part)
  return ([[
    local part = %q
    local library, name = part:match("(%%a+)%%.(%%a+)")
    local place = library and _G[library] or _G
    local kept = place[name or part]
    place[name or part] = nil
    for _ = 1, 2 do
      local ok, err = pcall(require, "child_process")
      print(ok, ok or err)
    end
    place[name or part] = kept
    print(pcall(require, "child_process.json"))
    print(require("child_process").execSync("echo works"))
  ]]):format(part)
end

describe("In a sandbox", function()
  for _, part in ipairs({
    "coroutine", "debug", "io", "os", "package", "debug.getinfo", "io.type",
  }) do
    it("without " .. part .. " loading names what is missing, until it is there", function()
      local failure = "false\tchild_process needs parts of Lua's standard library that this "
        .. "program has removed or not opened: " .. part .. "\n"
      local out = run(loadingWithout(part))
      assert.equal(failure .. failure, out:sub(1, 2 * #failure))
      assert.matches("^true\ttable: [^\n]*\nworks\n", out:sub(2 * #failure + 1))
    end)
  end

  it("names all that is missing", function()
    assert.matches("opened: debug, os%.time\n", run([[
      debug, os.time = nil
      print(select(2, pcall(require, "child_process.events")))
    ]]))
  end)

  it("no file looks for a library when that may have been removed", function()
    -- These run before the script does. cp.command is written like a program.
    local EARLY = {["standard.lua"] = true, ["start.lua"] = true, ["launch.lua"] = true}
    local names = {"coroutine", "debug", "io", "os", "package"}
    for path in cp.execFileSync("find", {"lua", "-name", "*.lua"}):gmatch("[^\n]+") do
      local text = support.readFile(path):gsub("%-%-[^\n]*", ""):gsub('"[^"\n]*"', '""')
      local isExempt = EARLY[path:match("[^/]*$")] or path:find("/command", 1, true)
      for _, name in ipairs(isExempt and {} or names) do
        local use = text:find("%f[%w_.]" .. name .. "%.%a")
        local isLocal = text:find("\nlocal [^=\n]*%f[%w]" .. name .. "%f[^%w][^=\n]*= ")
        assert(not use or isLocal, path .. " uses " .. name)
      end
    end
  end)

  it("what is removed after loading is not missed", function()
    local child = support.script([[
      debug, io, os, package, coroutine, newproxy, load = nil
      process:on("message", function(message)
        process:send(message)
        process:disconnect()
      end)
    ]])
    assert.equal("out\nline\nmessage\nENOENT\nERR_INVALID_ARG_TYPE\nsync\n1\n", run(([[
      local cp = require("child_process")
      debug, io, os, package, coroutine, newproxy, load = nil
      cp.async(function()
        local out = cp.promises.exec("echo out; echo more >&2"):await().stdout:gsub("\n", "")
        print(out)
        local env = setmetatable({A = 1}, {__index = {B = 2}})
        local child = cp.spawn("echo", {"line"}, {env = env})
        print(child.stdout:readLine())
        local fork = cp.fork(%q, {}, {serialization = "advanced", execArgv = {}})
        fork:on("message", function(message) print(message.text) end)
        fork:send({text = "message", date = require("child_process.clone").Date()})
        fork:wait("close")
      end)
      cp.run()
      local _, err = pcall(cp.execFileSync, "no-such-program")
      print(err.code)
      _, err = pcall(cp.spawn, {})
      print(err.code)
      print((cp.execSync("echo sync"):gsub("\n", "")))
      require("child_process.timers").setTimeout(function() error({}) end, 1)
      print(select("#", pcall(cp.run)) - 1)
    ]]):format(child)))
  end)
end)
