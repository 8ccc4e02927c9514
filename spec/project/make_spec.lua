-- The Makefile and the scripts behind it, as somebody uses them who has just cloned this.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local lfs = require("lfs")
local process = require("child_process.process")
local support = require("spec.support")

-- Runs make with a folder of its own for what it builds. The make that runs the specs has no part
-- in it. `variables` change its environment; LUA = false removes that.
local function make(arguments, folder, variables)
  local env = support.merge(process.env, variables)
  for _, name in ipairs({"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}) do env[name] = nil end
  if not env.LUA then env.LUA = nil end
  folder = folder or support.tmpdir()
  local args = {"BUILD=" .. folder, "MODULE_DIR=" .. folder, compat.unpack(arguments)}
  return cp.spawnSync("make", args, {env = env, encoding = "utf8"}), folder
end

-- A folder with links to programs, to be the whole PATH: these programs and no others are found.
local function onlyPrograms(names)
  local folder = support.tmpdir()
  for _, name in ipairs(names) do
    local path = cp.execSync("command -v " .. name, {encoding = "utf8"}):match("[^\n]+")
    assert(lfs.link(path, folder .. "/" .. name, true))
  end
  return folder
end

local function has(text, part)
  if not text:find(part, 1, true) then
    error(("%q is not in:\n%s"):format(part, text), 2)
  end
end

describe("make", function()
  for _, target in ipairs({"demo", "test"}) do
    it("passes its job slots on where it sets up first: -j2 " .. target, function()
      -- make runs what it knows to be another make although it is only to print
      local result = make({"-n", "-j2", target})
      assert.equal("", result.stderr)
      assert.equal(0, result.status)
      has(result.stdout, "CC src/core/net/address.c")
    end)
  end

  it("reads no other files in the folder of what it builds than its own", function()
    local folder = support.tmpdir() -- of whole systems, for `make test-bare`
    cp.execFileSync("mkdir", {"-p", folder .. "/bare/root/etc/cron.d", folder .. "/bare/rc0.d"})
    local result = make({"env"}, folder)
    assert.equal("", result.stderr)
    assert.equal(0, result.status)
  end)

  it("refuses a system that it does not know", function()
    local result = make({"build", "SYS=Linux"})
    assert.equal(2, result.status)
    has(result.stderr, 'SYS is "Linux"; it may be linux or posix')
  end)

  local refused = "cannot be run as Lua; it may be Lua 5.1, 5.3, 5.4, 5.5 or LuaJIT, such as lua5.4"

  it("refuses a LUA that cannot be run and whose name tells no version", function()
    for _, name in ipairs({"/none/tarantool", "/none/lua-6.1", "/none/lua5.2", "/none/lua"}) do
      local result = make({"-n", "install", "LUA=" .. name})
      assert.equal(2, result.status)
      assert.equal("", result.stdout)
      has(result.stderr, ('LUA is "%s", which %s'):format(name, refused))
    end
  end)

  it("refuses such a LUA in the environment, too", function()
    local result = make({"-n", "install"}, nil, {LUA = "/none/tarantool"})
    assert.equal(2, result.status)
    has(result.stderr, ('LUA is "/none/tarantool", which %s'):format(refused))
  end)

  it("knows the version of a Lua that cannot be run by its name", function()
    local versions = {
      ["lua5.1"] = "5.1", ["lua5.5"] = "5.5", ["lua-5.3"] = "5.3", ["lua53"] = "5.3",
      ["luajit"] = "5.1",
    }
    for name, version in pairs(versions) do
      local result = make({"-n", "install", "-o", "build", "-o", "static", "LUA=/none/" .. name})
      has(result.stdout, "files into /usr/local/share/lua/" .. version .. '"')
    end
  end)

  it("is for Lua 5.4 where LUA is not given and no Lua is installed", function()
    local command = onlyPrograms({"make", "uname"})
    local result = make({"-n", "install", "-o", "build", "-o", "static"}, nil,
      {LUA = false, PATH = command})
    assert.equal(0, result.status, result.stderr)
    has(result.stdout, 'files into /usr/local/share/lua/5.4"')
  end)

  it("names pkg-config where that is missing", function()
    local result = make({"build", "PKG_CONFIG=/none/pkg-config", "LUA_INCDIR=", "UV_LIBS="})
    assert.equal(2, result.status)
    has(result.stderr, "/none/pkg-config was not found: install pkg-config (or set LUA_INCDIR")
  end)

  -- Installs below a root, or removes that, without building anything. Returns what it printed.
  local function install(target, root, variables)
    local folder = support.tmpdir()
    assert(lfs.mkdir(folder .. "/child_process"))
    support.writeFile(folder .. "/child_process/core.so", "the module")
    support.writeFile(folder .. "/libchild_process.a", "the library")
    local result = make({
      -- "-o": as if it had been built
      target, "-o", "build", "-o", "static", "LUA=" .. support.lua, "DESTDIR=" .. root,
      compat.unpack(variables),
    }, folder)
    assert.equal("", result.stderr)
    return result.stdout
  end

  local version = "/lua/" .. support.luaVersion

  it("installs into PREFIX and removes that again, and says so", function()
    local root = support.tmpdir()
    local share, lib = root .. "/opt/share" .. version, root .. "/opt/lib" .. version

    local stdout = install("install", root, {"PREFIX=/opt"})
    has(stdout, "files into " .. share)
    has(stdout, "child_process/core.so into " .. lib)
    assert.equal("file", lfs.attributes(share .. "/child_process.lua", "mode"))
    assert.equal("the module", support.readFile(lib .. "/child_process/core.so"))
    assert.equal("the library", support.readFile(lib .. "/child_process/libchild_process.a"))
    assert.equal(support.readFile("include/child_process.h"),
      support.readFile(root .. "/opt/include/child_process.h"))
    local pc = support.readFile(root .. "/opt/lib/pkgconfig/child_process.pc")
    has(pc, "\nprefix=/opt\n")
    has(pc, "\nluadir=${prefix}/share" .. version .. "\n")
    has(pc, "\nlibdir=${prefix}/lib" .. version .. "/child_process\n")

    stdout = install("uninstall", root, {"PREFIX=/opt"})
    has(stdout, ("REMOVE child_process from %s and %s"):format(share, lib))
    assert.is_nil(lfs.attributes(share .. "/child_process.lua"))
    assert.is_nil(lfs.attributes(share .. "/child_process"))
    assert.is_nil(lfs.attributes(lib .. "/child_process"))
    assert.is_nil(lfs.attributes(root .. "/opt/include/child_process.h"))
    assert.is_nil(lfs.attributes(root .. "/opt/lib/pkgconfig/child_process.pc"))
  end)

  it("installs into other folders, and leaves there what belongs to another Lua", function()
    local root = support.tmpdir()
    local lib = "/usr/lib/arch"
    local variables = {
      "PREFIX=/usr", "LIBDIR=" .. lib .. version, "PKGCONFIGDIR=" .. lib .. "/pkgconfig",
    }
    install("install", root, variables)
    assert.equal("the module", support.readFile(root .. lib .. version .. "/child_process/core.so"))
    local pc = root .. lib .. "/pkgconfig/child_process"
    has(support.readFile(pc .. ".pc"), "\nlibdir=${prefix}/lib/arch" .. version)

    support.writeFile(pc .. "-other.pc", "of another Lua")
    support.writeFile(pc .. ".pc", "of another Lua")
    install("uninstall", root, variables)
    assert.equal("of another Lua", support.readFile(pc .. ".pc"))
    assert.equal("of another Lua", support.readFile(pc .. "-other.pc"))
    assert.equal("file", lfs.attributes(root .. "/usr/include/child_process.h", "mode"))
    assert.is_nil(lfs.attributes(root .. lib .. version .. "/child_process"))
  end)

  -- What says which Lua it is for, in place of what is installed here.
  local function variablesOf(name, abi)
    return {
      "PREFIX=/opt", "LUA=" .. name, "ABI=" .. abi, "LUA_INCDIR=/none", "lua_package=" .. name,
    }
  end

  it("leaves what Lua 5.1 and LuaJIT share until both are removed", function()
    for _, first in ipairs({1, 2}) do
      local root = support.tmpdir()
      local luas = {variablesOf("lua5.1", "5.1"), variablesOf("luajit", "luajit")}
      install("install", root, luas[1])
      install("install", root, luas[2])
      local module = root .. "/opt/lib/lua/5.1/child_process/"
      local script = root .. "/opt/share/lua/5.1/child_process.lua"

      has(install("uninstall", root, luas[first]), "KEEP child_process in " .. root)
      for _, path in ipairs({module .. "core.so", module .. "libchild_process.a", script}) do
        assert.equal("file", lfs.attributes(path, "mode"))
      end
      has(install("uninstall", root, luas[3 - first]), "REMOVE child_process from " .. root)
      assert.equal("", cp.execFileSync("find", {root, "!", "-type", "d"}, {encoding = "utf8"}))
    end
  end)

  it("removes one of two Luas that share nothing", function()
    local root = support.tmpdir()
    install("install", root, variablesOf("lua5.3", "5.3"))
    install("install", root, variablesOf("lua5.4", "5.4"))
    has(install("uninstall", root, variablesOf("lua5.3", "5.3")), "REMOVE child_process from ")
    assert.is_nil(lfs.attributes(root .. "/opt/lib/lua/5.3/child_process"))
    assert.equal("file", lfs.attributes(root .. "/opt/lib/lua/5.4/child_process/core.so", "mode"))
  end)

  it("installs into a PREFIX with a space, which pkg-config prints as one word", function()
    local root = support.tmpdir()
    install("install", root, {"PREFIX=/opt/my own", "packages="})
    local env = support.merge(process.env, {
      PKG_CONFIG_PATH = root .. "/opt/my own/lib/pkgconfig", PKG_CONFIG_ALLOW_SYSTEM_CFLAGS = "1",
    })
    local function query(option)
      local options = {env = env, encoding = "utf8"}
      return cp.execFileSync("pkg-config", {option, "child_process"}, options)
    end
    has(query("--cflags"), "-I/opt/my\\ own/include")
    has(query("--libs"), "-L/opt/my\\ own/lib" .. version .. "/child_process -lchild_process")
    has(query("--variable=luadir"), "/opt/my own/share" .. version)
    install("uninstall", root, {"PREFIX=/opt/my own"})
    assert.equal("", cp.execFileSync("find", {root, "!", "-type", "d"}, {encoding = "utf8"}))
  end)
end)

describe("make test-5.5", function()
  it("says why it skips the tests, and what to install, where Lua 5.5 cannot be had", function()
    local path = onlyPrograms({"make", "id"})
    local result = cp.spawnSync("/bin/sh", {"scripts/test_version.sh", "5.5"},
      {env = support.merge(process.env, {PATH = path}), encoding = "utf8"})
    assert.equal("", result.stderr)
    assert.equal(0, result.status)
    has(result.stdout, "test-5.5: skipped, there is no lua5.5 here")
    has(result.stdout, "only root")
    has(result.stdout, "Install lua5.5 and liblua5.5-dev")
  end)
end)

describe("The bench", function()
  it("names its rows for one that it does not have", function()
    local result = cp.spawnSync(support.lua, {"bench/run.lua", "1", "no row"}, {encoding = "utf8"})
    assert.equal(2, result.status)
    assert.equal("", result.stdout)
    has(result.stderr, 'no row "no row"; the rows are 1 1t 2 ')
  end)
end)
