-- Children that run as another user and that we may not signal: which errors say so.

local refusing = require("spec.support.refusing")
local trees = require("spec.support.trees")

-- Calls exec with a timeout that leaves the command the time to become root and to print "ready".
-- The command ends when its standard input does.
local READY = [[
  local function execReady(command, options, callback)
    local function try(timeout)
      options.timeout = timeout
      local child
      child = cp.exec(command, options, function(err, stdout)
        child.stdin:finish()
        if stdout == "ready\n" then
          callback(child, err)
        else
          try(2 * timeout)
        end
      end)
    end
    try(200)
    cp.run()
  end
  local function show(child, text)
    text = text:gsub(tostring(child.pid), "PID"):gsub("after %d+ ms", "after MS ms")
    print((text))
  end
]]

local function run(text) return refusing.run(READY .. text) end

describe("A signal that is refused", function()
  it("is told by the error of exec after a timeout", function()
    assert.equal("timed out after MS ms: kill EPERM: SIGTERM was refused for process PID, which "
      .. "runs as another user\nEPERM\ttrue\n", run([[
        execReady("exec " .. ROOT .. "sh -c 'echo ready; cat'", {}, function(child, err)
          show(child, err.message)
          print(err.code, err.timedOut)
        end)
      ]]))
  end)

  it("is told by the error of exec after more output than maxBuffer", function()
    assert.equal("stdout maxBuffer length exceeded (1 bytes); kill EPERM: SIGTERM was refused for "
      .. "process PID, which runs as another user\n", run([[
        local child
        child = cp.exec("exec " .. ROOT .. "sh -c 'echo much; cat'", {maxBuffer = 1}, function(err)
          show(child, err.message)
          child.stdin:finish()
        end)
        cp.run()
      ]]))
  end)

  it("is told by the error of a promise", function()
    assert.equal("EPERM\ttrue\nready\n", run([[
      local promise
      local function try(timeout)
        local command = "exec " .. ROOT .. "sh -c 'echo ready; cat'"
        promise = cp.promises.exec(command, {timeout = timeout})
        promise:catch(function(err)
          promise.child.stdin:finish()
          if err.stdout == "" then return try(2 * timeout) end
          print(err.code, err.timedOut)
          io.write(err.stdout)
        end)
      end
      try(200)
      cp.run()
    ]]))
  end)

  it("is an 'error' event of spawn after a timeout, with `timedOut`", function()
    assert.equal("kill EPERM: SIGTERM was refused for process PID, which runs as another user\n"
      .. "true\nfalse\n", run([[
        local function try(timeout)
          local child = cp.spawn("sh", {"-c", "exec " .. ROOT .. "sh -c 'echo ready; cat'"},
            {timeout = timeout})
          local isReady
          child.stdout:on("data", function() isReady = true end)
          child:on("error", function(err)
            child.stdin:finish()
            if isReady then
              show(child, err.message)
              print(child.timedOut)
            end
          end)
          child:on("close", function()
            if isReady then print(child.killed) else try(2 * timeout) end
          end)
        end
        try(200)
        cp.run()
      ]]))
  end)

  it("is no error of its own if it is SIGKILL for what a tree has left", function()
    trees.needList()
    assert.equal("Command failed: COMMAND (timed out after MS ms, killed by SIGTERM); SIGKILL was "
      .. "refused for the tree of process PID, whose processes run as another user\n\n"
      .. "true\ttrue\tnil\n", run([[
        local command = ROOT .. "sh -c 'echo ready; sleep 2'; true"
        execReady(command, {tree = true, forceKillAfterDelay = 10}, function(child, err)
          local rest = err.message:sub(#"Command failed: " + #command + 1)
          show(child, "Command failed: COMMAND" .. rest)
          print(err.timedOut, err.killed, err.isForcefullyTerminated)
        end)
      ]]))
  end)

  it("is told by the error of `kill`, which names the tree", function()
    trees.needList()
    assert.equal("kill EPERM: SIGHUP was refused for the tree of process PID, whose processes run "
      .. "as another user\nfalse\n", run([[
        local child = cp.spawn("sh", {"-c", "exec " .. ROOT .. "sh -c 'echo ready; cat'"},
          {tree = true})
        child:on("error", function(err) show(child, err.message) end)
        child.stdout:once("data", function()
          print(child:kill("SIGHUP"))
          child.stdin:finish()
        end)
        cp.run()
      ]]))
  end)
end)

describe("kill(0) of a child that runs as another user", function()
  for _, options in ipairs({"{}", "{tree = true}", "{forceKillAfterDelay = 10}"}) do
    it(("returns true while it runs, with %s"):format(options), function()
      assert.equal("true\nfalse\n", run(([[
        local child = cp.spawn("sh", {"-c", "exec " .. ROOT .. "sh -c 'echo ready; cat'"}, %s)
        child:on("error", function(err) print(err.message) end)
        child.stdout:once("data", function()
          print(child:kill(0))
          child.stdin:finish()
        end)
        child:on("close", function() print(child:kill(0)) end)
        cp.run()
      ]]):format(options)))
    end)
  end
end)
