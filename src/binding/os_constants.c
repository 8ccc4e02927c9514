/* Names and numbers of signals and of errors of the system. */
#include "binding/numbers.h"
#include "binding/parts.h"
#include "core/process/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

enum { MOST_ERRORS = 256 };

/* Adds name to number and number to name to the table on top of the stack. */
static void add_name(lua_State *L, const char *name, int number)
{
  lua_pushinteger(L, number);
  lua_setfield(L, -2, name);
  lua_pushstring(L, name);
  lua_rawseti(L, -2, number);
}

static void push_signals(lua_State *L)
{
  lua_newtable(L);
#ifdef SIGRTMIN
  for (int number = SIGRTMIN + 1; number < SIGRTMAX; number++) {
    char name[32];

    snprintf(name, sizeof(name), "SIGRTMIN+%d", number - SIGRTMIN);
    add_name(L, name, number);
  }
#endif
  for (const cp_signal_name *signal = cp_signal_names; signal->name != NULL; signal++) {
    add_name(L, signal->name, signal->number);
  }
}

static void push_errors(lua_State *L)
{
  static const char unknown[] = "Unknown";

  lua_newtable(L);
  for (int number = 1; number < MOST_ERRORS; number++) {
    char name[64];

    uv_err_name_r(-number, name, sizeof(name));
    if (strncmp(name, unknown, sizeof(unknown) - 1) != 0) {
      add_name(L, name, number);
    }
  }
  /* libuv has no names for these. */
  add_name(L, "ECHILD", ECHILD);
  add_name(L, "EDQUOT", EDQUOT);
#ifdef ELIBBAD
  add_name(L, "ELIBBAD", ELIBBAD);
#endif
  add_name(L, "ENOEXEC", ENOEXEC);
}

/* __index(core, key): makes core.signals or core.errno, tables from name to number and from number
 * to name. They have hundreds of names, so they are made only when they are first used: a forked
 * child should not have to wait for them. */
static int names_index(lua_State *L)
{
  const char *key = lua_tostring(L, 2);

  if (key != NULL && strcmp(key, "signals") == 0) {
    push_signals(L);
  } else if (key != NULL && strcmp(key, "errno") == 0) {
    push_errors(L);
  } else {
    return 0;
  }
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, 1);
  return 1;
}

/* errorText(errno) -> description of the error */
static int error_text(lua_State *L)
{
  char text[128];

  lua_pushstring(L, uv_strerror_r(cpl_check_int(L, 1), text, sizeof(text)));
  return 1;
}

void cpl_add_os_constants(lua_State *L)
{
  lua_pushcfunction(L, error_text);
  lua_setfield(L, -2, "errorText");
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, names_index);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
}
