#include "clone.h"

#include "clone_class.h"
#include "clone_form.h"
#include "clone_ids.h"
#include "clone_object.h"
#include "clone_output.h"
#include "clone_shape.h"
#include "json.h"
#include "raise.h"

#include <lauxlib.h>

/* Key in the registry: what makes an error. */
static const char ERROR_KEY = 0;

/* A table that is open. On the Lua stack lies the table, and above it the key of the member that is
 * being written. If that member is a table, that one and its key lie above these two. */
typedef struct level {
  size_t begin; /* where its tag is */
  uint32_t length;
  uint32_t index;      /* entries that were written */
  uint32_t properties; /* that were written */
  uint8_t form;
  bool has_others;
  bool value_waits; /* a key that is a table was written, its value was not */
} level;

typedef struct encoder {
  lua_State *L;
  cp_clone_output out;
  const void *array_mark;
  int bottom; /* where the outermost table lies */
  int depth;
  cp_clone_ids ids;
  level levels[CP_CLONE_DEPTH];
} encoder;

/* Room on the Lua stack is made for so many tables within each other at a time, and for all that is
 * pushed for a moment. */
enum { LEVELS = 8, STACK_NEEDED = 16 };

void cp_clone_set_error(lua_State *L)
{
  lua_rawsetp(L, LUA_REGISTRYINDEX, &ERROR_KEY);
}

void cp_clone_raise(lua_State *L, int index, const char *reason)
{
  lua_pushvalue(L, index);
  cp_raise(L, &ERROR_KEY, lua_gettop(L), 0, reason);
}

static int table_at(const encoder *e)
{
  return e->bottom + 2 * (e->depth - 1);
}

/* Raises an error about the value on top, to which the innermost table's key leads. */
static void raise_error(encoder *e, const char *reason)
{
  for (int i = 0; i < e->depth; i++) {
    const level *l = &e->levels[i];

    if (cp_clone_is_sequence(l->form)) {
      lua_pushinteger(e->L, l->index);
      lua_replace(e->L, e->bottom + 2 * i + 1);
    }
  }
  cp_raise(e->L, &ERROR_KEY, e->bottom, e->depth, reason);
}

/* Beginning a table. */

/* The class of the table on top, which may also be marked as an array. */
static cp_clone_class find_class(encoder *e, bool *is_marked)
{
  lua_Integer class = CP_CLONE_NO_CLASS;

  *is_marked = false;
  if (!lua_getmetatable(e->L, -1)) {
    return CP_CLONE_NO_CLASS;
  }
  if (lua_topointer(e->L, -1) == e->array_mark) {
    *is_marked = true;
    lua_pop(e->L, 1);
    return CP_CLONE_NO_CLASS;
  }
  cp_clone_push_classes(e->L);
  lua_insert(e->L, -2);
  lua_rawget(e->L, -2);
  class = lua_tointeger(e->L, -1);
  lua_pop(e->L, 2);
  return (cp_clone_class) class;
}

static void put_leaf(encoder *e, cp_clone_class class)
{
  int top = lua_gettop(e->L);
  const char *reason = cp_clone_put_object(&e->out, class);

  lua_settop(e->L, top);
  if (reason != NULL) {
    raise_error(e, reason);
  }
  lua_pop(e->L, 1);
}

/* Writes the beginning of the Map or Set on top. A Map whose last key has no value is given one. */
static void begin_entries(encoder *e, level *l, bool is_map)
{
  lua_Unsigned length = lua_rawlen(e->L, -1);

  if (length >= CP_CLONE_LONGEST_ARRAY) {
    raise_error(e, "has too many entries");
  }
  l->form = is_map ? CP_CLONE_FORM_MAP : CP_CLONE_FORM_SET;
  l->length = (uint32_t)(is_map ? length + length % 2 : length);
  cp_clone_put_byte(&e->out, is_map ? CP_CLONE_TAG_MAP : CP_CLONE_TAG_SET);
}

