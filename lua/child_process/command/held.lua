--- Outputs that other processes hold after the end of a command: options.waitDelay.

local options = require("child_process.command.options")
local timers = require("child_process.timers")

---@class child_process.command.held
local held = {}

-- Notes which outputs have not ended when the time has passed.
local function note(run)
  local names = {}
  for _, name in ipairs({"stdout", "stderr"}) do
    local output = run.outputs[name]
    names[#names + 1] = output and not output:isFinished() and name or nil
  end
  run.fields.held = names[1] and names
end

-- Milliseconds; nil without a limit.
local function delayOf(run)
  local delay = run.options.waitDelay
  return options.given(delay) and delay ~= math.huge and delay or nil
end

--- Prepares for the end of the command. Spawn cuts outputs that are held; this only notes which.
---@param run Run
function held.watch(run)
  if delayOf(run) then
    run.child:on("exit", function() -- before spawn sets its own timer
      local timer = timers.setTimeout(note, delayOf(run), run):unref()
      run.child:on("close", function()
        timer:close()
      end)
    end)
  end
end

return held
