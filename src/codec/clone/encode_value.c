/* Writes a value that is complete in itself, or the start of a table whose members follow. */
#include "codec/clone/encode_value.h"

#include "codec/clone/class.h"
#include "codec/clone/encode_error.h"
#include "codec/clone/error_object.h"
#include "codec/clone/leaf_output.h"
#include "codec/clone/sentinel.h"
#include "codec/clone/shape.h"
#include "codec/raise.h"
#include "compat/int64.h"

/* Stack slots are reserved for this many levels at a time. */
enum { LEVELS = 8 };

/* Tables. */

/* Returns the class of the table on top of the stack. `*is_marked` becomes true if its metatable is
 * the array mark instead. */
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

/* Writes the leaf object on top and pops it. */
static void put_leaf(cp_clone_encoder *e, cp_clone_class class)
{
  int top = lua_gettop(e->L);
  const char *reason = cp_clone_put_leaf(&e->out, class);

  lua_settop(e->L, top);
  if (reason != NULL) {
    cp_clone_encode_error(e, reason);
  }
  lua_pop(e->L, 1);
}

/* Writes the start of the Map or Set on top. If the last key of a Map has no value, nil is its
 * value. */
static void start_entries(cp_clone_encoder *e, cp_clone_encoder_level *l, bool is_map)
{
  lua_Unsigned length = lua_rawlen(e->L, -1);

  if (length >= CP_CLONE_LONGEST_ARRAY) {
    cp_clone_encode_error(e, "has too many entries");
  }
  l->form = is_map ? CP_CLONE_FORM_MAP : CP_CLONE_FORM_SET;
  l->length = (uint32_t)(is_map ? length + length % 2 : length);
  cp_clone_put_byte(&e->out, is_map ? CP_CLONE_TAG_MAP : CP_CLONE_TAG_SET);
}

/* Writes the start of the table on top, which has no class. */
static void start_plain(cp_clone_encoder *e, cp_clone_encoder_level *l, bool is_marked)
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

static void put_start(cp_clone_encoder *e, cp_clone_encoder_level *l, cp_clone_class class,
                      bool is_marked)
{
  switch (class) {
    case CP_CLONE_ERROR:
      l->form = CP_CLONE_FORM_ERROR;
      cp_clone_put_error_texts(&e->out);
      break;
    case CP_CLONE_MAP:
    case CP_CLONE_SET: start_entries(e, l, class == CP_CLONE_MAP); break;
    default: start_plain(e, l, is_marked); break;
  }
}

/* If the table on top was written before, writes a reference to it and returns true. */
static bool put_reference(cp_clone_encoder *e)
{
  uint32_t id = cp_clone_ids_find(&e->ids, e->L, lua_topointer(e->L, -1), e->out.next_id);

  if (id == CP_CLONE_NEW_ID) {
    return false;
  }
  cp_clone_put_counted(&e->out, CP_CLONE_TAG_REFERENCE, id);
  return true;
}

/* Writes the table on top and pops it, or opens it as the innermost level. */
static void put_table(cp_clone_encoder *e)
{
  bool is_marked = false;
  cp_clone_class class = find_class(e, &is_marked);
  cp_clone_encoder_level *l = &e->levels[e->depth];

  if (class == CP_CLONE_BIGINT) { /* not an object in JavaScript, so it has no id */
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
    cp_clone_encode_error(e, "is nested too deeply");
  }
  if (e->depth % LEVELS == 0) {
    luaL_checkstack(e->L, 2 * LEVELS + CP_CLONE_STACK_NEEDED, NULL);
  }
  *l = (cp_clone_encoder_level){.start = e->out.buffer->length};
  put_start(e, l, class, is_marked);
  e->out.next_id++;
  lua_pushnil(e->L); /* lua_next finds the first key after nil */
  e->depth++;
}

void cp_clone_encode_value(cp_clone_encoder *e)
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
      cp_clone_encode_error(e, "is a userdata");
      break;
    case LUA_TFUNCTION: cp_clone_encode_error(e, "is a function"); break;
    case CP_LUA_TCDATA:
      if (!cp_clone_put_cdata(&e->out)) {
        cp_clone_encode_error(e, CP_CDATA_REASON);
      }
      break;
    case LUA_TTHREAD: cp_clone_encode_error(e, "is a coroutine"); break;
    default: cp_clone_encode_error(e, "is a userdata"); break;
  }
  lua_pop(L, 1);
}
