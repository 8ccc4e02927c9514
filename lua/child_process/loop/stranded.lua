--- Warns of coroutines that still wait when the loop has ended. Otherwise a program that forgets to
--- emit, to finish or to resolve something would end silently.

local compat = require("child_process.base.compat")
local userTrace = require("child_process.errors.user_trace")
local values = require("child_process.errors.value_text")
local warnings = require("child_process.base.warnings")

---@class child_process.stranded
local stranded = {}

local MOST = 10 -- coroutines that are shown

--- The subject of a wait, in words.
---@param waiter Waiter
---@return string
function stranded.subject(waiter)
  if waiter.emitter then
    local class = values.emitterName(waiter.emitter)
    local text = ("event %q of %s"):format(tostring(waiter.event), class)
    local unread = class == "ChildProcess" and waiter.event == "close" and waiter.emitter:_unread()
    return unread and ("%s (its %s was not read to its end)"):format(text, unread) or text
  end
  return waiter.what or "something"
end

local function describe(thread, waiter)
  local place = userTrace.trim(compat.traceback(thread)):gsub("^stack traceback:\n", "")
  return ("waits for %s:\n%s"):format(stranded.subject(waiter), place)
end

--- Warns of coroutines that wait.
---@param waiters table<thread, Waiter>
function stranded.report(waiters)
  local texts = {}
  for thread, waiter in pairs(waiters) do
    texts[#texts + 1] = describe(thread, waiter)
  end
  if #texts == 0 then
    return
  end
  table.sort(texts)
  local count = #texts
  local head = count == 1 and "The loop has ended, and a coroutine" or
    ("The loop has ended, and %d coroutines still wait for what will not come. One"):format(count)
  local text = head .. " " .. table.concat(texts, "\nOne ", 1, math.min(count, MOST))
  if count > MOST then
    text = ("%s\nand %d more"):format(text, count - MOST)
  end
  warnings.warn(text, "UnfinishedWaitWarning")
end

return stranded
