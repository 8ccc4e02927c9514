-- Under which conditions something was measured, in words.

---@class bench.conditions
local conditions = {}

--- Names with versions, or "none".
---@param list (string|{name: string, version: string})[]
---@return string
function conditions.names(list)
  local names = {}
  for i, each in ipairs(list) do
    names[i] = type(each) == "table" and each.name .. " " .. each.version or each
  end
  return #names > 0 and table.concat(names, ", ") or "none"
end

--- The machine in one sentence or two.
---@param machine table see machine.lua
---@return string
function conditions.machine(machine)
  local parts = {}
  local function add(text, value)
    parts[#parts + 1] = value and text:format(value)
  end
  add("%s", machine.processor)
  add("%d cores", machine.cores)
  add("%s", machine.kernel)
  add("%s", machine.libc)
  add("%s", machine.lua)
  add("libuv %s", machine.libuv)
  add("%s", machine.date and machine.date:sub(1, 10))
  local load = machine.loadBefore and machine.loadAfter
    and (" Load of the machine: %.1f before, %.1f after."):format(machine.loadBefore,
    machine.loadAfter) or ""
  return table.concat(parts, ", ") .. "." .. load
end

return conditions
