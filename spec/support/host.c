/*
 * What host programs do, for scripts that test that we live with it. Each function is one habit: a
 * SIGCHLD handler of its own, SIGCHLD ignored, children waited for by somebody else, signals all
 * the time, fewer rights than at the start, an event loop of its own, of any kind or libuv's,
 * descriptors that are sent by themselves, copies of the whole process, threads with Lua states of
 * their own.
 */
#define _GNU_SOURCE /* O_PATH */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <lualib.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "compat/lua.h"

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

static void reap_on_sigchld(int signum)
{
  int saved = errno;
  on_sigchld(signum);
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
  errno = saved;
}

/* host.reapInHandler(): whatever child ends, the host's SIGCHLD handler waits for it at once. */
static int host_reap_in_handler(lua_State *L)
{
  if (set_sigchld(reap_on_sigchld) != 0) return luaL_error(L, "sigaction failed");
  return 0;
}

static volatile sig_atomic_t alarms;

static void on_alarm(int signum)
{
  (void)signum;
  alarms++;
}

/* host.interrupt(microseconds): from now on a signal interrupts us that often, and system calls are
 * not restarted; 0 ends it. */
static int host_interrupt(lua_State *L)
{
  struct sigaction action = {.sa_handler = on_alarm};
  struct timeval interval = {.tv_usec = (suseconds_t)luaL_checkinteger(L, 1)};
  struct itimerval timer = {interval, interval};
  if (sigaction(SIGALRM, &action, NULL) != 0 || setitimer(ITIMER_REAL, &timer, NULL) != 0)
    return luaL_error(L, "no interval timer");
  return 0;
}

/* host.interruptions() -> count: how often that has happened. */
static int host_interruptions(lua_State *L)
{
  lua_pushinteger(L, alarms);
  return 1;
}

/* host.setUid(uid): gives up the rights of root for good. */
static int host_set_uid(lua_State *L)
{
  if (setuid((uid_t)luaL_checkinteger(L, 1)) != 0) return luaL_error(L, "setuid failed");
  return 0;
}

/* host.killAtExec() -> done: from now on whoever executes a program is killed before that by
 * SIGSYS; false where the system has no filters. */
