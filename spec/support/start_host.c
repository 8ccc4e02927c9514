/* Host programs whose habits matter while a child is being started: they have dropped privileges,
 * handle real-time signals, send signals to their children, close Lua states and go on. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <lualib.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compat/lua.h"

/* host.dumpable() -> integer: the flag of the process, see prctl(2). */
static int host_dumpable(lua_State *L)
{
  lua_pushinteger(L, prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
  return 1;
}

/* host.uid() -> integer */
static int host_uid(lua_State *L)
{
  lua_pushinteger(L, getuid());
  return 1;
}

/* host.setUid(uid): gives up the rights of root for good. */
static int host_set_uid(lua_State *L)
{
  if (setuid((uid_t)luaL_checkinteger(L, 1)) != 0) return luaL_error(L, "setuid failed");
  return 0;
}

/* host.setGroups(...): the supplementary groups. */
static int host_set_groups(lua_State *L)
{
  gid_t groups[8];
  size_t count = 0;
  for (int i = 1; i <= lua_gettop(L) && count < 8; i++)
    groups[count++] = (gid_t)luaL_checkinteger(L, i);
  if (setgroups(count, groups) != 0) return luaL_error(L, "setgroups failed");
  return 0;
}

/* host.dropCapability(name): "chown" or "setgid". */
static int host_drop_capability(lua_State *L)
{
  static const char *const names[] = {"chown", "setgid", NULL};
  static const int numbers[] = {CAP_CHOWN, CAP_SETGID};
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  unsigned bit = 1U << numbers[luaL_checkoption(L, 1, NULL, names)];
  if (syscall(SYS_capget, &header, data) != 0) return luaL_error(L, "capget failed");
  data[0].effective &= ~bit;
  data[0].permitted &= ~bit;
  if (syscall(SYS_capset, &header, data) != 0) return luaL_error(L, "capset failed");
  return 0;
}

/* host.forbidThreads() -> done: from now on no thread can be made; false where the system has no
 * filters. */
static int host_forbid_threads(lua_State *L)
{
  struct sock_filter instructions[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog filter = {.len = 8, .filter = instructions};
  lua_pushboolean(L, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
  return 1;
}

static pid_t self;
static volatile sig_atomic_t calls_elsewhere;

static void note_where(int signum)
{
  (void)signum;
  if (syscall(SYS_getpid) != self) calls_elsewhere++;
}

/* host.handle(signum): a handler that notes whether it runs in another process than ours. */
static int host_handle(lua_State *L)
{
  struct sigaction action = {.sa_handler = note_where, .sa_flags = SA_RESTART};
  self = getpid();
  if (sigaction((int)luaL_checkinteger(L, 1), &action, NULL) != 0)
    return luaL_error(L, "sigaction failed");
  return 0;
}

/* host.callsElsewhere() -> count: how often it has, in one that shares our memory. */
static int host_calls_elsewhere(lua_State *L)
{
  lua_pushinteger(L, calls_elsewhere);
  return 1;
}

/* host.realTimeSignal() -> signum: one that nobody uses. */
static int host_real_time_signal(lua_State *L)
{
  lua_pushinteger(L, SIGRTMIN + 5);
  return 1;
}

static void signal_new_children(pid_t parent, int signum)
{
  char path[64], text[4096];
  long last = getpid();
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
  while (getppid() == parent) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd == -1 ? -1 : read(fd, text, sizeof text - 1);
    char *at = text, *end = text;
    text[n > 0 ? n : 0] = '\0';
    for (long pid = strtol(at, &end, 10); end != at; pid = strtol(at, &end, 10)) {
      at = end;
      if (pid > last) {
        last = pid;
        kill((pid_t)pid, signum);
      }
    }
    close(fd);
  }
}

static pid_t signaller;

/* host.signalChildren(signum) -> done: from now on another process sends the signal to each child
 * of ours as soon as it sees it; false where the system does not list children. */
static int host_signal_children(lua_State *L)
{
  int signum = (int)luaL_checkinteger(L, 1);
  pid_t parent = getpid();
  bool can = access("/proc/thread-self/children", R_OK) == 0;
  if (can && (signaller = fork()) == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    signal_new_children(parent, signum);
    _exit(0);
  }
  lua_pushboolean(L, can);
  return 1;
}

/* host.leaveChildren(): ends that process. */
static int host_leave_children(lua_State *L)
{
  (void)L;
  kill(signaller, SIGKILL);
  waitpid(signaller, NULL, 0);
  return 0;
}

/* host.inOtherState(code) -> text: runs Lua code in a state of its own, which is closed then. */
static int host_in_other_state(lua_State *L)
{
  lua_State *other = luaL_newstate();
  luaL_openlibs(other);
  if (luaL_dostring(other, luaL_checkstring(L, 1)) != LUA_OK)
    return luaL_error(L, "%s", lua_tostring(other, -1));
  lua_pushstring(L, lua_tostring(other, -1));
  lua_close(other);
  return 1;
}

int luaopen_start_host(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"dumpable", host_dumpable},
      {"uid", host_uid},
      {"setUid", host_set_uid},
      {"setGroups", host_set_groups},
      {"dropCapability", host_drop_capability},
      {"forbidThreads", host_forbid_threads},
      {"handle", host_handle},
      {"callsElsewhere", host_calls_elsewhere},
      {"realTimeSignal", host_real_time_signal},
      {"signalChildren", host_signal_children},
      {"leaveChildren", host_leave_children},
      {"inOtherState", host_in_other_state},
      {NULL, NULL},
  };
  luaL_newlib(L, functions);
  return 1;
}
