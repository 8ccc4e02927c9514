-- The rooms of src/ and lua/, which arrows.lua checks: a file knows files of its own room and of
-- the rooms below, and no others.
--
-- A room is a folder ("core/net/"), or a file with the folder of its name ("child_process/net"). A
-- new file at the top needs a line here. Rooms that stand on one line do not know each other.

return {
  {
    folder = "src",
    language = "c",
    rooms = {
      "binding/",
      "codec/clone/ codec/json/",
      "codec/",
      "codec/number/",
      "compat/",
      "core/runtime",
      "core/link/ core/channel/",
      "core/process/",
      "core/net/",
      "core/stream/",
      "core/loop/",
      "core/text/",
      "core/base/",
      "core/sys/",
    },
    reserved = {
      {
        headers = "lua.h luaconf.h lualib.h lauxlib.h",
        rooms = "compat/",
        reason = "compat/lua.h has what some versions lack, and the core does not know Lua",
      },
      {
        headers = "linux/* sys/epoll.h sys/eventfd.h sys/inotify.h sys/prctl.h sys/sendfile.h "
          .. "sys/signalfd.h sys/syscall.h sys/timerfd.h link.h pty.h",
        rooms = "core/sys/linux/ core/loop/poller_epoll",
        reason = "other systems do not have it",
      },
      {
        headers = "uv.h",
        rooms = "binding/ core/",
        reason = "the codecs need no loop",
      },
    },
    exceptions = {},
  },
  {
    folder = "lua",
    language = "lua",
    root = "child_process",
    outside = {["child_process/core"] = "src/binding/core.c"},
    loaders = {"child_process/base/locate", "child_process/fork/launch",
      "child_process/fork/start"},
    rooms = {
      "child_process/command child_process/pool",
      "child_process",
      "child_process/host",
      "child_process/agent",
      "child_process/fork/ child_process/diagnostics",
      "child_process/process",
      "child_process/link/",
      "child_process/spawn/",
      "child_process/channel/",
      "child_process/dgram",
      "child_process/net",
      "child_process/stream/",
      "child_process/promise",
      "child_process/abort",
      "child_process/timers",
      "child_process/events",
      "child_process/loop",
      "child_process/debug/",
      "child_process/clone child_process/json child_process/encoding",
      "child_process/base/",
      "child_process/errors",
      "child_process/base/compat",
      "child_process/base/traceback51",
      "child_process/base/standard",
      "child_process/core",
    },
    exceptions = {
      {
        from = "child_process/diagnostics", to = "child_process",
        reason = "a channel name of Node's diagnostics_channel, not a module",
      },
      {
        from = "child_process", to = "child_process/command",
        reason = "cp.command is on top of all the rest, and loaded when it is first used",
      },
    },
  },
}
