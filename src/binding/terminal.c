/* Terminals of children and our own: their sizes and modes. */
#include "binding/terminal.h"

#include "binding/numbers.h"
#include "binding/parts.h"
#include "binding/stream.h"
#include "core/process/own_terminal.h"
#include "core/process/terminal_signals.h"

/* Returns the number of columns or rows at `index`, which is an argument or a part of one. */
static int check_cells(lua_State *L, int index, int argument)
{
  int cells = cpl_check_int(L, index);

  luaL_argcheck(L, cells >= 1 && cells <= CP_TERMINAL_LARGEST, argument,
                "a number of columns or rows is at least 1 and at most 65535");
  return cells;
}

/* Reads a field of the table on top of the stack. */
static int read_cells(lua_State *L, const char *name)
{
  int cells = 0;

  lua_getfield(L, -1, name);
  cells = check_cells(L, -1, 2);
  lua_pop(L, 1);
  return cells;
}

static bool read_flag(lua_State *L, const char *name)
{
  bool flag = false;

  lua_getfield(L, -1, name);
  flag = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return flag;
}

void cpl_terminal_read(lua_State *L, cp_terminal *terminal)
{
  *terminal = (cp_terminal){.ours = -1, .theirs = -1};
  luaL_checktype(L, -1, LUA_TTABLE);
  if (lua_getfield(L, -1, "handle") != LUA_TNIL) {
    const cpl_stream_handle *handle = cpl_object_check(L, lua_gettop(L), cpl_stream_class);

    terminal->is_shared = true;
    terminal->theirs = handle->base.core != NULL ? cp_stream_kept(handle->base.core) : -1;
    luaL_argcheck(L, terminal->theirs != -1, 2, "the terminal is closed");
    lua_pop(L, 1);
    return;
  }
  lua_pop(L, 1);
  terminal->columns = read_cells(L, "columns");
  terminal->rows = read_cells(L, "rows");
  terminal->raw = read_flag(L, "raw");
  terminal->echo = read_flag(L, "echo");
}

void cpl_terminal_push(lua_State *L, cpl_state *state, cp_terminal *terminal)
{
  cpl_stream_push(L, state, terminal->ours,
                  CP_STREAM_TO_CHILD | CP_STREAM_READABLE | CP_STREAM_WRITABLE |
                      CP_STREAM_TERMINAL);
  terminal->ours = -1;
  cp_stream_keep_open(((cpl_stream_handle *)lua_touserdata(L, -1))->base.core, terminal->theirs);
}

/* handle:letEnd(): the child has ended. The stream ends when no other process has the terminal
 * open. */
static int terminal_let_end(lua_State *L)
{
  cp_stream_let_end(cpl_stream_check(L));
  return 0;
}

/* handle:isKept() -> whether the terminal may get further children: letEnd was not called */
static int terminal_is_kept(lua_State *L)
{
  const cpl_stream_handle *handle = cpl_object_check(L, 1, cpl_stream_class);

  lua_pushboolean(L, handle->base.core != NULL && cp_stream_kept(handle->base.core) != -1);
  return 1;
}

/* size(fd) -> columns, rows; or nil, errno */
static int terminal_size(lua_State *L)
{
  int columns = 0;
  int rows = 0;
  int r = cp_terminal_get_size(cpl_check_int(L, 1), &columns, &rows);

  if (r < 0) {
    return cpl_push_failure(L, r);
  }
  lua_pushinteger(L, columns);
  lua_pushinteger(L, rows);
  return 2;
}

/* resize(fd, columns, rows) -> errno */
static int terminal_resize(lua_State *L)
{
  int columns = check_cells(L, 2, 2);
  int rows = check_cells(L, 3, 3);

  return cpl_push_errno(L, cp_terminal_set_size(cpl_check_int(L, 1), columns, rows));
}

/* setRaw(fd, on) -> errno: see cp_terminal_set_raw. */
static int terminal_set_raw(lua_State *L)
{
  return cpl_push_errno(L, cp_terminal_set_raw(cpl_check_int(L, 1), lua_toboolean(L, 2)));
}

/* setEcho(fd, on) -> errno */
static int terminal_set_echo(lua_State *L)
{
  return cpl_push_errno(L, cp_terminal_set_echo(cpl_check_int(L, 1), lua_toboolean(L, 2)));
}

/* endOfFile(fd) -> the character that makes a program read end-of-file when it is typed; nil if
 * there is none, as in raw mode; or nil, errno */
static int terminal_end_of_file(lua_State *L)
{
  char character = '\0';
  int r = cp_terminal_end_of_file(cpl_check_int(L, 1), &character);

  if (r < 0) {
    return cpl_push_failure(L, r);
  } else if (r == 0) {
    return 0;
  }
  lua_pushlstring(L, &character, 1);
  return 1;
}

/* setOwnMode(fd, mode) -> errno: sets the mode of our own terminal, "usual", "raw" or "rawBoth":
 * see cp_own_terminal_mode. */
static int terminal_set_own_mode(lua_State *L)
{
  static const char *const modes[] = {
      [CP_OWN_TERMINAL_USUAL] = "usual",
      [CP_OWN_TERMINAL_RAW] = "raw",
      [CP_OWN_TERMINAL_RAW_BOTH] = "rawBoth",
      NULL,
  };
  int mode = luaL_checkoption(L, 2, NULL, modes);

  return cpl_push_errno(L,
                        cp_own_terminal_set_mode(cpl_check_int(L, 1), (cp_own_terminal_mode)mode));
}

/* forward(signum): passes a signal of our terminal on to trees, see terminal_signals.h. */
static int terminal_forward(lua_State *L)
{
  cp_terminal_signals_forward(cpl_check_int(L, 1));
  return 0;
}

void cpl_add_terminal(lua_State *L)
{
  static const luaL_Reg methods[] = {
      {"letEnd", terminal_let_end},
      {"isKept", terminal_is_kept},
      {NULL, NULL},
  };
  static const luaL_Reg functions[] = {
      {"size", terminal_size},
      {"resize", terminal_resize},
      {"setRaw", terminal_set_raw},
      {"setEcho", terminal_set_echo},
      {"endOfFile", terminal_end_of_file},
      {"setOwnMode", terminal_set_own_mode},
      {"forward", terminal_forward},
      {NULL, NULL},
  };

  cpl_object_add_methods(L, cpl_stream_class, methods);
  luaL_newlib(L, functions);
  lua_pushinteger(L, CP_TERMINAL_LARGEST);
  lua_setfield(L, -2, "LARGEST");
  lua_pushinteger(L, CP_TERMINAL_TIME_TO_END_MS);
  lua_setfield(L, -2, "TIME_TO_END");
  lua_setfield(L, -2, "terminal");
}