/* Writes the beginning of the table on top, which has no class. */
static void begin_plain(encoder *e, level *l, bool is_marked)
{
  cp_clone_shape shape = cp_clone_shape_of(e->L, is_marked);

  l->has_others = shape.has_others;
  l->length = shape.length;
  if (!shape.is_array) {
    l->form = CP_CLONE_FORM_OBJECT;
    cp_clone_put_byte(&e->out, CP_CLONE_TAG_OBJECT);
  } else if (shape.is_sparse) {
    l->form = CP_CLONE_FORM_SPARSE;
    cp_clone_put_counted(&e->out, CP_CLONE_TAG_SPARSE, l->length);
  } else {
    l->form = CP_CLONE_FORM_ELEMENTS;
    cp_clone_put_counted(&e->out, CP_CLONE_TAG_DENSE, l->length);
  }
}

static void put_begin(encoder *e, level *l, cp_clone_class class, bool is_marked)
{
  switch (class) {
    case CP_CLONE_ERROR:
      l->form = CP_CLONE_FORM_ERROR;
      cp_clone_put_error_head(&e->out);
      break;
    case CP_CLONE_MAP:
    case CP_CLONE_SET: begin_entries(e, l, class == CP_CLONE_MAP); break;
    default: begin_plain(e, l, is_marked); break;
  }
}

/* Writes a reference to the table on top if it came before. */
static bool put_reference(encoder *e)
{
  uint32_t id = cp_clone_ids_find(&e->ids, e->L, lua_topointer(e->L, -1), e->out.next_id);

  if (id == CP_CLONE_NEW_ID) {
    return false;
  }
  cp_clone_put_counted(&e->out, CP_CLONE_TAG_REFERENCE, id);
  return true;
}

/* Writes the table on top and takes it off, or begins it, and its members follow. */
static void put_table(encoder *e)
{
  bool is_marked = false;
  cp_clone_class class = find_class(e, &is_marked);
  level *l = &e->levels[e->depth];

  if (class == CP_CLONE_BIGINT) { /* no object there */
    put_leaf(e, class);
    return;
  }
  if (put_reference(e)) {
    lua_pop(e->L, 1);
    return;
  }
  if (cp_clone_is_leaf(class)) {
    put_leaf(e, class);
    return;
  }
  if (e->depth == CP_CLONE_DEPTH) {
    raise_error(e, "is nested too deeply");
  }
  if (e->depth % LEVELS == 0) {
    luaL_checkstack(e->L, 2 * LEVELS + STACK_NEEDED, NULL);
  }
  *l = (level){.begin = e->out.buffer->length};
  put_begin(e, l, class, is_marked);
  e->out.next_id++;
  lua_pushnil(e->L); /* before the first key */
  e->depth++;
}

/* Writes the value on top and takes it off; or begins it. */
static void put_value(encoder *e)
{
  lua_State *L = e->L;
  size_t length = 0;
  const char *text = NULL;

  switch (lua_type(L, -1)) {
    case LUA_TTABLE: put_table(e); return;
    case LUA_TSTRING:
      text = lua_tolstring(L, -1, &length);
      cp_clone_put_string(&e->out, text, length);
      break;
    case LUA_TNUMBER: cp_clone_put_number(&e->out, -1); break;
    case LUA_TBOOLEAN:
      cp_clone_put_byte(&e->out, lua_toboolean(L, -1) ? CP_CLONE_TAG_TRUE : CP_CLONE_TAG_FALSE);
      break;
    case LUA_TNIL: cp_clone_put_byte(&e->out, CP_CLONE_TAG_UNDEFINED); break;
    case LUA_TLIGHTUSERDATA:
      if (lua_touserdata(L, -1) == NULL) {
        cp_clone_put_byte(&e->out, CP_CLONE_TAG_NULL);
        break;
      }
      if (cp_clone_is_undefined(L, -1)) {
        cp_clone_put_byte(&e->out, CP_CLONE_TAG_UNDEFINED);
        break;
      }
      raise_error(e, "is a userdata");
      break;
    case LUA_TFUNCTION: raise_error(e, "is a function"); break;
    case LUA_TTHREAD: raise_error(e, "is a coroutine"); break;
    default: raise_error(e, "is a userdata"); break;
  }
  lua_pop(L, 1);
}

