#include "json.h"

#include "array.h"
#include "json_text.h"
#include "number.h"
#include "raise.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

/* Key in the registry: what makes an error. */
static const char ERROR_KEY = 0;

/* For each table that is open two values lie on the Lua stack, the next table's above those of the
 * one that it is in: the table, and the key of the member that is being written, as lua_next wants
 * it. For an array that is the index, and it is there only while a table within is open. */
typedef struct encoder {
  lua_State *L;
  cp_buffer *out;
  const void *array_mark; /* NULL as long as there was no metatable */
  int bottom;             /* where the outermost table lies */
  int wrapped;            /* so many outermost tables are not named in errors */
  int depth;
  lua_Integer index; /* of the innermost table, if it is an array */
  lua_Integer count;
  bool is_marked; /* the last table that was looked at has the mark of arrays */
  bool is_array[CP_JSON_DEPTH];
} encoder;

/* Room on the Lua stack is made for so many tables within each other at a time, and for all that is
 * pushed for a moment. */
enum { LEVELS = 8, STACK_NEEDED = 10 };

void cp_json_set_error(lua_State *L)
{
  lua_rawsetp(L, LUA_REGISTRYINDEX, &ERROR_KEY);
}

static int table_at(const encoder *e)
{
  return e->bottom + 2 * (e->depth - 1);
}

static bool in_array(const encoder *e)
{
  return e->depth > 0 && e->is_array[e->depth - 1];
}

/* Raises an error about the value on top, which is `levels` keys away from the outermost. */
static void raise_error(encoder *e, int levels, const char *reason)
{
  if (in_array(e)) {
    lua_pushinteger(e->L, e->index);
    lua_replace(e->L, table_at(e) + 1);
  }
  cp_raise(e->L, &ERROR_KEY, e->bottom + 2 * e->wrapped, levels - e->wrapped, reason);
}

/* Room for so many bytes more, at the end of what was written. */
static inline char *room(encoder *e, size_t size)
{
  if (cp_buffer_reserve(e->out, size) != 0) {
    cp_raise_memory(e->L);
  }
  return e->out->data + e->out->length;
}

static inline void put(encoder *e, const char *text, size_t length)
{
  memcpy(room(e, length), text, length);
  e->out->length += length;
}

static void put_string(encoder *e, int index, char after)
{
  size_t length = 0;
  const char *text = lua_tolstring(e->L, index, &length);

  if (cp_json_write_string(e->out, text, length, after) != 0) {
    cp_raise_memory(e->L);
  }
}

static void put_number(encoder *e)
{
  char *begin = room(e, CP_NUMBER_BOUND + 1);
  char *to = begin;

  if (lua_isinteger(e->L, -1)) {
    to += cp_number_write_integer(lua_tointeger(e->L, -1), to);
  } else {
    lua_Number real = lua_tonumber(e->L, -1);

    if (isfinite(real)) {
      to += cp_number_write_float(real, to);
    } else {
      memcpy(to, "null", 4);
      to += 4;
    }
  }
  *to++ = ',';
  e->out->length += (size_t)(to - begin);
}

/* Pushes a number that is a key as the string that it becomes. */
static void push_number_key(lua_State *L, int index)
{
  char text[CP_NUMBER_BOUND];
  lua_Number real = 0;

  if (lua_isinteger(L, index)) {
    lua_pushlstring(L, text, cp_number_write_integer(lua_tointeger(L, index), text));
    return;
  }
  real = lua_tonumber(L, index);
  if (isfinite(real)) {
    lua_pushlstring(L, text, cp_number_write_float(real, text));
  } else {
    lua_pushstring(L, real > 0 ? "Infinity" : "-Infinity");
  }
}

/* Puts the result of the function on top, which is the __tojson of the value below it, in the place
 * of both. The value's key is below that, or is the index. */
static void call_tojson(encoder *e)
{
  lua_State *L = e->L;

  /* value, function */
  lua_pushvalue(L, -2);
  if (e->depth == 0) {
    lua_pushliteral(L, "");
  } else if (in_array(e)) {
    lua_pushinteger(L, e->index);
    lua_tostring(L, -1);
  } else if (lua_type(L, -4) == LUA_TNUMBER) {
    push_number_key(L, -4);
  } else {
    lua_pushvalue(L, -4);
  }
  lua_call(L, 2, 1);
  lua_remove(L, -2);
}

/* Whether the value on top has a metatable, and whether that is the mark of arrays. */
static bool look_for_mark(encoder *e)
{
  bool has_metatable = lua_getmetatable(e->L, -1);

  e->is_marked = false;
  if (has_metatable) {
    if (e->array_mark == NULL) {
      cp_array_push_mark(e->L);
      e->array_mark = lua_topointer(e->L, -1);
      lua_pop(e->L, 1);
    }
    e->is_marked = lua_topointer(e->L, -1) == e->array_mark;
    lua_pop(e->L, 1);
  }
  return has_metatable;
}

bool cp_json_has_text(lua_State *L, int index, int type)
{
  switch (type) {
    case LUA_TBOOLEAN:
    case LUA_TNUMBER:
    case LUA_TSTRING:
    case LUA_TTABLE: return true;
    case LUA_TLIGHTUSERDATA: return lua_touserdata(L, index) == NULL;
    default: return false;
  }
}

