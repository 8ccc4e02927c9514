/* The Lua interpreter for `make test-asan` and `make test-tsan`: as much of the stock one as the
 * specs use (-e, -l, a script or standard input, and its arguments), in a program that can be
 * linked with sanitizers. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#ifdef __SANITIZE_THREAD__
/* libuv closes descriptors by a bare system call, which the sanitizer does not see: it would take
 * the next thread that gets the number for one that meddles with the descriptor of before. */

#include <dlfcn.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

static long (*system_call)(long, ...);

__attribute__((constructor)) static void find_system_call(void)
{
  *(void **)&system_call = dlsym(RTLD_NEXT, "syscall");
}

__attribute__((no_sanitize("thread"), visibility("default"))) long syscall(long number, ...)
{
  long a[6];
  va_list list;

  va_start(list, number);
  for (int i = 0; i < 6; i++) {
    a[i] = va_arg(list, long);
  }
  va_end(list);
  return number == SYS_close ? close((int)a[0])
                             : system_call(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
#endif

/* SIGINT while code runs, as in the stock interpreter: the first one raises "interrupted!" from a
 * hook, a second one ends the program. */

static lua_State *interruptible;
static const char *program;

static void raise_interrupted(lua_State *L, lua_Debug *unused)
{
  (void)unused;
  lua_sethook(L, NULL, 0, 0);
  luaL_error(L, "interrupted!");
}

static void on_interrupt(int signum)
{
  int mask = LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT;

  signal(signum, SIG_DFL);
  lua_sethook(interruptible, raise_interrupted, mask, 1);
}

static int traceback(lua_State *L)
{
  luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
  return 1;
}

/* Calls the function below `arguments` values on the stack; it stays silent when `status`, that of
 * compiling the function, is an error already and its message is on the stack instead. */
static int call(lua_State *L, int status, int arguments)
{
  if (status == LUA_OK) {
    int function = lua_gettop(L) - arguments;
    lua_pushcfunction(L, traceback);
    lua_insert(L, function);
    interruptible = L;
    signal(SIGINT, on_interrupt);
    status = lua_pcall(L, arguments, 0, function);
    signal(SIGINT, SIG_DFL);
    lua_remove(L, function);
  }
  if (status != LUA_OK) {
    fprintf(stderr, "%s: %s\n", program, lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  return status;
}

static void set_arg(lua_State *L, int argc, char **argv, int script)
{
  lua_createtable(L, argc - script, script + 1);
  for (int i = 0; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i - script);
  }
  lua_setglobal(L, "arg");
}

static int run(lua_State *L, int argc, char **argv)
{
  int script = 1;
  while (script + 1 < argc &&
         (strcmp(argv[script], "-e") == 0 || strcmp(argv[script], "-l") == 0)) {
    script += 2;
  }
  set_arg(L, argc, argv, script < argc ? script : 0);

  for (int i = 1; i < script; i += 2) {
    int status = LUA_OK;
    if (strcmp(argv[i], "-e") == 0) {
      status = call(L, luaL_loadbuffer(L, argv[i + 1], strlen(argv[i + 1]), "=(command line)"), 0);
    } else {
      lua_getglobal(L, "require");
      lua_pushstring(L, argv[i + 1]);
      status = call(L, LUA_OK, 1);
    }
    if (status != LUA_OK) {
      return status;
    }
  }

  if (script >= argc && script > 1) {
    return LUA_OK;
  }
  const char *file = script < argc && strcmp(argv[script], "-") != 0 ? argv[script] : NULL;
  int status = luaL_loadfile(L, file);
  int arguments = 0;
  for (int i = script + 1; status == LUA_OK && i < argc; i++, arguments++) {
    luaL_checkstack(L, 1, "too many arguments");
    lua_pushstring(L, argv[i]);
  }
  return call(L, status, arguments);
}

/* A function in C, which stands at the end of tracebacks as in the stock interpreter. */
static int run_protected(lua_State *L)
{
  int argc = (int)lua_tointeger(L, 1);
  char **argv = lua_touserdata(L, 2);

  lua_settop(L, 0);
  lua_pushboolean(L, run(L, argc, argv) == LUA_OK);
  return 1;
}

int main(int argc, char **argv)
{
  lua_State *L = luaL_newstate();
  if (L == NULL) {
    return 1;
  }
  program = argv[0];
  luaL_openlibs(L);
  lua_gc(L, LUA_GCGEN, 0, 0);
  lua_pushcfunction(L, run_protected);
  lua_pushinteger(L, argc);
  lua_pushlightuserdata(L, argv);
  bool good = lua_pcall(L, 2, 1, 0) == LUA_OK && lua_toboolean(L, -1);
  lua_close(L);
  return good ? 0 : 1;
}