/* Members. Each of these writes the next one, or begins it; false: there are no more. */

static bool put_element(encoder *e, level *l)
{
  if (l->index == l->length) {
    return false;
  }
  l->index++;
  if (lua_rawgeti(e->L, table_at(e), l->index) == LUA_TNIL) {
    cp_clone_put_byte(&e->out, CP_CLONE_TAG_HOLE);
    lua_pop(e->L, 1);
  } else {
    put_value(e);
  }
  return true;
}

/* Of a Map or Set. */
static bool put_entry(encoder *e, level *l)
{
  if (l->index == l->length) {
    return false;
  }
  l->index++;
  lua_rawgeti(e->L, table_at(e), l->index);
  if (cp_clone_is_deleted(e->L, -1)) {
    lua_pop(e->L, 1);
  } else {
    l->properties++;
    put_value(e);
  }
  return true;
}

static bool put_element_or_other(encoder *e, level *l)
{
  if (put_element(e, l)) {
    return true;
  }
  if (!l->has_others) {
    return false;
  }
  lua_pushnil(e->L); /* before the first key; the place may have been used */
  lua_replace(e->L, table_at(e) + 1);
  l->form = CP_CLONE_FORM_OTHERS;
  return true;
}

/* Writes a property of an array. */
static bool put_property(encoder *e, level *l)
{
  size_t length = 0;
  const char *text = NULL;

  if (lua_next(e->L, table_at(e)) == 0) {
    lua_pushnil(e->L); /* where the key was */
    return false;
  }
  if (lua_isinteger(e->L, -2)) {
    if (l->form == CP_CLONE_FORM_OTHERS) {
      lua_pop(e->L, 1);
      return true;
    }
    lua_pushinteger(e->L, lua_tointeger(e->L, -2) - 1);
    cp_clone_put_number(&e->out, -1);
    lua_pop(e->L, 1);
  } else if (lua_type(e->L, -2) == LUA_TSTRING) {
    text = lua_tolstring(e->L, -2, &length);
    cp_clone_put_text(&e->out, text, length);
  }
  l->properties++;
  put_value(e);
  return true;
}

/* Makes a map, with the mark, of the object that has been begun. The names that were written can
 * stay: a map takes the same strings and numbers as keys. */
static void make_pairs(encoder *e, level *l)
{
  char *begin = NULL;

  cp_clone_room(&e->out, 1);
  begin = e->out.buffer->data + l->begin;
  memmove(begin + 1, begin, e->out.buffer->length - l->begin);
  begin[0] = CP_CLONE_TAG_PADDING;
  begin[1] = CP_CLONE_TAG_MAP;
  e->out.buffer->length++;
  l->form = CP_CLONE_FORM_PAIRS;
}

/* Writes the key below the value on top, where an object can have it. */
static bool put_name(encoder *e, int table)
{
  size_t length = 0;
  const char *text = NULL;

  switch (lua_type(e->L, -2)) {
    case LUA_TSTRING:
      text = lua_tolstring(e->L, -2, &length);
      return cp_clone_put_if_text(&e->out, text, length);
    case LUA_TNUMBER:
      if (!cp_clone_is_name(e->L, table, lua_gettop(e->L) - 1)) {
        return false;
      }
      cp_clone_put_number_key(&e->out, -2);
      return true;
    default: return false;
  }
}

