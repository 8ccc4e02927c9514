-- Only what every Lua has; where the versions differ, the files below look for what there is.
std = "min"
max_line_length = 100
exclude_files = {"build", "lua_modules"}
files["spec"] = {std = "max+busted"}
files["examples"] = {std = "max"}
files["bench"] = {std = "max"}
files["scripts"] = {std = "max"}
files["lua/child_process/base/compat.lua"] = {std = "max"}
files["lua/child_process/fork/launch.lua"] = {std = "max"}
files["lua/child_process/fork/start.lua"] = {std = "max"}
-- Declarations without bodies.
files["types"] = {unused = false}
-- Scripts that are forked: they have `process` as a global.
files["examples/sub.lua"] = {read_globals = {"process"}}
files["examples/*_child.lua"] = {read_globals = {"process"}}
-- Scripts for programs that have globals of their own.
files["examples/hosts/prosody"] = {globals = {"module"}}
files["examples/hosts/with_lighttpd.lua"] = {globals = {"lighty"}}
files["examples/hosts/with_nginx.lua"] = {read_globals = {"ngx"}}
files["examples/hosts/with_neovim.lua"] = {globals = {"vim"}}
