std = "lua54"
max_line_length = 100
exclude_files = { "build", "lua_modules" }
files["spec"] = { std = "+busted" }
-- Scripts that are forked: they have `process` as a global.
files["examples/sub.lua"] = { read_globals = { "process" } }
files["examples/*_child.lua"] = { read_globals = { "process" } }
