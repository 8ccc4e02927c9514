-- Loading a C module that was built for another Lua.

local cp = require("child_process")
local support = require("spec.support")

describe("A C module for another Lua", function()
  local folder

  setup(function()
    folder = os.tmpname()
    os.remove(folder)
    cp.execFileSync("sh", {"-ec", [[
      mkdir -p "$1/child_process"
      echo "int lua_ofAnother(void *); int luaopen_child_process_core(void *L)
        { return lua_ofAnother(L); }" >"$1/core.c"
      "${CC:-cc}" -shared -fPIC -o "$1/child_process/core.so" "$1/core.c"
    ]], "sh", folder})
  end)

  teardown(function() cp.execFileSync("rm", {"-rf", folder}) end)

  it("is refused with the way to build one for this Lua, as often as it is tried", function()
    local result = cp.spawnSync(support.lua, {support.script(([[
      package.cpath = %q
      for _, name in ipairs({"", ".json", ".encoding", ".errors", ".net"}) do
        for _ = 1, 2 do print(select(2, pcall(require, "child_process" .. name))) end
      end
    ]]):format(folder .. "/?.so"))}, {encoding = "utf8"})
    assert.equal("", result.stderr)
    local name = rawget(_G, "jit") and "luajit" or _VERSION:lower():gsub(" ", "")
    local _, count = result.stdout:gsub("lua_ofAnother[^\n]*\n\tIt was built for another Lua. "
      .. "This is [^\n]*: build the module for it with make install LUA=" .. name .. "\n", "")
    assert.equal(10, count, result.stdout)
  end)
end)
