-- The pages of the documentation, and the blocks of code in them.

local lfs = require("lfs")

local pages = {}

--- The paths of all pages: README.md of each folder that has one, and everything in doc/.
---@type string[]
pages.list = {"README.md", "examples/README.md", "bench/README.md"}
for _, folder in ipairs({"doc", "doc/manual"}) do
  for name in lfs.dir(folder) do
    if name:find("%.md$") then pages.list[#pages.list + 1] = folder .. "/" .. name end
  end
end
table.sort(pages.list)

---@class PageBlock
---@field page string
---@field line integer of its first line of code
---@field language string "" if the fence names none
---@field text string with a newline at its end
---@field file? string the name in its first line, if that is a comment with a name and no more
---@field section string the heading above it
---@field output? string of a program: the block of text that follows in the same section

local function fileOf(text)
  local first = text:match("^[^\n]*")
  return first:match("^%-%- ([%w_]+%.lua)$") or first:match("^// ([%w_]+%.js)$")
end

--- The fenced blocks of a page.
---@param path string
---@return PageBlock[]
function pages.blocks(path)
  local blocks, open, number, section = {}, nil, 0, ""
  for line in io.lines(path) do
    number = number + 1
    local language = line:match("^```(%a*)$")
    if open and language == "" then
      open.text = table.concat(open.lines, "\n") .. "\n"
      open.file = fileOf(open.text)
      blocks[#blocks + 1] = open
      open = nil
    elseif open then
      open.lines[#open.lines + 1] = line
    elseif language then
      open = {page = path, section = section, line = number + 1, language = language, lines = {}}
    elseif line:find("^#") then
      section = line
    end
  end
  for index, block in ipairs(blocks) do
    local following = blocks[index + 1]
    if following and following.language == "text" and following.section == block.section then
      block.output = following.text
    end
  end
  return blocks
end

return pages
