-- uid, gid and groups by id and by name, and noNewPrivileges: who a child is.

local cp = require("child_process")
local support = require("spec.support")

local refuse = support.refuseOptions

--- The fields of a line of a database: "root:x:0:0:...".
local function entry(path, pattern)
  for line in io.lines(path) do
    if line:match(pattern) then return line end
  end
end

--- A user other than root, whom every system has.
---@return string name
---@return integer uid
local function someUser()
  local line = entry("/etc/passwd", "^nobody:") or entry("/etc/passwd", "^[^:]+:[^:]*:[1-9]")
  if not line then pending("there is no other user") end
  local name, uid = line:match("^([^:]+):[^:]*:(%d+)")
  return name, tonumber(uid) --[[@as integer]]
end

--- A group other than root's.
---@return string name
---@return integer gid
local function someGroup()
  local line = entry("/etc/group", "^[^:]+:[^:]*:[1-9]")
  if not line then pending("there is no other group") end
  local name, gid = line:match("^([^:]+):[^:]*:(%d+)")
  return name, tonumber(gid) --[[@as integer]]
end

--- What `id` prints of a child.
local function id(flag, options)
  local result = cp.spawnSync("id", {flag}, options)
  support.assertSucceeded(result)
  return (result.stdout:gsub("\n$", ""))
end

