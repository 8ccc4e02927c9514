/* A program that has an epoll loop, a SIGCHLD handler and a child of its own, and lets Lua start
 * children, too. Its loop drives that of child_process; each side waits for its own children. */
#define _GNU_SOURCE /* pipe2 */
#include <child_process.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

/* Returns at once. What it has started goes on while our loop runs. */
static const char script[] =
    "local cp = require('child_process')\n"
    "cp.async(function()\n"
    "  local child = cp.spawn('sh', {'-c', 'read line; echo \"$line\"; exit 3'})\n"
    "  child.stdin:finish('hello\\n')\n"
    "  print('Lua: its child says ' .. child.stdout:readLine())\n"
    "  print('Lua: its child has exited with ' .. child:wait('exit'))\n"
    "end)\n";

static int sigchld_pipe[2];

static void on_sigchld(int signum)
{
  (void)signum;
  if (write(sigchld_pipe[1], "", 1) == -1) {
    /* The pipe is full, so the loop will wake up anyway. */
  }
}

static void handle_sigchld(void)
{
  struct sigaction action = {.sa_handler = on_sigchld, .sa_flags = SA_RESTART | SA_NOCLDSTOP};

  if (pipe2(sigchld_pipe, O_CLOEXEC | O_NONBLOCK) == -1 ||
      sigaction(SIGCHLD, &action, NULL) == -1) {
    perror("SIGCHLD");
    exit(1);
  }
}

static pid_t start_own_child(void)
{
  pid_t pid = fork();

  if (pid == 0) {
    execlp("sh", "sh", "-c", "sleep 0.1; exit 7", (char *)NULL);
    _exit(127);
  }
  return pid;
}

/* Returns whether the child has ended. Waits for this child alone: others belong to Lua. */
static bool reap_own_child(pid_t pid)
{
  char signals[64];
  int status = 0;

  while (read(sigchld_pipe[0], signals, sizeof(signals)) > 0) {
  }
  if (waitpid(pid, &status, WNOHANG) != pid) {
    return false;
  }
  printf("C: its child has exited with %d\n", WEXITSTATUS(status));
  return true;
}

static void check(lua_State *L, int status)
{
  if (status != 0) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    exit(1);
  }
}

/* Calls a function of the module child_process.loop, and leaves its result on the stack. */
static void call_loop(lua_State *L, const char *function, const char *argument)
{
  lua_getfield(L, 1, function);
  lua_pushstring(L, argument);
  check(L, lua_pcall(L, 1, 1, 0)); /* run raises the errors of listeners */
}

static void add(int set, int fd)
{
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

  epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}

/* Runs until neither Lua nor we have anything to wait for. Index 1 has the module. */
static void run(lua_State *L, int set, pid_t child)
{
  bool alive = true;
  struct epoll_event events[8];

  while (alive || child != 0) {
    epoll_wait(set, events, 8, -1);
    if (child != 0 && reap_own_child(child)) {
      child = 0;
    }
    call_loop(L, "run", "nowait");
    alive = lua_toboolean(L, -1);
    lua_settop(L, 1);
  }
}

int main(void)
{
  lua_State *L = luaL_newstate();
  int set = epoll_create1(EPOLL_CLOEXEC);
  pid_t child = 0;

  handle_sigchld();
  add(set, sigchld_pipe[0]);
  child = start_own_child();

  luaL_openlibs(L);
  check(L, child_process_open(L));
  lua_pop(L, 1);
  check(L, luaL_dostring(L, "return require('child_process.loop')"));
  call_loop(L, "fd", NULL);
  add(set, (int)lua_tointeger(L, -1));
  lua_settop(L, 1);

  check(L, luaL_dostring(L, script));
  run(L, set, child);
  child_process_close(L);
  printf("C: %s child is left\n", waitpid(-1, NULL, WNOHANG) == -1 ? "no" : "a");
  lua_close(L);
  return 0;
}
