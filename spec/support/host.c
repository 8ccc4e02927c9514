/*
 * What host programs do, for scripts that test that we live with it. Each function is one habit: a
 * SIGCHLD handler of its own, SIGCHLD ignored, children waited for by somebody else, fewer rights
 * than at the start, an event loop of its own.
 */
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t handler_calls;

static void on_sigchld(int signum)
{
  (void)signum;
  handler_calls++;
}

static int set_sigchld(void (*handler)(int))
{
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  return sigaction(SIGCHLD, &action, NULL);
}

/* host.handleSigchld(): from now on SIGCHLD is the host's own business. */
static int host_handle_sigchld(lua_State *L)
{
  if (set_sigchld(on_sigchld) != 0) return luaL_error(L, "sigaction failed");
  return 0;
}

/* host.ignoreSigchld(): the kernel reaps every child by itself. */
static int host_ignore_sigchld(lua_State *L)
{
  if (set_sigchld(SIG_IGN) != 0) return luaL_error(L, "sigaction failed");
  return 0;
}

/* host.sigchld() -> "default", "ignored", "host" or "other", and how often the host was called. */
static int host_sigchld(lua_State *L)
{
  struct sigaction action;
  if (sigaction(SIGCHLD, NULL, &action) != 0) return luaL_error(L, "sigaction failed");
  lua_pushstring(L, action.sa_handler == SIG_DFL      ? "default"
                    : action.sa_handler == SIG_IGN    ? "ignored"
                    : action.sa_handler == on_sigchld ? "host"
                                                      : "other");
  lua_pushinteger(L, handler_calls);
  return 2;
}

/* host.reapAll() -> count: waits for every child of the process, whoever started it. */
static int host_reap_all(lua_State *L)
{
  int count = 0;
  for (;;) {
    if (waitpid(-1, NULL, 0) > 0)
      count++;
    else if (errno != EINTR)
      break;
  }
  lua_pushinteger(L, count);
  return 1;
}

/* host.setUid(uid): gives up the rights of root for good. */
static int host_set_uid(lua_State *L)
{
  if (setuid((uid_t)luaL_checkinteger(L, 1)) != 0) return luaL_error(L, "setuid failed");
  return 0;
}

/* host.poll(fd[, timeout]) -> ready: waits until a descriptor is readable; milliseconds or no limit. */
static int host_poll(lua_State *L)
{
  struct pollfd descriptor = {.fd = (int)luaL_checkinteger(L, 1), .events = POLLIN};
  lua_pushboolean(L, poll(&descriptor, 1, (int)luaL_optinteger(L, 2, -1)) > 0);
  return 1;
}

int luaopen_host(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"handleSigchld", host_handle_sigchld},
      {"ignoreSigchld", host_ignore_sigchld},
      {"sigchld", host_sigchld},
      {"reapAll", host_reap_all},
      {"setUid", host_set_uid},
      {"poll", host_poll},
      {NULL, NULL},
  };
  luaL_newlib(L, functions);
  return 1;
}
