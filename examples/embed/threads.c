/* A program with two threads. Each has a Lua state, and each state uses child_process. */
#include <child_process.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <pthread.h>
#include <stdio.h>

/* Its argument is the thread's name. Threads share stdout, so a line is written in one piece. */
static const char script[] =
    "local name = ...\n"
    "local cp = require('child_process')\n"
    "local sum = 0\n"
    "for i = 1, 10 do\n"
    "  cp.exec('echo ' .. i, function(err, stdout) sum = sum + tonumber(stdout) end)\n"
    "end\n"
    "cp.run()\n"
    "io.write(('%s: the sum is %d\\n'):format(name, sum))\n";

static void *run(void *name)
{
  lua_State *L = luaL_newstate();

  luaL_openlibs(L);
  if (child_process_open(L) == 0 && luaL_loadstring(L, script) == 0) {
    lua_pushstring(L, name);
    if (lua_pcall(L, 1, 0, 0) == 0) {
      child_process_close(L);
      lua_close(L);
      return NULL;
    }
  }
  fprintf(stderr, "%s: %s\n", (const char *)name, lua_tostring(L, -1));
  lua_close(L);
  return name;
}

int main(void)
{
  pthread_t thread;
  void *failed = NULL;

  pthread_create(&thread, NULL, run, "one thread");
  if (run("the other thread") != NULL) {
    return 1;
  }
  pthread_join(thread, &failed);
  return failed == NULL ? 0 : 1;
}
