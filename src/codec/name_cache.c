/* A hash table without chains: a name replaces the name that had its place before. */
#include "codec/name_cache.h"

#include "core/base/assert.h"

#include <string.h>

static unsigned place_of(const char *text, size_t length)
{
  const unsigned char *bytes = (const unsigned char *)text;

  if (length == 0) {
    return 0;
  }
  return ((unsigned)length * 5 + bytes[0] + bytes[length / 2] * 7u + bytes[length - 1] * 3u) %
         CP_NAME_CACHE_SIZE;
}

void cp_name_cache_init(cp_name_cache *names, lua_State *L)
{
  names->bottom = lua_gettop(L) + 1;
  lua_settop(L, lua_gettop(L) + CP_NAME_CACHE_SIZE);
  memset(names->entries, 0, sizeof(names->entries));
}

static bool is_at(const cp_name_cache *names, unsigned place, const char *text, size_t length)
{
  return names->entries[place].length == length && length > 0 &&
         memcmp(names->entries[place].text, text, length) == 0;
}

bool cp_name_cache_push_known(const cp_name_cache *names, lua_State *L, const char *text,
                              size_t length)
{
  unsigned place = place_of(text, length);

  if (!is_at(names, place, text, length)) {
    return false;
  }
  CP_ASSERT(lua_type(L, names->bottom + (int)place) == LUA_TSTRING);
  lua_pushvalue(L, names->bottom + (int)place);
  return true;
}

void cp_name_cache_push(cp_name_cache *names, lua_State *L, const char *text, size_t length)
{
  unsigned place = place_of(text, length);

  if (is_at(names, place, text, length)) {
    CP_ASSERT(lua_type(L, names->bottom + (int)place) == LUA_TSTRING);
    lua_pushvalue(L, names->bottom + (int)place);
    return;
  }
  lua_pushlstring(L, text, length);
  lua_copy(L, -1, names->bottom + (int)place);
  names->entries[place].text = text;
  names->entries[place].length = length;
}