describe("options.uid and options.gid", function()
  it("may be names", function()
    support.needRoot()
    local user, uid = someUser()
    local group, gid = someGroup()
    assert.equal(tostring(uid), id("-u", {uid = user, gid = group}))
    assert.equal(tostring(gid), id("-g", {uid = user, gid = group}))
    local child = cp.spawn("id", {"-u"}, {uid = user})
    assert.equal(uid .. "\n", (support.output(child)))
  end)

  it("may be our own names, for everybody", function()
    local own = cp.execFileSync("id", {"-un"}):match("%S+")
    assert.equal(own, id("-un", {uid = own}))
  end)

  it("are named with the value by the error of a lookup that fails", function()
    for _, case in ipairs({
      {'{uid = "nobody"}', "getpwnam", "options.uid is 'nobody'", "users"},
      {'{gid = "nogroup"}', "getgrnam", "options.gid is 'nogroup'", "groups"},
      {'{groups = {0, "nogroup"}}', "getgrnam", "options.groups[2] is 'nogroup'", "groups"},
    }) do
      local message = support.runScript(([[
        require("child_process.spawn.ids")
        local files, file = {}, nil
        repeat
          file = io.open("/dev/null")
          files[#files + 1] = file
        until not file
        local _, err = pcall(cp.spawnSync, "true", {}, %s)
        files[1]:close()
        print(err.message)
      ]]):format(case[1]), "ulimit -n 40")
      local expected = "%s EMFILE: %s, and the %s of this system cannot be looked up\n"
      assert.equal(expected:format(case[2], case[3], case[4]), message)
    end
  end)

  it("raise at once for an unknown name", function()
    refuse("ERR_INVALID_ARG_VALUE", "The property 'options.uid' is not the name of a user",
      {uid = "no such user"})
    refuse("ERR_INVALID_ARG_VALUE", "The property 'options.gid' is not the name of a group",
      {gid = "no such group"})
    refuse("ERR_INVALID_ARG_VALUE", "an id is a number, not a string", {uid = "4711"})
    refuse("ERR_INVALID_ARG_VALUE", "null bytes", {uid = "root\0"})
  end)

  it("are numbers that an id can have, or strings", function()
    for _, name in ipairs({"uid", "gid"}) do
      refuse("ERR_INVALID_ARG_TYPE", ('"options.%s" property must be of type string or int32')
        :format(name), {[name] = true})
      refuse("ERR_OUT_OF_RANGE", "options." .. name, {[name] = -1})
      refuse("ERR_OUT_OF_RANGE", "options." .. name, {[name] = 2 ^ 31})
      refuse("ERR_OUT_OF_RANGE", "options." .. name, {[name] = 0.5})
    end
  end)
end)

describe("options.groups", function()
  --- The supplementary groups of a child, as the kernel lists them.
  local function groups(options)
    local result = cp.spawnSync("cat", {"/proc/self/status"}, options)
    support.assertSucceeded(result)
    local list = {}
    for group in result.stdout:match("Groups:([^\n]*)"):gmatch("%d+") do
      list[#list + 1] = tonumber(group)
    end
    return list
  end

  it("are the supplementary groups of the child, by id and by name", function()
    support.needRoot()
    local name, gid = someGroup()
    assert.same({4, 27}, groups({groups = {27, 4}}))
    assert.same({gid}, groups({groups = {name}}))
    assert.same({4, 27}, groups({groups = {4, 27}, uid = 65534, gid = 65534}))
    assert.equal("65534", id("-u", {groups = {4, 27}, uid = 65534, gid = 65534}))
  end)

  it("may be many", function()
    support.needRoot()
    local many = {}
    for n = 1, 1000 do many[n] = 1000 + n end
    assert.same(many, groups({groups = many}))
  end)

  it("may be none", function()
    support.needRoot()
    assert.same({}, groups({groups = {}}))
    assert.same({}, groups({groups = {}, uid = 65534}))
  end)

  it("emit \"error\" for who may not set them", function()
    local script = support.script([[
      local cp = require("child_process")
      local result = cp.spawnSync("true", {}, {groups = {4, 27}})
      print(result.error, result.error.code, result.error.syscall)
      cp.spawn("true", {}, {groups = {4, 27}}):on("error", print)
      cp.run()
      print(cp.spawnSync("true", {}, {groups = {}}).status)
    ]])
    local options = support.isRoot and {uid = 65534, gid = 65534} or nil
    local message = "%s true EPERM: cannot set the supplementary groups to {4, 27} (options.groups)"
    local text = cp.execFileSync(support.lua, {script}, options)
    local expected = ("Error: %s\tEPERM\tsetgroups\nError: %s\n"):format(
      message:format("spawnSync"), message:format("spawn"))
    assert.equal(expected, text:sub(1, #expected))
    if support.isRoot then assert.equal("0\n", text:sub(#expected + 1)) end
  end)

  it("must be a list of ids and names", function()
    refuse("ERR_INVALID_ARG_TYPE", "options.groups", {groups = "audio"})
    refuse("ERR_INVALID_ARG_VALUE", "options.groups", {groups = {audio = true}})
    refuse("ERR_INVALID_ARG_TYPE", "options.groups[1]", {groups = {true}})
    refuse("ERR_INVALID_ARG_TYPE", "options.groups[1]", {groups = {nil, 4}})
    refuse("ERR_INVALID_ARG_VALUE", "options.groups[2]", {groups = {4, "no such group"}})
    refuse("ERR_OUT_OF_RANGE", "options.groups[1]", {groups = {-1}})
  end)
end)

describe("options.noNewPrivileges", function()
  local function flag(options)
    local result = cp.spawnSync("cat", {"/proc/self/status"}, options)
    return result.stdout and result.stdout:match("NoNewPrivs:%s*(%d)"), result.error
  end

  it("refuses rights by set-user-id bits to the child", function()
    local set, err = flag({noNewPrivileges = true})
    if support.forLinux then
      assert.equal("1", set)
    else
      assert.equal("spawnSync cat ENOTSUP: this system cannot refuse new privileges "
        .. "(options.noNewPrivileges)", err.message)
      assert.equal("prctl", err.syscall)
    end
  end)

  it("does not touch the parent, or other children", function()
    local before = flag()
    flag({noNewPrivileges = true})
    assert.equal(before, flag())
    assert.equal(before, flag({noNewPrivileges = false}))
  end)

  it("keeps a program from another user's rights", function()
    support.needRoot()
    if not support.forLinux then pending("the build for POSIX cannot do that") end
    local path = support.tmpdir() .. "/id"
    assert(os.execute(("cp \"$(command -v id)\" '%s' && chmod 4755 '%s' && chmod 755 '%s'")
      :format(path, path, path:match("^(.*)/"))))
    local options = {uid = 65534, gid = 65534}
    if cp.spawnSync(path, {"-u"}, options).stdout ~= "0\n" then
      pending("the file system ignores set-user-id bits")
    end
    options.noNewPrivileges = true
    assert.equal("65534\n", cp.spawnSync(path, {"-u"}, options).stdout)
  end)

  it("must be a boolean", function()
    refuse("ERR_INVALID_ARG_TYPE", "options.noNewPrivileges", {noNewPrivileges = 1})
  end)
end)
