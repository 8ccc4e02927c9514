/*
 * A program that contains the module: embed_host SCRIPT [ARGUMENT...]. The script finds in the
 * table `host` what such programs call; it runs in a state in which the module was not loaded.
 */
#include <child_process.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

static uv_loop_t loop;

/* host.open() -> status, the module or a message */
static int host_open(lua_State *L)
{
  int status = child_process_open(L);

  lua_pushinteger(L, status);
  lua_insert(L, -2);
  return 2;
}

/* host.close() -> errno */
static int host_close(lua_State *L)
{
  lua_pushinteger(L, child_process_close(L));
  return 1;
}

/* host.preload(): as programs do whose scripts load the module when they need it. */
static int host_preload(lua_State *L)
{
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, luaopen_child_process_core);
  lua_setfield(L, -2, "child_process.core");
  return 0;
}

/* host.version() -> of the library, of the header, the header's number */
static int host_version(lua_State *L)
{
  lua_pushstring(L, child_process_version());
  lua_pushstring(L, CHILD_PROCESS_VERSION);
  lua_pushinteger(L, CHILD_PROCESS_VERSION_NUMBER);
  return 3;
}

/* host.useLoop() -> errno: has the module use a libuv loop of ours. */
static int host_use_loop(lua_State *L)
{
  static bool is_made;

  if (!is_made) uv_loop_init(&loop);
  is_made = true;
  lua_pushinteger(L, child_process_set_loop(L, &loop));
  return 1;
}

/* host.useOwnLoop() -> errno */
static int host_use_own_loop(lua_State *L)
{
  lua_pushinteger(L, child_process_set_loop(L, NULL));
  return 1;
}

/* host.runLoop() -> whether anything is left in our loop */
static int host_run_loop(lua_State *L)
{
  lua_pushboolean(L, uv_run(&loop, UV_RUN_DEFAULT));
  return 1;
}

static uv_timer_t timer;

static void on_timer(uv_timer_t *unused)
{
  (void)unused;
}

/* host.startTimer(): starts a timer of an hour on our loop. */
static int host_start_timer(lua_State *L)
{
  (void)L;
  uv_timer_init(&loop, &timer);
  uv_timer_start(&timer, on_timer, 3600000, 0);
  return 0;
}

/* host.closeTimer() */
static int host_close_timer(lua_State *L)
{
  (void)L;
  uv_close((uv_handle_t *)&timer, NULL);
  return 0;
}

/* host.stopLoop() */
static int host_stop_loop(lua_State *L)
{
  (void)L;
  uv_stop(&loop);
  return 0;
}

/* host.closeLoop() -> the result of uv_loop_close */
static int host_close_loop(lua_State *L)
{
  lua_pushinteger(L, uv_loop_close(&loop));
  return 1;
}

/* host.forkLoop() -> the result of uv_loop_fork, which libuv asks for in a copy of the process */
static int host_fork_loop(lua_State *L)
{
  lua_pushinteger(L, uv_loop_fork(&loop));
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

/* host.fork() -> process id of the copy; 0 in the copy */
static int host_fork(lua_State *L)
{
  fflush(NULL);
  lua_pushinteger(L, fork());
  return 1;
}

/* host.await(pid) -> status as waitpid(2) has it */
static int host_await(lua_State *L)
{
  int status = -1;

  waitpid((pid_t)luaL_checkinteger(L, 1), &status, 0);
  lua_pushinteger(L, status);
  return 1;
}

static void print_error(lua_State *L)
{
  lua_getglobal(L, "tostring");
  lua_insert(L, -2);
  lua_call(L, 1, 1);
  fprintf(stderr, "%s\n", lua_tostring(L, -1));
}

int main(int argc, char **argv)
{
  static const luaL_Reg functions[] = {
      {"open", host_open},
      {"close", host_close},
      {"preload", host_preload},
      {"version", host_version},
      {"useLoop", host_use_loop},
      {"useOwnLoop", host_use_own_loop},
      {"runLoop", host_run_loop},
      {"startTimer", host_start_timer},
      {"closeTimer", host_close_timer},
      {"stopLoop", host_stop_loop},
      {"closeLoop", host_close_loop},
      {"fork", host_fork},
      {"forkLoop", host_fork_loop},
      {"await", host_await},
      {"descriptors", host_descriptors},
  };
  lua_State *L = luaL_newstate();
  int failed = 0;

  if (L == NULL || argc < 2) return 2;
  luaL_openlibs(L);
  lua_newtable(L);
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    lua_pushcfunction(L, functions[i].func);
    lua_setfield(L, -2, functions[i].name);
  }
  lua_setglobal(L, "host");
  if (luaL_loadfile(L, argv[1]) == 0) {
    for (int i = 2; i < argc; i++) lua_pushstring(L, argv[i]);
    failed = lua_pcall(L, argc - 2, 0, 0);
  } else {
    failed = 1;
  }
  if (failed) print_error(L);
  lua_close(L);
  return failed ? 1 : 0;
}
