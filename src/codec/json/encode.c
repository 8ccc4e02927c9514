/* Encodes a value from start to end. Each step writes one member of the innermost table, or its
 * end. */
#include "codec/json/json.h"

#include "codec/array.h"
#include "codec/json/escape.h"
#include "codec/number/number.h"
#include "codec/raise.h"
#include "compat/int64.h"
#include "core/base/assert.h"

#include <math.h>
#include <string.h>

/* Key in the registry: the function that makes the errors. */
static const char ERROR_KEY = 0;

typedef enum table_form {
  OBJECT,
  SEQUENCE,
  HOLEY, /* an array whose length lua_rawlen may not tell */
} table_form;

/* Each open table has two values on the Lua stack, above those of the table around it: the table
 * itself, and the key of its current member, as lua_next expects it. The key of an array is the
 * index; its slot is up to date only while a nested table is open. Below the outermost table is a
 * slot for a userdata.
 *
 * A metamethod may encode something itself, and Lua nests such calls deeply, so this is small. */
typedef struct encoder {
  lua_State *L;
  cp_buffer *out;
  const void *array_mark; /* the metatable that marks arrays; NULL until it is needed */
  int bottom;             /* stack index of the outermost table */
  int wrapped;            /* number of outermost tables that errors do not name */
  int depth;
  lua_Integer index;   /* of the current entry, if the innermost table is an array */
  lua_Integer count;   /* of its entries */
  lua_Integer *counts; /* the same by depth for HOLEY arrays; NULL until there is one */
  bool is_marked;      /* the table that look_for_mark saw last has the array mark */
  uint8_t forms[CP_JSON_DEPTH];
} encoder;

/* Stack slots are reserved for this many levels at a time, and for the values that one step
 * pushes. */
enum { LEVELS = 8, STACK_NEEDED = 11 };

void cp_json_set_error_maker(lua_State *L)
{
  lua_rawsetp(L, LUA_REGISTRYINDEX, &ERROR_KEY);
}

/* The stack index of the innermost table. */
static int table_at(const encoder *e)
{
  return e->bottom + 2 * (e->depth - 1);
}

static bool in_array(const encoder *e)
{
  return e->depth > 0 && e->forms[e->depth - 1] != OBJECT;
}

/* Raises an error about the value on top of the stack. `levels` keys lead from the outermost value
 * to it. */
static void raise_error(encoder *e, int levels, const char *reason)
{
  if (in_array(e)) {
    lua_pushinteger(e->L, e->index);
    lua_replace(e->L, table_at(e) + 1);
  }
  cp_raise(e->L, &ERROR_KEY, e->bottom + 2 * e->wrapped, levels - e->wrapped, reason);
}

/* Makes room for `size` more bytes, and returns a pointer to it. */
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
  char *start = room(e, CP_NUMBER_BOUND + 1);
  char *to = start;

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
  e->out->length += (size_t)(to - start);
}

/* Writes an integer of 64 bits, the only cdata that can be sent. */
static void put_cdata(encoder *e)
{
  int64_t integer = 0;
  char *start = NULL, *to = NULL;

  if (!cp_int64_read(e->L, &integer)) {
    raise_error(e, e->depth, CP_CDATA_REASON);
  }
  start = to = room(e, CP_NUMBER_BOUND + 1);
  to += cp_number_write_integer(integer, to);
  *to++ = ',';
  e->out->length += (size_t)(to - start);
}

/* Pushes the string that a number key becomes. An integer keeps all its digits, as the name of a
 * JavaScript bigint does. */
static void push_number_key(lua_State *L, int index)
{
  char text[CP_NUMBER_BOUND];
  size_t length = 0;

  if (lua_isinteger(L, index)) {
    length = cp_number_write_integer(lua_tointeger(L, index), text);
  } else {
    length = cp_number_write_name(lua_tonumber(L, index), text);
  }
  lua_pushlstring(L, text, length);
}

/* Replaces the value below the top of the stack, and its __tojson on top, by the result of calling
 * it. The key of the value is below the value, or is the index. */
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

/* Returns whether the value on top of the stack has a metatable. `is_marked` becomes true if that
 * is the array mark. */
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
    case LUA_TTABLE:
    case CP_LUA_TCDATA: return true;
    case LUA_TLIGHTUSERDATA: return lua_touserdata(L, index) == NULL;
    default: return false;
  }
}

/* Replaces the value on top of the stack, of the given type, by the result of its __tojson if it
 * has one. Returns the type of the value to write, or LUA_TNONE if it has no JSON text. */
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

/* Returns whether the table on top of the stack is one of the open tables. */
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

