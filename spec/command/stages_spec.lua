-- The options of spawn in the stages of a pipeline, in `command.all` and in `command.with`.

local command = require("child_process.command")
local support = require("spec.support")

--- An option, its value, a script and what that prints then.
local OPTIONS = {
  {"argv0", "other", "echo $0", "other"},
  {"cwd", "/usr", "pwd", "/usr"},
  {"env", {GREETING = "hello"}, "echo $GREETING", "hello"},
  {"limits", {nofile = 77}, "ulimit -n", "77"},
  {"nice", 19, "nice", "19"},
  {"terminal", {columns = 44}, "stty size </dev/tty", "24 44"},
  {"umask", "027", "umask", "0027"},
  {"uid", 65534, "id -u", "65534"},
  {"gid", 65534, "id -g", "65534"},
}

local OF_ROOT = {uid = true, gid = true}

describe("The options of spawn", function()
  for _, option in ipairs(OPTIONS) do
    local name, value, script, printed = option[1], option[2], option[3], option[4]
    it(("work wherever commands take options: %s"):format(name), function()
      if OF_ROOT[name] and not support.isRoot then support.skip("only root may change the user") end
      local options = {[name] = value}
      local stage = {"sh", {"-c", script}, options}
      assert.equal(printed, command.pipeline({stage, {"cat"}}).stdout)
      assert.equal(printed, command.pipeline({{"true"}, stage}).stdout)
      assert.equal(printed, command.pipeline({{"sh", {"-c", script}}}, options).stdout)
      assert.equal(printed, command.all({stage})[1].stdout)
      assert.equal(printed, command.all({{"sh", {"-c", script}}}, options)[1].stdout)
      assert.equal(printed, command.with(options).run("sh", {"-c", script}).stdout)
    end)
  end
end)
