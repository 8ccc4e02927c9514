-- examples/hosts/with_neovim.lua, and scripts like it, in a real Neovim.

local hosts = require("spec.support.hosts")
local lfs = require("lfs")
local process = require("child_process.process")
local support = require("spec.support")

-- What the scripts begin with. `finally` runs Neovim's loop until the condition holds.
local START = ([[
  vim.cmd("luafile %s/examples/hosts/with_neovim.lua")
  local cp = require("child_process")
  local function finally(condition) assert(vim.wait(60000, condition, 5)) end
  local function lines() return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "|") end
]]):format(lfs.currentdir())

describe("Neovim", function()
  --- Runs a script in Neovim, which ends afterwards.
  ---@param script string Lua code, after START
  ---@return string # what it has written, messages included
  local function neovim(script)
    hosts.need("nvim", "lua5.1")
    local folder = support.tmpdir()
    support.writeFile(folder .. "/script.lua", START .. script)
    local host = hosts.start("nvim", {
      "--headless", "--clean", "-c", "luafile " .. folder .. "/script.lua", "-c", "qa!",
    }, {env = hosts.environment("5.1", {HOME = folder})})
    assert.equal(0, (host:wait()), host.log)
    return (host.log:gsub("\r", ""))
  end

  after_each(hosts.stop)

  it("runs a command whose lines appear in a new window", function()
    assert.equal("a|b|[ended with 3]|", neovim([[
      vim.cmd("Run echo a; echo b >&2; exit 3")
      finally(function() return lines():find("ended", 1, true) end)
      io.write(lines())
    ]]))
  end)

  it("shows the lines while the command runs, and twenty commands at once", function()
    local folder = support.tmpdir()
    assert.equal("20", neovim(([[
      local buffers = {}
      for index = 1, 20 do
        vim.cmd("Run touch %s/" .. index
          .. "; while [ $(ls %s | wc -l) -lt 20 ]; do sleep 0.01; done; echo all; sleep 60")
        buffers[index] = vim.api.nvim_get_current_buf()
        vim.cmd("hide")
      end
      local function count()
        local found = 0
        for _, buffer in ipairs(buffers) do
          local text = vim.api.nvim_buf_get_lines(buffer, 0, 1, false)[1]
          found = found + (text == "all" and 1 or 0)
        end
        return found
      end
      finally(function() return count() == 20 end)
      io.write(count())
    ]]):format(folder, folder)))
  end)

  it("has cp.system as later versions have vim.system", function()
    assert.equal("2 0 x\n scheduled y\n", neovim([[
      local completed = cp.system({"sh", "-c", "echo x; exit 2"}, {text = true}):wait()
      io.write(table.concat({completed.code, completed.signal, completed.stdout}, " "))
      local done = false
      cp.system({"cat"}, {stdin = {"y"}}, vim.schedule_wrap(function(obj)
        vim.api.nvim_buf_set_lines(0, 0, -1, false, {"scheduled " .. obj.stdout:gsub("\n", "")})
        done = true
      end))
      finally(function() return done end)
      io.write(" ", lines(), "\n")
    ]]))
  end)

  it("shows the error of a listener with its line first, and goes on", function()
    local log = neovim([[
      local closed
      cp.spawn("true")
        :on("exit", function() error("from a listener") end)
        :on("close", function() closed = true end)
      finally(function() return closed end)
      io.write("closed")
    ]])
    assert.matches("Error executing luv callback:\n[^\n]*/script.lua:7: from a listener\n"
      .. "stack traceback:\n%s*[^\n]*/script.lua:7: in ", log)
    assert.matches("closed$", log)
  end)

  it("shows errors that are objects", function()
    local log = neovim([[
      local promise = cp.promises.exec("exit 3")
      local child = cp.spawn("no-such-program")
      finally(function() return child.exitCode end)
      cp.spawn("true"):wait("close")
    ]])
    assert.matches("script.lua:6: Error: spawn no%-such%-program ENOENT\n", log)
    assert.matches("script.lua:5: Error: Command failed: exit 3 %(exit code 3%)\n", log)
  end)

  it("refuses functions of its API in listeners, and waiting", function()
    local log = neovim([[
      local closed
      cp.spawn("true"):on("exit", function() lines() end)
      cp.spawn("true"):on("exit", function()
        local _, err = pcall(cp.system({"true"}).wait, cp.system({"true"}))
        io.write(err.code)
      end):on("close", function() closed = true end)
      finally(function() return closed end)
    ]])
    assert.matches("E5560: ", log)
    assert.matches("ERR_WAIT_IN_CALLBACK", log)
  end)

  it("refuses waiting in callbacks of its loop, and not in scheduled functions", function()
    assert.equal("ERR_WAIT_IN_CALLBACK ERR_WAIT_IN_CALLBACK 0", neovim([[
      local seen = {}
      local function try()
        local _, result = pcall(function() return cp.system({"true"}):wait() end)
        seen[#seen + 1] = type(result) == "table" and result.code or tostring(result)
      end
      local timer = vim.loop.new_timer()
      timer:start(1, 0, function()
        timer:close()
        try()
        vim.loop.fs_stat("/", function()
          try()
          vim.schedule(try)
        end)
      end)
      finally(function() return #seen == 3 end)
      io.write(table.concat(seen, " "))
    ]]))
  end)

  it("returns from run when nothing of ours is alive", function()
    assert.equal("false 3 false false in run", neovim([[
      local code
      cp.spawn("sh", {"-c", "exit 3"}):on("exit", function(status) code = status end)
      io.write(tostring(cp.run()), " ", code, " ")
      io.write(tostring(cp.run()), " ", tostring(cp.run("once")), " ")
      cp.spawn("true"):on("exit", function() error("in run", 0) end)
      io.write(select(2, pcall(cp.run)))
      cp.run()
    ]]))
  end)

  it("goes on waiting for what one of its handles brings", function()
    assert.equal("stat", neovim([[
      local promise, resolve = require("child_process.promise").withResolvers()
      vim.loop.fs_stat("/", function() resolve("stat") end)
      io.write(promise:await())
    ]]))
  end)

  it("shows the error of a listener during a wait, which goes on", function()
    local log = neovim([[
      local waited = cp.spawn("cat")
      cp.spawn("true"):on("exit", function()
        waited.stdin:finish()
        error("from a listener")
      end)
      io.write("code ", waited:wait("close"), "\n")
    ]])
    assert.matches("code 0\n", log)
    assert.matches("Error executing luv callback:\n[^\n]*/script.lua:8: from a listener\n", log)
  end)

  it("ends the commands of the example when it ends", function()
    local pid = neovim([[
      vim.cmd("Run echo $$; exec sleep 60")
      finally(function() return lines():find("%d") end)
      io.write(lines())
    ]]):match("%d+")
    hosts.runUntil(function() return not lfs.attributes("/proc/" .. pid) end)
  end)

  it("ends although a child runs, which goes on without us", function()
    local pid = neovim([[io.write(cp.spawn("sleep", {"60"}).pid)]])
    assert.is_true(process:kill(tonumber(pid), "SIGTERM"))
  end)
end)
