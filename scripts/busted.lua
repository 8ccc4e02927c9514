-- Starts busted as a module: the program `busted` may be a shell script, or belong to another Lua.

require("busted.runner")({standalone = false})
