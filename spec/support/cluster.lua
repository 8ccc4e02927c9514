-- What specs of real engines need.

local support = require("spec.support")

local cluster = {}

--- Skips the rest of a test that `make test-cluster` runs. It takes long, and what it needs would
--- be no different in another mode.
function cluster.need()
  if (os.getenv("CHILD_PROCESS_SPEC_MODE") or "test-cluster") ~= "test-cluster" then
    support.skip("make test-cluster runs what needs other machines")
  end
end

return cluster