static bool put_member(encoder *e, level *l)
{
  int table = table_at(e);

  if (l->value_waits) {
    l->value_waits = false;
    lua_pushvalue(e->L, table + 1);
    lua_rawget(e->L, table);
    put_value(e);
    return true;
  }
  if (lua_next(e->L, table) == 0) {
    lua_pushnil(e->L);
    return false;
  }
  /* table, key, value */
  l->properties++;
  if (l->form == CP_CLONE_FORM_OBJECT) {
    if (put_name(e, table)) {
      put_value(e);
      return true;
    }
    make_pairs(e, l);
  }
  lua_pop(e->L, 1);
  lua_pushvalue(e->L, -1);
  l->value_waits = true;
  put_value(e);
  return true;
}

/* The cause is all that an error holds. */
static bool put_cause(encoder *e, level *l)
{
  int table = table_at(e);

  if (l->index == 0) {
    l->index = 1;
    lua_pushliteral(e->L, "cause");
    lua_replace(e->L, table + 1);
    if (cp_clone_push_field(e->L, table, "cause") != LUA_TNIL) {
      cp_clone_put_byte(&e->out, CP_CLONE_ERROR_CAUSE);
      put_value(e);
      return true;
    }
    lua_pop(e->L, 1);
  }
  lua_settop(e->L, table);
  cp_clone_put_error_tail(&e->out);
  lua_pushnil(e->L);
  return false;
}

static bool put_next(encoder *e, level *l)
{
  switch (l->form) {
    case CP_CLONE_FORM_ELEMENTS: return put_element_or_other(e, l);
    case CP_CLONE_FORM_MAP:
    case CP_CLONE_FORM_SET: return put_entry(e, l);
    case CP_CLONE_FORM_SPARSE:
    case CP_CLONE_FORM_OTHERS: return put_property(e, l);
    case CP_CLONE_FORM_ERROR: return put_cause(e, l);
    default: return put_member(e, l);
  }
}

/* Ends the innermost table. */
static void put_end(encoder *e, const level *l)
{
  switch (l->form) {
    case CP_CLONE_FORM_ELEMENTS:
    case CP_CLONE_FORM_OTHERS:
      cp_clone_put_counted(&e->out, CP_CLONE_TAG_DENSE_END, l->properties);
      cp_clone_put_varint(&e->out, l->length);
      break;
    case CP_CLONE_FORM_SPARSE:
      cp_clone_put_counted(&e->out, CP_CLONE_TAG_SPARSE_END, l->properties);
      cp_clone_put_varint(&e->out, l->length);
      break;
    case CP_CLONE_FORM_MAP:
      cp_clone_put_counted(&e->out, CP_CLONE_TAG_MAP_END, l->properties);
      break;
    case CP_CLONE_FORM_SET:
      cp_clone_put_counted(&e->out, CP_CLONE_TAG_SET_END, l->properties);
      break;
    case CP_CLONE_FORM_OBJECT:
      cp_clone_put_counted(&e->out, CP_CLONE_TAG_OBJECT_END, l->properties);
      break;
    case CP_CLONE_FORM_PAIRS:
      cp_clone_put_counted(&e->out, CP_CLONE_TAG_MAP_END, (uint64_t)l->properties * 2);
      break;
    default: break;
  }
  lua_pop(e->L, 2);
  e->depth--;
}

void cp_clone_encode(lua_State *L, int index, cp_buffer *out)
{
  int top = lua_gettop(L);
  encoder e;

  index = lua_absindex(L, index);
  luaL_checkstack(L, STACK_NEEDED, NULL);
  cp_json_push_array_mark(L);
  e.array_mark = lua_topointer(L, -1);
  cp_clone_ids_init(&e.ids, L);
  e.L = L;
  e.out = (cp_clone_output){L, out, 0};
  e.bottom = lua_gettop(L) + 1;
  e.depth = 0;
  cp_clone_put_counted(&e.out, (cp_clone_tag)CP_CLONE_VERSION_TAG, CP_CLONE_VERSION);
  lua_pushvalue(L, index);
  put_value(&e);
  while (e.depth > 0) {
    level *l = &e.levels[e.depth - 1];

    if (!put_next(&e, l)) {
      put_end(&e, l);
    }
  }
  lua_settop(L, top);
}
