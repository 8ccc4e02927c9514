-- A release has one version in all places where it is written. (The pkg-config file takes that of
-- the header.)

local cp = require("child_process")
local lfs = require("lfs")
local support = require("spec.support")

local VERSION = cp._VERSION:match("^child_process (%d+%.%d+%.%d+)$")

--- The fields of a rockspec, which is a chunk of Lua that sets global variables.
local function rockspec(version)
  local text = support.readFile(("rockspec/child_process-%s.rockspec"):format(version))
  local names, fields = {}, {}
  for name in ("\n" .. text):gmatch("\n([%l_]+) = ") do
    names[#names + 1], fields[#fields + 1] = name, ("%s = %s"):format(name, name)
  end
  return support.load(("local %s\n%s\nreturn {%s}"):format(
    table.concat(names, ", "), text, table.concat(fields, ", ")))()
end

describe("The version", function()
  local release = rockspec(VERSION .. "-1")

  it("is that of the rockspec, and of the tag that it names", function()
    assert.equal("child_process", release.package)
    assert.equal(VERSION .. "-1", release.version)
    assert.equal("v" .. VERSION, release.source.tag)
  end)

  it("is that of the header for C programs, as a text and as a number", function()
    local header = support.readFile("include/child_process.h")
    local major, minor, patch = VERSION:match("(%d+)%.(%d+)%.(%d+)")
    local number = ("%d"):format(major * 1000000 + minor * 1000 + patch)
    assert.equal(VERSION, header:match('#define CHILD_PROCESS_VERSION "(.-)"\n'))
    assert.equal(number, header:match("#define CHILD_PROCESS_VERSION_NUMBER (%d+)\n"))
  end)

  it("is that of the latest release in CHANGELOG.md, which has a date", function()
    local text = support.readFile("CHANGELOG.md")
    assert.equal(VERSION, text:match("\n## Unreleased\n.-\n## ([^,\n]+), %d%d%d%d%-%d%d%-%d%d\n"))
  end)
end)

describe("The rockspecs", function()
  it("are one for the release and one for the newest sources", function()
    local names = {}
    for name in lfs.dir("rockspec") do
      if name:find("rockspec$") then names[#names + 1] = name end
    end
    table.sort(names)
    assert.same({
      ("child_process-%s-1.rockspec"):format(VERSION), "child_process-scm-1.rockspec",
    }, names)
  end)

  it("differ only in the version and the tag", function()
    local release, newest = rockspec(VERSION .. "-1"), rockspec("scm-1")
    assert.equal("scm-1", newest.version)
    newest.version = release.version
    assert.is_nil(newest.source.tag)
    newest.source.tag = release.source.tag
    assert.same(release, newest)
  end)
end)
