#include "clone.h"

#include "array.h"
#include "clone_class.h"
#include "clone_encoder.h"
#include "clone_error.h"
#include "clone_leaf_output.h"
#include "clone_shape.h"
#include "raise.h"

#include <lauxlib.h>

/* Key in the registry: what makes an error. */
static const char ERROR_KEY = 0;

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

/* Raises an error about the value on top, to which the innermost table's key leads. */
static void raise_error(cp_clone_encoder *e, const char *reason)
{
  for (int i = 0; i < e->depth; i++) {
    const cp_clone_encoder_level *l = &e->levels[i];

    if (cp_clone_is_sequence(l->form)) {
      lua_pushinteger(e->L, l->index);
      lua_replace(e->L, e->bottom + 2 * i + 1);
    }
  }
  cp_raise(e->L, &ERROR_KEY, e->bottom + 2 * e->wrapped, e->depth - e->wrapped, reason);
}

/* Beginning a table. */

/* The class of the table on top, which may also be marked as an array. */
static cp_clone_class find_class(cp_clone_encoder *e, bool *is_marked)
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

static void put_leaf(cp_clone_encoder *e, cp_clone_class class)
{
  int top = lua_gettop(e->L);
  const char *reason = cp_clone_put_leaf(&e->out, class);

  lua_settop(e->L, top);
  if (reason != NULL) {
    raise_error(e, reason);
  }
  lua_pop(e->L, 1);
}

/* Writes the beginning of the Map or Set on top. A Map whose last key has no value is given one. */
static void begin_entries(cp_clone_encoder *e, cp_clone_encoder_level *l, bool is_map)
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
static void begin_plain(cp_clone_encoder *e, cp_clone_encoder_level *l, bool is_marked)
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

static void put_begin(cp_clone_encoder *e, cp_clone_encoder_level *l, cp_clone_class class,
                      bool is_marked)
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
static bool put_reference(cp_clone_encoder *e)
{
  uint32_t id = cp_clone_ids_find(&e->ids, e->L, lua_topointer(e->L, -1), e->out.next_id);

  if (id == CP_CLONE_NEW_ID) {
    return false;
  }
  cp_clone_put_counted(&e->out, CP_CLONE_TAG_REFERENCE, id);
  return true;
}

/* Writes the table on top and takes it off, or begins it, and its members follow. */
static void put_table(cp_clone_encoder *e)
{
  bool is_marked = false;
  cp_clone_class class = find_class(e, &is_marked);
  cp_clone_encoder_level *l = &e->levels[e->depth];

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
  *l = (cp_clone_encoder_level){.begin = e->out.buffer->length};
  put_begin(e, l, class, is_marked);
  e->out.next_id++;
  lua_pushnil(e->L); /* before the first key */
  e->depth++;
}

void cp_clone_put_value(cp_clone_encoder *e)
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

bool cp_clone_encode(lua_State *L, int index, int wrapped, cp_buffer *out)
{
  int top = lua_gettop(L);
  cp_clone_encoder e;

  index = lua_absindex(L, index);
  luaL_checkstack(L, STACK_NEEDED, NULL);
  cp_array_push_mark(L);
  e.array_mark = lua_topointer(L, -1);
  cp_clone_ids_init(&e.ids, L);
  e.L = L;
  e.out = (cp_clone_output){L, out, 0};
  e.bottom = lua_gettop(L) + 1;
  e.wrapped = wrapped;
  e.depth = 0;
  cp_clone_put_counted(&e.out, (cp_clone_tag)CP_CLONE_VERSION_TAG, CP_CLONE_VERSION);
  lua_pushvalue(L, index);
  cp_clone_put_value(&e);
  cp_clone_put_members(&e);
  lua_settop(L, top);
  return true;
}
