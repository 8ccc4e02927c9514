/* Describes the place of an error by the keys that lead to it. */
#include "codec/raise.h"

#include "compat/lua.h"
#include "core/base/assert.h"

#include <stdbool.h>
#include <string.h>

/* The number of keys shown at the start and at the end, and the number of bytes of each. */
enum { KEYS_SHOWN = 5, KEY_LENGTH = 40 };

/* Returns whether a key can follow a dot. */
static bool is_name(const char *text, size_t length)
{
  static const char characters[] = "0123456789"
                                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "_abcdefghijklmnopqrstuvwxyz";

  return strspn(text, characters) == length && length > 0 && *text > '9';
}

/* Pushes the notation of a key: ".name", "[3]" or "[\"a key\"]". */
static void push_key(lua_State *L, int index)
{
  size_t length = 0;
  const char *text = luaL_tolstring(L, index, &length);
  const char *form = is_name(text, length) ? ".%s" : "[\"%s\"]";

  if (lua_type(L, index) == LUA_TNUMBER) {
    form = "[%s]";
  }
  if (length > KEY_LENGTH) {
    lua_pushlstring(L, text, KEY_LENGTH);
    text = lua_pushfstring(L, "%s...", lua_tostring(L, -1));
    lua_remove(L, -2);
    lua_remove(L, -2);
  }
  lua_pushfstring(L, form, text);
  lua_remove(L, -2);
}

/* Pushes the place, without the keys in the middle if there are many. */
static void push_place(lua_State *L, int bottom, int levels)
{
  int top = lua_gettop(L);

  luaL_checkstack(L, 2 * KEYS_SHOWN + LUA_MINSTACK, NULL);
  lua_pushliteral(L, "message");
  for (int i = 0; i < levels; i++) {
    if (i == KEYS_SHOWN && levels > 2 * KEYS_SHOWN) {
      lua_pushliteral(L, " ... ");
      i = levels - KEYS_SHOWN;
    }
    push_key(L, bottom + 2 * i + 1);
  }
  lua_concat(L, lua_gettop(L) - top);
}

void cp_raise(lua_State *L, const void *maker, int bottom, int levels, const char *reason)
{
  int value = lua_gettop(L);

  CP_ASSERT(levels >= 0 && bottom + 2 * levels <= value);
  push_place(L, bottom, levels);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, maker) == LUA_TNIL) {
    lua_pushfstring(L, "%s %s", lua_tostring(L, -2), reason);
  } else {
    lua_insert(L, -2);
    lua_pushvalue(L, value);
    lua_pushstring(L, reason);
    /* function, place, value, reason */
    lua_call(L, 3, 1);
  }
  lua_error(L);
}

void cp_raise_memory(lua_State *L)
{
  lua_pushliteral(L, "not enough memory"); /* Lua has this string allocated */
  lua_error(L);
}