static int host_kill_at_exec(lua_State *L)
{
  struct sock_filter instructions[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog filter = {.len = 4, .filter = instructions};
  /* Old kernels that write a core file of the child stop all that share its memory. */
  lua_pushboolean(L, prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
                         prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
  return 1;
}

/* host.runOnOwnLoop(path) -> closed: runs a script in a Lua state of its own that is told to use
 * our libuv loop, turns the loop until it is empty, calls the script's global `finish` where there
 * is one, and closes state and loop. Says whether nothing was left in the loop. */
static int host_run_on_own_loop(lua_State *L)
{
  const char *path = luaL_checkstring(L, 1);
  lua_State *guest = luaL_newstate();
  uv_loop_t loop;

  uv_loop_init(&loop);
  luaL_openlibs(guest);
  lua_pushlightuserdata(guest, &loop);
  lua_setfield(guest, LUA_REGISTRYINDEX, "child_process.uv_loop");
  if (luaL_dofile(guest, path) != LUA_OK) return luaL_error(L, "%s", lua_tostring(guest, -1));
  /* an error that was raised in a callback ends the turn */
  while (uv_run(&loop, UV_RUN_DEFAULT) != 0) {
  }
  if (lua_getglobal(guest, "finish") == LUA_TFUNCTION && lua_pcall(guest, 0, 0, 0) != LUA_OK) {
    return luaL_error(L, "%s", lua_tostring(guest, -1));
  }
  lua_close(guest);
  uv_run(&loop, UV_RUN_DEFAULT);
  lua_pushboolean(L, uv_loop_close(&loop) == 0);
  return 1;
}

/* host.poll(fd[, timeout]) -> ready: waits until a descriptor is readable; milliseconds or no
 * limit. */
static int host_poll(lua_State *L)
{
  struct pollfd descriptor = {.fd = (int)luaL_checkinteger(L, 1), .events = POLLIN};
  lua_pushboolean(L, poll(&descriptor, 1, (int)luaL_optinteger(L, 2, -1)) > 0);
  return 1;
}

/* host.send(fd, text, ...): writes a text to a Unix socket, with copies of the descriptors that
 * follow. */
static int host_send(lua_State *L)
{
  int fds[8];
  char control[CMSG_SPACE(sizeof fds)] = {0};
  size_t length, count = 0;
  const char *text = luaL_checklstring(L, 2, &length);
  struct iovec vector = {(char *)(uintptr_t)text, length};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
  for (int i = 3; i <= lua_gettop(L) && count < 8; i++) fds[count++] = (int)luaL_checkinteger(L, i);
  if (count > 0) {
    struct cmsghdr *header = (struct cmsghdr *)(void *)control;
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof *fds);
    memcpy(CMSG_DATA(header), fds, count * sizeof *fds);
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(count * sizeof *fds);
  }
  if (sendmsg((int)luaL_checkinteger(L, 1), &message, MSG_NOSIGNAL) != (ssize_t)length) {
    return luaL_error(L, "sendmsg failed");
  }
  return 0;
}

/* host.receive(fd) -> text, descriptor: what has come on a Unix socket; nil at the end. Waits for
 * it. */
static int host_receive(lua_State *L)
{
  char text[4096], control[CMSG_SPACE(sizeof(int))];
  struct iovec vector = {text, sizeof text};
  struct msghdr message = {.msg_iov = &vector,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof control};
  ssize_t got = recvmsg((int)luaL_checkinteger(L, 1), &message, MSG_CMSG_CLOEXEC);
  struct cmsghdr *header = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  int fd = -1;
  if (got <= 0) return 0;
  lua_pushlstring(L, text, (size_t)got);
  if (!header) return 1;
  memcpy(&fd, CMSG_DATA(header), sizeof fd);
  lua_pushinteger(L, fd);
  return 2;
}

/* host.openPath(path) -> a descriptor that only stands for the path: it has no flags that could be
 * set. */
static int host_open_path(lua_State *L)
{
  int fd = open(luaL_checkstring(L, 1), O_PATH | O_CLOEXEC);
  if (fd == -1) return luaL_error(L, "open failed");
  lua_pushinteger(L, fd);
  return 1;
}

/* host.fork() -> process id of the copy; 0 in the copy. */
static int host_fork(lua_State *L)
{
  pid_t pid = fork();
  if (pid == -1) return luaL_error(L, "fork failed");
  lua_pushinteger(L, pid);
  return 1;
}

/* host.descriptors() -> how many are open */
static int host_descriptors(lua_State *L)
{
  int count = 0;
  for (int fd = 0; fd < 1024; fd++) count += fcntl(fd, F_GETFD) != -1;
  lua_pushinteger(L, count);
  return 1;
}

static void *fork_and_call(void *L)
{
  pid_t pid = fork();
  if (pid == 0) _exit(lua_pcall(L, 0, 0, 0) == LUA_OK ? 0 : 1);
  return (void *)(intptr_t)pid;
}

/* host.forkInThread(function) -> process id of a copy that another thread has made, while this one
 * waits for it. The copy calls the function in that thread, and ends. */
static int host_fork_in_thread(lua_State *L)
{
  pthread_t thread;
  void *pid = NULL;
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  if (pthread_create(&thread, NULL, fork_and_call, L) != 0) return luaL_error(L, "no thread");
  pthread_join(thread, &pid);
  lua_pushinteger(L, (lua_Integer)(intptr_t)pid);
  return 1;
}

/* host.execute(path): executes a program instead of this one, with our descriptors. */
static int host_execute(lua_State *L)
{
  const char *path = luaL_checkstring(L, 1);
  execl(path, path, (char *)NULL);
  return luaL_error(L, "exec failed");
}

/* host.await(pid) -> status as waitpid(2) has it: waits for one child of the process. */
static int host_await(lua_State *L)
{
  int status = -1;
  while (waitpid((pid_t)luaL_checkinteger(L, 1), &status, 0) == -1) {
    if (errno != EINTR) return luaL_error(L, "waitpid failed");
  }
  lua_pushinteger(L, status);
  return 1;
}

/* host.exit(code): ends the process, and nothing else: no handler runs, nothing is flushed. */
static int host_exit(lua_State *L)
{
  _exit((int)luaL_optinteger(L, 1, 0));
}

/* host.close(): closes the Lua state in the middle of it all, and ends the process. */
static int host_close(lua_State *L)
{
  lua_close(L);
  _exit(0);
}

/* host.closeDescriptor(fd): whoever it belongs to. */
static int host_close_descriptor(lua_State *L)
{
  if (close((int)luaL_checkinteger(L, 1)) != 0) return luaL_error(L, "close failed");
  return 0;
}

static void *run_state(void *path)
{
  lua_State *L = luaL_newstate();
  char *failure = NULL;
  luaL_openlibs(L);
  if (luaL_dofile(L, path) != LUA_OK) failure = strdup(lua_tostring(L, -1));
  lua_close(L);
  free(path);
  return failure;
}

/* host.startThread(path) -> thread: runs a script in a Lua state and a thread of its own. */
static int host_start_thread(lua_State *L)
{
  pthread_t *thread = lua_newuserdatauv(L, sizeof *thread, 0);
  if (pthread_create(thread, NULL, run_state, strdup(luaL_checkstring(L, 1))) != 0) {
    return luaL_error(L, "no thread");
  }
  return 1;
}

/* host.joinThread(thread) -> what it has raised, or nil. */
static int host_join_thread(lua_State *L)
{
  void *failure = NULL;
  pthread_join(*(pthread_t *)lua_touserdata(L, 1), &failure);
  lua_pushstring(L, failure);
  free(failure);
  return 1;
}

int luaopen_host(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"handleSigchld", host_handle_sigchld},
      {"ignoreSigchld", host_ignore_sigchld},
      {"sigchld", host_sigchld},
      {"reapAll", host_reap_all},
      {"reapInHandler", host_reap_in_handler},
      {"interrupt", host_interrupt},
      {"interruptions", host_interruptions},
      {"setUid", host_set_uid},
      {"killAtExec", host_kill_at_exec},
      {"runOnOwnLoop", host_run_on_own_loop},
      {"poll", host_poll},
      {"send", host_send},
      {"receive", host_receive},
      {"openPath", host_open_path},
      {"fork", host_fork},
      {"descriptors", host_descriptors},
      {"forkInThread", host_fork_in_thread},
      {"execute", host_execute},
      {"await", host_await},
      {"exit", host_exit},
      {"close", host_close},
      {"closeDescriptor", host_close_descriptor},
      {"startThread", host_start_thread},
      {"joinThread", host_join_thread},
      {NULL, NULL},
  };
  luaL_newlib(L, functions);
  return 1;
}
