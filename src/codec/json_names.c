#include "json_names.h"

#include <string.h>

/* Each name has one place, which it shares with others: the last one that came has it. */
static unsigned place_of(const char *text, size_t length)
{
  const unsigned char *bytes = (const unsigned char *)text;

  if (length == 0) {
    return 0;
  }
  return ((unsigned)length * 5 + bytes[0] + bytes[length / 2] * 7u + bytes[length - 1] * 3u) %
         CP_JSON_NAMES;
}

void cp_json_names_init(cp_json_names *names, lua_State *L)
{
  names->bottom = lua_gettop(L) + 1;
  lua_settop(L, lua_gettop(L) + CP_JSON_NAMES);
  memset(names->entries, 0, sizeof(names->entries));
}

void cp_json_names_push(cp_json_names *names, lua_State *L, const char *text, size_t length)
{
  unsigned place = place_of(text, length);
  int index = names->bottom + (int)place;

  if (names->entries[place].length == length && length > 0 &&
      memcmp(names->entries[place].text, text, length) == 0) {
    lua_pushvalue(L, index);
    return;
  }
  lua_pushlstring(L, text, length);
  lua_copy(L, -1, index);
  names->entries[place].text = text;
  names->entries[place].length = length;
}
