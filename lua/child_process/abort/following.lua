--- Signals that a timer aborts, or that follow other signals. They are kept alive while somebody
--- waits for them.

local compat = require("child_process.base.compat")

---@class AbortSignal
local following = {
  _awaited = nil, ---@type table<AbortSignal, true?>? followers that this signal keeps alive
  _followers = nil, ---@type table<AbortSignal, integer>? weak; the numbers give the order
  _guard = nil, ---@type table? closes the timer when the signal is collected
  _sources = nil, ---@type AbortSignal[]? the signals that this one follows
  _timer = nil, ---@type Timeout? that aborts the signal; its `held` keeps the signal alive
}

local follows = 0 -- the number of the last follower

-- Sets the timer that aborts the signal. It is closed when the signal is collected.
function following:_setTimer(timer)
  self._timer = timer
  self._guard = compat.finalizer(function()
    pcall(timer.close, timer) -- which fails while the Lua state is being closed
  end)
end

-- Sets the signals that this one follows: it is aborted when the first of them is.
function following:_follow(sources)
  self._sources = compat.move(sources, 1, #sources, 1, {})
  for _, source in ipairs(sources) do
    follows = follows + 1
    source._followers = source._followers or setmetatable({}, {__mode = "k"})
    source._followers[self] = follows
    source._awaited = source._awaited or {}
  end
end

local function isAwaited(signal)
  return not signal.aborted and (signal:_hasActions() or signal:_hasListener("abort")
    or signal._awaited ~= nil and next(signal._awaited) ~= nil)
end

-- To be called when somebody starts or stops waiting for the signal. The timer or the sources keep
-- the signal alive while somebody waits, since perhaps nothing else does, and no longer, since
-- sources may live as long as the program.
function following:_keepIfAwaited()
  if not self._timer and not self._sources then
    return
  end
  local kept = isAwaited(self) or nil
  if self._timer then
    self._timer.held = kept and self
  end
  for _, source in ipairs(self._sources or {}) do
    if source._awaited[self] ~= kept then
      source._awaited[self] = kept
      source:_keepIfAwaited()
    end
  end
end

-- The signals that follow this one, in the order in which they were made.
function following:_followersInOrder()
  local numbers = self._followers or {}
  local followers = {}
  for follower in pairs(numbers) do
    followers[#followers + 1] = follower
  end
  table.sort(followers, function(one, other)
    return numbers[one] < numbers[other]
  end)
  return followers
end

return following