static void keep_count(encoder *e)
{
  if (e->counts == NULL) {
    e->counts = lua_newuserdatauv(e->L, CP_JSON_DEPTH * sizeof(*e->counts), 0);
    lua_replace(e->L, e->bottom - 1);
  }
  e->counts[e->depth] = e->count;
}

/* Looks at the keys of the table on top of the stack. */
static table_form find_form(encoder *e)
{
  lua_Unsigned length = lua_rawlen(e->L, -1);

  e->count = (lua_Integer)length;
  if (!e->is_marked) {
    return length > 0 && cp_array_is_sequence(e->L, length) ? SEQUENCE : OBJECT;
  }
  e->count = (lua_Integer)cp_array_length(e->L);
  if (e->count == (lua_Integer)length) {
    return SEQUENCE;
  }
  keep_count(e);
  return HOLEY;
}

/* Opens the table on top of the stack as the innermost one. */
static void open_table(encoder *e)
{
  table_form form = OBJECT;

  if (is_cycle(e)) {
    raise_error(e, e->depth, "closes a cycle");
  }
  if (e->depth == CP_JSON_DEPTH) {
    raise_error(e, e->depth, "is nested too deeply");
  }
  if (e->depth % LEVELS == 0) {
    luaL_checkstack(e->L, 2 * LEVELS + STACK_NEEDED, NULL);
  }
  form = find_form(e);
  if (in_array(e)) {
    lua_pushinteger(e->L, e->index);
    lua_replace(e->L, -3);
  }
  lua_pushnil(e->L); /* lua_next finds the first key after nil */
  e->forms[e->depth++] = (uint8_t)form;
  e->index = 0;
  put(e, form == OBJECT ? "{" : "[", 1);
}

/* Writes the end of the innermost table, and returns to the table around it. */
static void close_table(encoder *e)
{
  char *last = NULL;

  room(e, 2);
  last = e->out->data + e->out->length - 1;
  if (*last != ',') { /* the table is empty */
    last++;
  }
  last[0] = in_array(e) ? ']' : '}';
  last[1] = ',';
  cp_buffer_end_at(e->out, last + 2);

  lua_settop(e->L, table_at(e) - 1);
  e->depth--;
  if (in_array(e)) {
    e->index = lua_tointeger(e->L, -1);
    e->count = e->forms[e->depth - 1] == HOLEY ? e->counts[e->depth - 1]
                                               : (lua_Integer)lua_rawlen(e->L, -2);
  }
}

/* Writes the value on top of the stack and a comma, and pops it; or opens it, if it is a table. */
static void put_value(encoder *e, int type)
{
  switch (type) {
    case LUA_TTABLE: open_table(e); return;
    case LUA_TSTRING: put_string(e, -1, ','); break;
    case LUA_TNUMBER: put_number(e); break;
    case LUA_TBOOLEAN:
      if (lua_toboolean(e->L, -1)) {
        put(e, "true,", 5);
      } else {
        put(e, "false,", 6);
      }
      break;
    case CP_LUA_TCDATA: put_cdata(e); break;
    default: put(e, "null,", 5); break;
  }
  lua_pop(e->L, 1);
}

/* Writes the next entry of the innermost table, an array, or its end. */
static void put_entry(encoder *e)
{
  if (e->index == e->count) {
    close_table(e);
    return;
  }
  e->index++;
  put_value(e, resolve(e, lua_rawgeti(e->L, table_at(e), e->index)));
}

/* Writes the next member of the innermost table, an object, or its end. */
static void put_member(encoder *e)
{
  int key_type = LUA_TNONE, type = LUA_TNONE;

  if (lua_next(e->L, table_at(e)) == 0) {
    close_table(e);
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
  lua_pushnil(L);
  lua_insert(L, -2);
  e.array_mark = NULL;
  e.counts = NULL;
  e.L = L;
  e.out = out;
  e.bottom = lua_gettop(L);
  e.wrapped = wrapped;
  e.depth = 0;
  type = resolve(&e, lua_type(L, -1));
  if (type == LUA_TNONE) {
    lua_pop(L, 2);
    return false;
  }
  put_value(&e, type);
  while (e.depth > 0) {
    CP_ASSERT(lua_gettop(L) == table_at(&e) + 1); /* the table and a key */
    if (in_array(&e)) {
      put_entry(&e);
    } else {
      put_member(&e);
    }
  }
  CP_ASSERT(lua_gettop(L) == e.bottom - 1 && out->data[out->length - 1] == ',');
  lua_pop(L, 1);
  out->length--; /* without the last comma */
  return true;
}
