rockspec_format = "3.0"
package = "child_process"
version = "scm-1"
source = {
  url = "git+https://github.com/child-process-lua/child_process.git",
}
description = {
  summary = "The child_process module of Node.js for Lua",
  detailed = [[
Starts programs and talks to them as Node's child_process does: spawn, exec and execFile, the same
synchronously, streams with back pressure, events, and an event loop (libuv).]],
  license = "MIT",
}
supported_platforms = { "unix" }
dependencies = {
  "lua >= 5.4, < 5.5",
}
external_dependencies = {
  LIBUV = { header = "uv.h" },
}
-- Not the builtin type: it cannot give the linker the flags that the module needs.
build = {
  type = "make",
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
