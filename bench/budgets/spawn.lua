-- From spawn to close of a child. Its stdio is given: "ignore", or "pipe".

local more, stdio = ...
local cp = require("child_process")

local function start()
  local child = cp.spawn("build/bench/tiny", {stdio = stdio})
  if stdio == "pipe" then
    child.stdout:resume()
    child.stderr:resume()
  end
  child:on("close", function()
    if more() then
      start()
    end
  end)
end

start()
cp.run()
