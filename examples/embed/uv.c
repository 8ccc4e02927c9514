/* A program with a libuv loop, which also runs child_process. It closes the module before the Lua
 * state, and so can end its loop although scripts have left something open. */
#include <child_process.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

static uv_loop_t loop;

/* Calls `stop` in the end, and leaves a timer and a child that runs. */
static const char script[] = "local cp = require('child_process')\n"
                             "require('child_process.timers').setInterval(function() end, 1000)\n"
                             "cp.spawn('cat')\n"
                             "cp.exec('echo hello', function(err, stdout)\n"
                             "  io.write('Lua: ', stdout)\n"
                             "  stop()\n"
                             "end)\n";

static int stop(lua_State *L)
{
  (void)L;
  uv_stop(&loop);
  return 0;
}

static void check(lua_State *L, int status)
{
  if (status != 0) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    exit(1);
  }
}

int main(void)
{
  lua_State *L = luaL_newstate();

  uv_loop_init(&loop);
  luaL_openlibs(L);
  lua_register(L, "stop", stop);
  child_process_set_loop(L, &loop);
  check(L, child_process_open(L));
  check(L, luaL_dostring(L, script));

  uv_run(&loop, UV_RUN_DEFAULT);
  /* An error of a listener has ended uv_run, too. Then this raises it. */
  check(L, luaL_dostring(L, "require('child_process').run('nowait')"));

  child_process_close(L);
  uv_run(&loop, UV_RUN_DEFAULT); /* frees what was closed, and ends: nothing is left in the loop */
  printf("C: uv_loop_close has returned %d\n", uv_loop_close(&loop));
  check(L, luaL_dostring(L, "print('Lua: the state is still open')"));
  lua_close(L);
  return 0;
}
