--- Tells whether a coroutine belongs to a scheduler that takes our yields for something else.

local compat = require("child_process.base.compat")
local loop = require("child_process.loop")
local standard = require("child_process.base.standard")

local coroutine, debug, package = standard.coroutine, standard.debug, standard.package
local loaded, running = package.loaded, coroutine.running

---@class child_process.schedulers
local schedulers = {}

-- Most schedulers do not report which coroutines are their own. In PUC Lua 5.1 lua-http runs
-- protected calls in coroutines inside these, which pass their yields on to cqueues.
local function isOfCqueues()
  local cqueues = loaded.cqueues
  if not cqueues then
    return false
  end
  local controller, isOwn = cqueues.running()
  return isOwn or controller and not compat.yieldsAnywhere and not loop.isRunning()
end

-- If our loop runs, it has resumed the coroutine. Copas before 2.0 does not report whether it runs.
local function isOfCopas()
  local copas = loaded.copas
  return copas and copas.running ~= false and not loop.isRunning()
end

local function isOfNginx()
  return loaded.ngx and not loop.isRunning()
end

-- In a coroutine of Prosody the outermost function has its runner as the first local variable.
local function isOfProsody()
  if not loaded["util.async"] then
    return false
  end
  local level = 1
  while debug.getinfo(level + 1, "f") do
    level = level + 1
  end
  local _, runner = debug.getlocal(level, 1)
  return type(runner) == "table" and rawget(runner, "thread") == running()
end

--- The name of such a scheduler, if the running coroutine belongs to it as far as we can tell.
---@return string?
function schedulers.known()
  return isOfCqueues() and "cqueues" or isOfCopas() and "Copas" or isOfNginx() and "nginx"
    or isOfProsody() and "Prosody" or nil
end

return schedulers
