-- What the pages name is there: files, folders, and the headings that links lead to.

local lfs = require("lfs")
local pages = require("spec.support.pages")
local support = require("spec.support")

--- The text of a page without its blocks of code.
local function proseOf(path)
  return (("\n" .. support.readFile(path)):gsub("\n```.-\n```", "\n"))
end

--- The name by which a link leads to a heading, as GitHub makes it.
local function anchorOf(heading)
  return (heading:lower():gsub("[^%w_%- ]", ""):gsub(" ", "-"))
end

local function anchorsOf(path)
  local anchors = {}
  for heading in proseOf(path):gmatch("\n#+ ([^\n]+)") do anchors[anchorOf(heading)] = true end
  return anchors
end

--- "doc/manual/../x.md" is "doc/x.md".
local function resolve(folder, link)
  local path, count = folder .. link, 1
  while count > 0 do path, count = path:gsub("[^/]+/%.%./", "", 1) end
  return path
end

-- Folders of the repository. A path that begins with one of them is meant as a path.
local ROOMS = {
  bench = true, doc = true, examples = true, include = true, lua = true, rockspec = true,
  scripts = true, spec = true, src = true, types = true,
}

describe("The pages name", function()
  it("files and folders that exist", function()
    local missing, count = {}, 0
    for _, page in ipairs(pages.list) do
      for path in support.readFile(page):gmatch("%f[%w_./]([%w_]+/[%w_./]*[%w_/])") do
        if ROOMS[path:match("^[^/]+")] then
          count = count + 1
          if not lfs.attributes(path, "mode") then
            missing[#missing + 1] = page .. ": " .. path
          end
        end
      end
    end
    assert.equal("", table.concat(missing, "\n"))
    assert.is_true(count > 20, count .. " paths were found")
  end)

  it("headings that exist, in links", function()
    local missing, count = {}, 0
    for _, page in ipairs(pages.list) do
      for link, anchor in proseOf(page):gmatch("%]%(([^)#]*)#?([^)]*)%)") do
        if not link:find("^%a+:") then
          local target = link == "" and page or resolve(page:match("^(.*/)") or "", link)
          count = count + 1
          if not lfs.attributes(target, "mode")
            or anchor ~= "" and not anchorsOf(target)[anchor] then
            missing[#missing + 1] = ("%s: %s#%s"):format(page, link, anchor)
          end
        end
      end
    end
    assert.equal("", table.concat(missing, "\n"))
    assert.is_true(count > 50, count .. " links were found")
  end)
end)

describe("The manual", function()
  it("has a chapter for each module, and no other module exists", function()
    local named, present = {}, {"child_process"}
    for name in proseOf("doc/manual.md"):gmatch("\n| `(child_process[%w_.]*)` | %[") do
      named[#named + 1] = name
    end
    for name in lfs.dir("lua/child_process") do
      local module = name:match("^(.*)%.lua$")
      if module then present[#present + 1] = "child_process." .. module end
    end
    table.sort(named)
    table.sort(present)
    assert.same(present, named)
  end)
end)
