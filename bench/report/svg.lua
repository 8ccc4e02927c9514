-- Writes SVG: elements, and colours for light and dark screens.

---@class bench.svg
local svg = {}

local ESCAPES = {["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;"}

-- The background belongs to the picture, so that it is legible on any page.
local STYLE = [[
<style>
  text { font: 11px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 }
  .head { font-weight: 600 }
  .faint { fill: #59636e }
  .background { fill: #ffffff }
  .grid { stroke: #d8dee4; fill: none }
  .limit { stroke: #cf222e; stroke-width: 1.5; fill: none }
  .spread { stroke: #1f2328; fill: none }
  .c1 { fill: #0969da; stroke: #0969da }
  .c2 { fill: #57a5f5; stroke: #57a5f5 }
  .c3 { fill: #bc4c00; stroke: #bc4c00 }
  .c4 { fill: #1a7f37; stroke: #1a7f37 }
  .c5 { fill: #8250df; stroke: #8250df }
  .peer { fill: #afb8c1; stroke: #afb8c1 }
  .bar { stroke: none }
  .line { fill: none; stroke-width: 1.8 }
  .dot { stroke: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .faint { fill: #9198a1 }
    .background { fill: #0d1117 }
    .grid { stroke: #30363d }
    .limit { stroke: #ff7b72 }
    .spread { stroke: #e6edf3 }
    .c1 { fill: #4493f8; stroke: #4493f8 }
    .c2 { fill: #1f5fae; stroke: #1f5fae }
    .c3 { fill: #f0883e; stroke: #f0883e }
    .c4 { fill: #3fb950; stroke: #3fb950 }
    .c5 { fill: #ab7df8; stroke: #ab7df8 }
    .peer { fill: #6e7681; stroke: #6e7681 }
    .bar, .dot { stroke: none }
    .line { fill: none }
  }
</style>
]]

local function value(each)
  if type(each) == "number" then
    return (("%.1f"):format(each):gsub("%.0$", ""))
  end
  return (each:gsub('[&<>"]', ESCAPES))
end

--- An element. Attributes are written in the order in which they are given.
---@param name string
---@param attributes (string|number)[] names and values in turns
---@param content? string text; it is escaped
---@return string
function svg.element(name, attributes, content)
  local parts = {"<", name}
  for i = 1, #attributes, 2 do
    parts[#parts + 1] = (' %s="%s"'):format(attributes[i], value(attributes[i + 1]))
  end
  parts[#parts + 1] = content and (">%s</%s>\n"):format(value(content), name) or "/>\n"
  return table.concat(parts)
end

--- A text at a place, of a class; `anchor` is "start", "middle" or "end".
function svg.text(x, y, class, content, anchor)
  return svg.element("text", {
    "x", x, "y", y, "class", class, "text-anchor", anchor or "start",
  }, content)
end

function svg.line(x1, y1, x2, y2, class)
  return svg.element("line", {"x1", x1, "y1", y1, "x2", x2, "y2", y2, "class", class})
end

--- A line through points, each a pair of numbers.
function svg.polyline(points, class)
  local parts = {}
  for i, point in ipairs(points) do
    parts[i] = value(point[1]) .. "," .. value(point[2])
  end
  return svg.element("polyline", {"points", table.concat(parts, " "), "class", class})
end

function svg.rectangle(x, y, width, height, class)
  return svg.element("rect", {
    "x", x, "y", y, "width", width, "height", height, "class", class,
  })
end

function svg.dot(x, y, class)
  return svg.element("circle", {"cx", x, "cy", y, "r", 2.5, "class", class})
end

--- A picture of some elements.
---@param width number
---@param height number
---@param title string what a screen reader says
---@param parts string[]
---@return string
function svg.picture(width, height, title, parts)
  return ('<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 %d %d" width="%d">\n')
    :format(width, height, width)
    .. svg.element("title", {}, title) .. STYLE
    .. svg.rectangle(0, 0, width, height, "background") .. table.concat(parts) .. "</svg>\n"
end

return svg
