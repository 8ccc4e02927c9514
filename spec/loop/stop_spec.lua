-- cp.stop() while several events are ready at a time. Each test is a script of its own, since luv
-- once loaded stays.

local cp = require("child_process")
local stopping = require("spec.support.stopping")
local support = require("spec.support")

local probe = cp.spawn(support.lua, {"-e", "require('luv')"}, {stdio = "ignore"})
support.run()
local hasLuv = probe.exitCode == 0

local kinds = {}
for kind in pairs(stopping.kinds) do kinds[#kinds + 1] = kind end
table.sort(kinds)

local function outputOf(fn, kind, before)
  return support.runScript(([[
    %s
    require("spec.support.stopping").%s(%q)
  ]]):format(before or "", fn, kind))
end

describe("cp.stop() in a listener", function()
  for _, kind in ipairs(kinds) do
    it("leaves the other " .. kind .. " for the next run", function()
      assert.equal("1 1 1\n", outputOf("run", kind))
    end)

    it("leaves the other " .. kind .. " for the next run, in luv's loop", function()
      if not hasLuv then pending("luv is not installed") end
      assert.equal("1 1 1\n", outputOf("run", kind, 'require("luv")'))
    end)

    it("in every run does not keep " .. kind .. " from coming", function()
      assert.equal("3\n", outputOf("runBesideTimer", kind))
    end)

    it("in every run does not keep " .. kind .. " from coming, in luv's loop", function()
      if not hasLuv then pending("luv is not installed") end
      assert.equal("3\n", outputOf("runBesideTimer", kind, 'require("luv")'))
    end)
  end

  it("leaves no function of nextTick that the listener has added", function()
    assert.equal("1 2 3\n", support.runScript([[
      local process = require("child_process.process")
      local seen = {}
      local function note(number)
        seen[#seen + 1] = number
        cp.stop()
        if number < 3 then process:nextTick(note, number + 1) end
      end
      require("child_process.timers").setImmediate(note, 1)
      cp.run()
      print(table.concat(seen, " "))
    ]]))
  end)

  it("of luv's leaves what is ready in ours for the next run", function()
    if not hasLuv then pending("luv is not installed") end
    assert.equal("luv\nours\tfalse\n", support.runScript([[
      local uv = require("luv")
      local timer = uv.new_timer()
      local isFirst = true
      require("child_process.timers").setImmediate(function()
        assert(not isFirst)
        io.write("ours")
      end)
      timer:start(0, 0, function()
        timer:close()
        print("luv")
        cp.stop()
      end)
      cp.run()
      isFirst = false
      local alive = cp.run()
      print("", alive)
    ]]))
  end)

  it("ends a single step of luv's loop, too", function()
    if not hasLuv then pending("luv is not installed") end
    for _, mode in ipairs({"once", "nowait"}) do
      assert.equal("1 1 1\tfalse\n", support.runScript(([[
        require("luv")
        local timers = require("child_process.timers")
        local counts, count, alive = {}, 0, nil
        for _ = 1, 3 do
          timers.setImmediate(function()
            count = count + 1
            cp.stop()
          end)
        end
        for step = 1, 3 do
          local before = count
          alive = cp.run(%q)
          counts[step] = count - before
        end
        print(table.concat(counts, " "), alive)
      ]]):format(mode)))
    end
  end)
end)
