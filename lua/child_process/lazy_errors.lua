--- What errors.lua has, which is loaded when something of it is first asked for: a child that
--- starts should not wait for it.
---@type child_process.errors
return setmetatable({}, {
  __index = function(_, name)
    return require("child_process.errors")[name]
  end,
})
