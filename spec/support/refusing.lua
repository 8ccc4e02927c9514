-- Programs that run as root, in a parent that does not and may not signal them.

local support = require("spec.support")

local refusing = {}

--- Runs a Lua script as support.runHost does, as another user than root. `ROOT` is the start of a
--- shell command that the rest of it runs as root. Skips the rest of the test where nobody can
--- become root.
---@param text string
---@return string stdout
function refusing.run(text)
  support.needRoot()
  local folder = support.tmpdir()
  -- a program by which anybody becomes root
  assert(os.execute(([[
    chmod 755 %s && cp "$(command -v setpriv)" %s/root && chmod 4755 %s/root
  ]]):format(folder, folder, folder)))
  local stdout = support.runHost(([[
    local ROOT = "%s/root --reuid 0 --clear-groups "
    local cp = require("child_process")
    require("child_process.errors").Error("") -- the modules may lie where only root can read them
    cp.spawnSync("true", {timeout = 1000})
    host.setUid(65534)
    if cp.execSync(ROOT .. "id -u") ~= "0\n" then
      print("set-user-id programs have no effect")
      os.exit()
    end
    %s
  ]]):format(folder, text))
  if stdout:find("no effect", 1, true) then support.skip("set-user-id programs have no effect") end
  return stdout
end

return refusing
