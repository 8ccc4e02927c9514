-- Listeners of one event: what each costs when it is added, called and removed.

local clock = require("bench.growth.clock")
local EventEmitter = require("child_process.events").EventEmitter

local LEAST = 1000 -- listeners of several objects are looked at together

local function measure(count)
  local listeners = {}
  for i = 1, count do
    listeners[i] = function() return i end
  end
  local emitters = {}
  for i = 1, math.ceil(LEAST / count) do
    emitters[i] = EventEmitter.new()
    emitters[i]:setMaxListeners(0)
  end
  local function forEach(first, last, step, method)
    for _, emitter in ipairs(emitters) do
      local call = emitter[method]
      for i = first, last, step do
        call(emitter, "event", listeners[i])
      end
    end
  end
  local adding, calling, removing, backwards, before = clock.laps(function(lap, skip)
    forEach(1, count, 1, "on")
    lap()
    for _, emitter in ipairs(emitters) do
      emitter:emit("event")
    end
    lap()
    forEach(1, count, 1, "off")
    lap()
    forEach(1, count, 1, "on")
    skip()
    forEach(count, 1, -1, "off")
    lap()
    forEach(1, count, 1, "prependListener")
    lap()
    for _, emitter in ipairs(emitters) do
      emitter:removeAllListeners()
    end
    skip()
  end)
  local unit = 1e9 / count / #emitters
  return adding * unit, calling * unit, removing * unit, backwards * unit, before * unit
end

return {
  title = "Listeners of one event",
  x = "listeners",
  unit = "ns",
  lines = {"on", "emit", "off", "off, backwards", "prependListener"},
  sizes = {1, 10, 100, 1000, 10000},
  measure = measure,
}
