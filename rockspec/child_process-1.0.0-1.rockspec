rockspec_format = "3.0"
package = "child_process"
version = "1.0.0-1"
source = {
  url = "git+https://github.com/child-process-lua/child_process.git",
  tag = "v1.0.0",
}
description = {
  summary = "The child_process module of Node.js for Lua",
  detailed = [[
Starts programs, writes to them, reads what they print, and learns how they ended, one at a time or
many at once. The functions, options, events and errors are those of child_process in Node.js:
spawn, exec, execFile and fork, and the same synchronously. There are streams with back pressure,
messages between processes, timers, promises, coroutines, and TCP, Unix and UDP sockets.

The module is a C extension on top of libuv. It runs in Lua 5.1, 5.3, 5.4, 5.5 and LuaJIT, with its
own event loop, with luv, or inside the loop of another program.]],
  license = "MIT",
  homepage = "https://github.com/child-process-lua/child_process",
  issues_url = "https://github.com/child-process-lua/child_process/issues",
  maintainer = "The child_process for Lua authors",
  labels = {"process", "ipc", "async", "event-loop", "libuv", "nodejs"},
}
supported_platforms = {"unix"}
dependencies = {
  "lua >= 5.1, < 5.6, ~= 5.2",
}
external_dependencies = {
  LIBUV = {header = "uv.h"},
}
-- Not the builtin type: it cannot give the linker the flags that the module needs.
build = {
  type = "make",
  install_target = "install-module",
  variables = {
    CC = "$(CC)",
    CFLAGS = "$(CFLAGS)",
    LUA = "$(LUA)",
    LUA_INCDIR = "$(LUA_INCDIR)",
    UV_CFLAGS = "-I$(LIBUV_INCDIR)",
    UV_LIBS = "-L$(LIBUV_LIBDIR) -luv",
    BUILD = "build/rock",
    MODULE_DIR = "build/rock",
  },
  install_variables = {
    LUADIR = "$(LUADIR)",
    LIBDIR = "$(LIBDIR)",
  },
}
-- `luarocks test`: installs what the tests need where it can, as `make test` does.
test = {
  type = "command",
  script = "scripts/luarocks_test.lua",
}
