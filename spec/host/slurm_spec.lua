-- host.slurm where there is no allocation, or no Slurm. cluster/slurm_spec has one.

local host = require("child_process.host")
local support = require("spec.support")

-- The environment of a program in an allocation.
local ALLOCATED = {SLURM_JOB_ID = "1", SLURM_JOB_NODELIST = "n[1-2]"}

local function failure(changes)
  return support.error(host.slurm, {env = support.merge(ALLOCATED, changes)})
end

describe("host.slurm", function()
  it("says that there is no allocation", function()
    for name in pairs(ALLOCATED) do
      local env = support.merge(ALLOCATED)
      env[name] = nil
      local err = support.error(host.slurm, {env = env})
      assert.equal("ERR_HOST_NO_ALLOCATION", err.code)
      assert.equal(("host.slurm: there is no allocation, since %s is not set in options.env: start "
        .. "the program with salloc or sbatch"):format(name), err.message)
    end
  end)

  it("looks at our environment without options.env", function()
    assert.match("ERR_HOST_NO_ALLOCATION", support.runScript([[
      print(select(2, pcall(require("child_process.host").slurm)).code)
    ]], "unset SLURM_JOB_ID"), 1, true)
  end)

  it("says that scontrol is missing", function()
    local err = failure({PATH = "/nonexistent"})
    assert.equal("ERR_HOST_CONNECT", err.code)
    assert.match("^host%.slurm: the nodes of the allocation cannot be listed: .*scontrol ENOENT",
      err.message)
    assert.equal("ENOENT", err.cause.code)
  end)

  it("says what scontrol has printed when it fails", function()
    local folder = support.tmpdir()
    support.executable(folder .. "/scontrol", "#!/bin/sh\necho no controller: $* >&2\nexit 3\n")
    local err = failure({PATH = folder})
    assert.equal("ERR_HOST_CONNECT", err.code)
    assert.equal(3, err.exitCode)
    assert.match("no controller: show hostnames n[1-2]", err.message, 1, true)
  end)

  it("checks its arguments", function()
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(host.slurm, "n1").code)
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(host.slurm, {env = "n1"}).code)
  end)

  it("leaves no host if one of them cannot be made", function()
    local folder = support.tmpdir()
    support.executable(folder .. "/scontrol", "#!/bin/sh\nprintf 'n1\\nn2\\nn3\\nn4\\n'\n")
    support.executable(folder .. "/srun", "#!/bin/sh\nexit 1\n")
    local output = support.runScript(([[
      local host = require("child_process.host")
      local options = {env = {SLURM_JOB_ID = "1", SLURM_JOB_NODELIST = "n[1-2]", PATH = %q}}
      for _ in ipairs(host.slurm(options)) do pcall(cp.run) end -- everything is loaded
      collectgarbage("stop") -- which would close what is left open
      local files = {}
      repeat
        local file = io.open("/dev/null")
        files[#files + 1] = file
      until not file
      local ok, err
      repeat
        table.remove(files):close()
        ok, err = pcall(host.slurm, options)
        print(ok or err.code)
        if not ok then cp.run() end -- an error of a host that was left would be raised
      until ok
      os.exit(0)
    ]]):format(folder), "ulimit -n 60")
    assert.match("EMFILE\n", output, 1, true)
    assert.match("true\n$", output)
  end)
end)