/* Of the type of the value on top makes that of the value to write, which is the same, or the
 * result of its __tojson, which takes its place; LUA_TNONE if it has no text. */
static int resolve(encoder *e, int type)
{
  if (type == LUA_TTABLE ? !look_for_mark(e) || e->is_marked : cp_json_has_text(e->L, -1, type)) {
    return type;
  }
  if (luaL_getmetafield(e->L, -1, "__tojson") != LUA_TNIL) {
    call_tojson(e);
    type = lua_type(e->L, -1);
    if (type == LUA_TTABLE) {
      look_for_mark(e);
    }
  }
  return cp_json_has_text(e->L, -1, type) ? type : LUA_TNONE;
}

/* Looks for the table on top among those that it is in. */
static bool is_cycle(const encoder *e)
{
  const void *table = lua_topointer(e->L, -1);
  int last = table_at(e);

  for (int i = e->bottom; i <= last; i += 2) {
    if (lua_topointer(e->L, i) == table) {
      return true;
    }
  }
  return false;
}

/* Begins the table on top, whose members follow. */
static void begin_table(encoder *e)
{
  bool is_array = e->is_marked;
  lua_Unsigned length = lua_rawlen(e->L, -1);

  if (is_cycle(e)) {
    raise_error(e, e->depth, "closes a cycle");
  }
  if (e->depth == CP_JSON_DEPTH) {
    raise_error(e, e->depth, "is nested too deeply");
  }
  if (e->depth % LEVELS == 0) {
    luaL_checkstack(e->L, 2 * LEVELS + STACK_NEEDED, NULL);
  }
  if (!is_array && length > 0) {
    is_array = cp_array_is_sequence(e->L, length);
  }
  if (in_array(e)) {
    lua_pushinteger(e->L, e->index);
    lua_replace(e->L, -3);
  }
  lua_pushnil(e->L); /* before the first key */
  e->is_array[e->depth++] = is_array;
  e->index = 0;
  e->count = (lua_Integer)length;
  put(e, is_array ? "[" : "{", 1);
}

/* Ends the innermost table, and goes on with the one around it. */
static void end_table(encoder *e)
{
  char *last = NULL;

  room(e, 2);
  last = e->out->data + e->out->length - 1;
  if (*last != ',') { /* it is empty */
    last++;
  }
  last[0] = in_array(e) ? ']' : '}';
  last[1] = ',';
  e->out->length = (size_t)(last + 2 - e->out->data);

  lua_settop(e->L, table_at(e) - 1);
  e->depth--;
  if (in_array(e)) {
    e->index = lua_tointeger(e->L, -1);
    e->count = (lua_Integer)lua_rawlen(e->L, -2);
  }
}

/* Writes the value on top and a comma, and takes it off; or begins it, if it is a table. */
static void put_value(encoder *e, int type)
{
  switch (type) {
    case LUA_TTABLE: begin_table(e); return;
    case LUA_TSTRING: put_string(e, -1, ','); break;
    case LUA_TNUMBER: put_number(e); break;
    case LUA_TBOOLEAN:
      if (lua_toboolean(e->L, -1)) {
        put(e, "true,", 5);
      } else {
        put(e, "false,", 6);
      }
      break;
    default: put(e, "null,", 5); break;
  }
  lua_pop(e->L, 1);
}

static void put_entry(encoder *e)
{
  if (e->index == e->count) {
    end_table(e);
    return;
  }
  e->index++;
  put_value(e, resolve(e, lua_rawgeti(e->L, table_at(e), e->index)));
}

static void put_member(encoder *e)
{
  int key_type = LUA_TNONE, type = LUA_TNONE;

  if (lua_next(e->L, table_at(e)) == 0) {
    end_table(e);
    return;
  }
  /* key, value */
  key_type = lua_type(e->L, -2);
  if (key_type != LUA_TSTRING && key_type != LUA_TNUMBER) {
    lua_pop(e->L, 1);
    raise_error(e, e->depth - 1, "has a key that is neither a string nor a number");
  }
  type = resolve(e, lua_type(e->L, -1));
  if (type == LUA_TNONE) {
    lua_pop(e->L, 1);
    return;
  }
  if (key_type == LUA_TSTRING) {
    put_string(e, -2, ':');
  } else {
    push_number_key(e->L, -2);
    put_string(e, -1, ':');
    lua_pop(e->L, 1);
  }
  put_value(e, type);
}

bool cp_json_encode(lua_State *L, int index, int wrapped, cp_buffer *out)
{
  encoder e;
  int type = LUA_TNONE;

  luaL_checkstack(L, STACK_NEEDED, NULL);
  lua_pushvalue(L, index);
  e.array_mark = NULL;
  e.L = L;
  e.out = out;
  e.bottom = lua_gettop(L);
  e.wrapped = wrapped;
  e.depth = 0;
  type = resolve(&e, lua_type(L, -1));
  if (type == LUA_TNONE) {
    lua_pop(L, 1);
    return false;
  }
  put_value(&e, type);
  while (e.depth > 0) {
    if (in_array(&e)) {
      put_entry(&e);
    } else {
      put_member(&e);
    }
  }
  out->length--; /* the comma */
  return true;
}
