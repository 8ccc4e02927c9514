-- Finds ways and circles in a list of arrows.

local graph = {}

local function byStart(arrows)
  local starts = {}
  for _, arrow in ipairs(arrows) do
    local list = starts[arrow.from] or {}
    starts[arrow.from] = list
    list[#list + 1] = arrow
  end
  return starts
end

-- The arrows on the way that ends with `last`, where `reached` has the arrow that led to each name.
local function trace(reached, from, to)
  local way = {}
  local name = to
  repeat
    table.insert(way, 1, reached[name])
    name = reached[name].from
  until name == from
  return way
end

local function search(starts, from, to)
  local reached, queue = {}, {from}
  for _, name in ipairs(queue) do -- grows while it is walked through
    for _, arrow in ipairs(starts[name] or {}) do
      if not reached[arrow.to] then
        reached[arrow.to] = arrow
        if arrow.to == to then
          return trace(reached, from, to)
        end
        queue[#queue + 1] = arrow.to
      end
    end
  end
  return nil
end

--- A shortest way between two names, as its arrows; nil if there is no way.
---@param arrows Arrow[]
---@param from string
---@param to string
---@return Arrow[]?
function graph.path(arrows, from, to)
  return search(byStart(arrows), from, to)
end

local function nameOf(circle)
  local names = {}
  for _, arrow in ipairs(circle) do
    names[#names + 1] = arrow.from
  end
  table.sort(names)
  return table.concat(names, " ")
end

--- The shortest circle through each name that is on one; each circle once.
---@param arrows Arrow[]
---@return Arrow[][]
function graph.circles(arrows)
  local starts = byStart(arrows)
  local circles, seen, tried = {}, {}, {}
  for _, arrow in ipairs(arrows) do
    local circle = not tried[arrow.from] and search(starts, arrow.from, arrow.from)
    tried[arrow.from] = true
    if circle and not seen[nameOf(circle)] then
      seen[nameOf(circle)] = true
      circles[#circles + 1] = circle
    end
  end
  return circles
end

return graph
