#include "clone_shape.h"

#include "array.h"
#include "clone_output.h"
#include "number.h"

#include <math.h>
#include <string.h>

/* Beyond these not every integer is a JavaScript number. */
#define LARGEST_EXACT ((lua_Integer)1 << 53)

/* Whether the key on top is a string that a JavaScript array can have beside its entries: not like the
 * name of one, nor what every array has. */
static bool is_other_name(lua_State *L)
{
  size_t length = 0;
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;

  return text != NULL && (*text < '0' || *text > '9') && strcmp(text, "length") != 0 &&
         cp_clone_is_text(text, length);
}

/* Looks at all keys of a marked table. */
static cp_clone_shape look_at_keys(lua_State *L, lua_Unsigned border)
{
  cp_clone_shape shape = {.is_array = true, .length = (uint32_t)border};

  lua_pushnil(L);
  while (lua_next(L, -2) != 0) {
    lua_pop(L, 1);
    if (lua_isinteger(L, -1)) {
      lua_Unsigned key = (lua_Unsigned)lua_tointeger(L, -1);

      shape.is_array = key - 1 < CP_CLONE_LONGEST_ARRAY;
      if (key > shape.length) {
        shape.length = (uint32_t)key;
        shape.is_sparse = true;
      }
    } else {
      shape.is_array = is_other_name(L);
      shape.has_others = true;
    }
    if (!shape.is_array) {
      lua_pop(L, 1);
      break;
    }
  }
  return shape;
}

cp_clone_shape cp_clone_shape_of(lua_State *L, bool is_marked)
{
  lua_Unsigned border = lua_rawlen(L, -1);
  cp_clone_shape shape = {.is_array = false};

  if (border > CP_CLONE_LONGEST_ARRAY) {
    return shape;
  }
  if (is_marked) {
    return look_at_keys(L, border);
  }
  shape.is_array = border > 0 && cp_array_is_sequence(L, border);
  shape.length = (uint32_t)border;
  return shape;
}

bool cp_clone_is_name(lua_State *L, int table, int key)
{
  char text[CP_NUMBER_BOUND];
  size_t length = 0;
  bool is_free = false;

  if (lua_isinteger(L, key)) {
    lua_Integer integer = lua_tointeger(L, key);

    if (integer < -LARGEST_EXACT || integer > LARGEST_EXACT) {
      return false;
    }
    length = cp_number_write_integer(integer, text);
  } else {
    lua_Number real = lua_tonumber(L, key);

    if (!isfinite(real) || floor(real) == real) {
      return false;
    }
    length = cp_number_write_float(real, text);
  }
  lua_pushlstring(L, text, length);
  is_free = lua_rawget(L, table) == LUA_TNIL;
  lua_pop(L, 1);
  return is_free;
}
