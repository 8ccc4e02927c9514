/* Looks at the keys of a table, all of them only if it is marked as an array. */
#include "codec/clone/shape.h"

#include "codec/array.h"
#include "codec/clone/output.h"
#include "codec/number/number.h"

#include <math.h>
#include <string.h>

/* Up to this magnitude every integer is a JavaScript number. */
#define LARGEST_EXACT ((lua_Integer)1 << 53)

/* Returns whether the key on top of the stack is a string that a JavaScript array can have besides
 * its elements: neither like the name of an element nor "length". */
static bool is_other_name(lua_State *L)
{
  size_t length = 0;
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;

  return text != NULL && (*text < '0' || *text > '9') && strcmp(text, "length") != 0 &&
         cp_clone_is_text(text, length);
}

/* Returns the shape of a marked table. */
static cp_clone_shape look_at_keys(lua_State *L)
{
  cp_clone_shape shape = {.is_array = true};
  lua_Unsigned count = 0;

  lua_pushnil(L);
  while (lua_next(L, -2) != 0) {
    lua_pop(L, 1);
    if (lua_isinteger(L, -1)) {
      lua_Unsigned key = (lua_Unsigned)lua_tointeger(L, -1);

      shape.is_array = key - 1 < CP_CLONE_LONGEST_ARRAY;
      shape.length = key > shape.length ? (uint32_t)key : shape.length;
      count++;
    } else {
      shape.is_array = is_other_name(L);
      shape.has_others = true;
    }
    if (!shape.is_array) {
      lua_pop(L, 1);
      break;
    }
  }
  shape.is_sparse = !cp_array_is_dense(shape.length, count);
  return shape;
}

cp_clone_shape cp_clone_shape_of(lua_State *L, bool is_marked)
{
  lua_Unsigned border = lua_rawlen(L, -1);
  cp_clone_shape shape = {.is_array = false};

  if (is_marked) {
    return look_at_keys(L);
  }
  shape.is_array =
      border > 0 && border <= CP_CLONE_LONGEST_ARRAY && cp_array_is_sequence(L, border);
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

    if (!isfinite(real) || (floor(real) == real && real != 0)) {
      return false;
    }
    length = cp_number_write_name(real, text);
  }
  lua_pushlstring(L, text, length);
  is_free = lua_rawget(L, table) == LUA_TNIL;
  lua_pop(L, 1);
  return is_free;
}
