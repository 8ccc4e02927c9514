--- cp.activeHandles: what keeps `run` from returning, in words.

local addressText = require("child_process.base.address_text")
local core = require("child_process.core")

---@class child_process.active_handles
local activeHandles = {}

---@class ActiveHandle
---@field kind string "child", "pipe", "stdio", "socket", "server", "udp", "channel", "timer",
---"immediate", "lookup", "signal", "tick", "connection" (of options.host), "luv" or "host"
---@field description string
---@field where? string the traceback of its creation, if it was made with CHILD_PROCESS_DEBUG=1

-- Where a server or a UDP socket is bound.
local function placeOf(handle)
  local place = handle:address()
  if type(place) == "table" then
    return addressText(place.address, place.family, place.port)
  end
  return place or "a socket"
end

-- By the class of a handle, a function that takes the handle and its owner, and returns kind and
-- description. The owners of other handles describe themselves: their classes have a method
-- `_describe`, which returns the same.
local describers = {
  ["child_process.ListenerHandle"] = function(handle)
    return "server", "listens on " .. placeOf(handle)
  end,
  ["child_process.DatagramHandle"] = function(handle)
    return "udp", "bound to " .. placeOf(handle)
  end,
  ["child_process.LookupRequest"] = function(_, owner)
    return "lookup", "of the host " .. owner:_peerText()
  end,
  ["child_process.SignalHandle"] = function()
    return "signal", "a listener of process is about to be called"
  end,
}

--- Puts a handle into words.
---@param handle userdata
---@return string kind
---@return string description
function activeHandles.describe(handle)
  local owner, describe = core.ownerOf(handle), describers[core.kindOf(handle)]
  if describe then
    return describe(handle, owner)
  end
  return owner:_describe()
end

-- What is no handle of ours.
local others = {
  tick = {"tick", "a function of nextTick, or an event, is about to be called"},
  ["closed channel"] = {"channel", "closed, with messages that the other side has not read"},
}

-- All immediates share one handle.
local function addImmediates(list, handle, where)
  for _, immediate in ipairs(core.ownerOf(handle).waiting()) do
    list[#list + 1] = {
      kind = "immediate", description = "setImmediate", where = where[immediate],
    }
  end
end

-- "tcp, 2 timer": types of handles of other libraries, counted.
local function count(types)
  local counts, texts = {}, {}
  for _, name in ipairs(types) do
    counts[name] = (counts[name] or 0) + 1
  end
  for name, number in pairs(counts) do
    texts[#texts + 1] = number > 1 and ("%d %s"):format(number, name) or name
  end
  table.sort(texts)
  return table.concat(texts, ", ")
end

local function addForeign(list, kind, text, types)
  if #types > 0 then
    list[#list + 1] = {kind = kind, description = text:format(count(types))}
  end
end

local function add(list, handle, where)
  if core.kindOf(handle) == "child_process.ImmediateHandle" then
    addImmediates(list, handle, where)
    return
  end
  local kind, description = activeHandles.describe(handle)
  list[#list + 1] = {kind = kind, description = description, where = where[handle]}
end

local function inOrder(a, b)
  if a.kind ~= b.kind then
    return a.kind < b.kind
  end
  return a.description < b.description
end

--- See child_process.activeHandles.
---@param typesOfLuv string[] the types of the handles that keep luv's loop alive
---@return ActiveHandle[]
function activeHandles.list(typesOfLuv)
  local list, seen, ofHost = {}, {}, {}
  local where = core.origins and core.origins.where or {}
  for _, holder in ipairs(core.holders()) do
    local other = others[holder]
    if not other and type(holder) == "string" then
      ofHost[#ofHost + 1] = holder
    elseif not seen[holder] and other then
      list[#list + 1] = {kind = other[1], description = other[2]}
    elseif not seen[holder] then
      add(list, holder, where)
    end
    seen[holder] = true
  end
  addForeign(list, "host", "handles of the program around this one: %s", ofHost)
  addForeign(list, "luv", "handles of luv: %s", typesOfLuv)
  table.sort(list, inOrder)
  return list
end

return activeHandles
