--- Promises: values that are still to come.

local assign = require("child_process.base.assign")
local groups = require("child_process.promise.groups")
local Promise = require("child_process.promise.promise")

return assign(Promise, groups)
