/* Each step writes one member of the innermost table, or its end. */
#include "codec/clone/encode_member.h"

#include "codec/clone/class.h"
#include "codec/clone/encode_value.h"
#include "codec/clone/error_object.h"
#include "codec/clone/sentinel.h"
#include "codec/clone/shape.h"
#include "core/base/assert.h"

#include <string.h>

/* Each of these writes the next member, or opens it if it is a table. Returns false if there are no
 * more members. */

static bool put_element(cp_clone_encoder *e, cp_clone_encoder_level *l)
{
  if (l->index == l->length) {
    return false;
  }
  l->index++;
  if (lua_rawgeti(e->L, cp_clone_table_at(e), l->index) == LUA_TNIL) {
    cp_clone_put_byte(&e->out, CP_CLONE_TAG_HOLE);
    lua_pop(e->L, 1);
  } else {
    cp_clone_encode_value(e);
  }
  return true;
}

/* Writes an entry of a Map or Set: a key, a value, or a member of the Set. */
static bool put_entry(cp_clone_encoder *e, cp_clone_encoder_level *l)
{
  if (l->index == l->length) {
    return false;
  }
  l->index++;
  lua_rawgeti(e->L, cp_clone_table_at(e), l->index);
  if (cp_clone_is_deleted(e->L, -1)) {
    lua_pop(e->L, 1);
  } else {
    l->properties++;
    cp_clone_encode_value(e);
  }
  return true;
}

static bool put_element_or_other(cp_clone_encoder *e, cp_clone_encoder_level *l)
{
  if (put_element(e, l)) {
    return true;
  }
  if (!l->has_others) {
    return false;
  }
  lua_pushnil(e->L); /* lua_next finds the first key after nil */
  lua_replace(e->L, cp_clone_table_at(e) + 1);
  l->form = CP_CLONE_FORM_OTHERS;
  return true;
}

/* Writes a property of an array. */
static bool put_property(cp_clone_encoder *e, cp_clone_encoder_level *l)
{
  size_t length = 0;
  const char *text = NULL;

  if (lua_next(e->L, cp_clone_table_at(e)) == 0) {
    lua_pushnil(e->L); /* restores the slot of the key */
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
  cp_clone_encode_value(e);
  return true;
}

/* Turns the object that is being written into a map with the mark. The names written so far can
 * stay: the same strings and numbers are keys of a map. */
static void make_pairs(cp_clone_encoder *e, cp_clone_encoder_level *l)
{
  char *start = NULL;

  cp_clone_room(&e->out, 1);
  start = e->out.buffer->data + l->start;
  memmove(start + 1, start, e->out.buffer->length - l->start);
  start[0] = CP_CLONE_TAG_PADDING;
  start[1] = CP_CLONE_TAG_MAP;
  e->out.buffer->length++;
  l->form = CP_CLONE_FORM_PAIRS;
}

/* If a JavaScript object can have the key below the value on top, writes that key and returns
 * true. */
static bool put_name(cp_clone_encoder *e, int table)
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

static bool put_pair(cp_clone_encoder *e, cp_clone_encoder_level *l)
{
  int table = cp_clone_table_at(e);

  if (l->value_waits) {
    l->value_waits = false;
    lua_pushvalue(e->L, table + 1);
    lua_rawget(e->L, table);
    cp_clone_encode_value(e);
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
      cp_clone_encode_value(e);
      return true;
    }
    make_pairs(e, l);
  }
  lua_pop(e->L, 1);
  lua_pushvalue(e->L, -1);
  l->value_waits = true;
  cp_clone_encode_value(e);
  return true;
}

/* Writes the cause of an Error, the only member that may be a table, and then its end. */
static bool put_cause(cp_clone_encoder *e, cp_clone_encoder_level *l)
{
  int table = cp_clone_table_at(e);

  if (l->index == 0) {
    l->index = 1;
    lua_pushliteral(e->L, "cause");
    lua_replace(e->L, table + 1);
    if (cp_clone_push_field(e->L, table, "cause") != LUA_TNIL) {
      cp_clone_put_byte(&e->out, CP_CLONE_ERROR_CAUSE);
      cp_clone_encode_value(e);
      return true;
    }
    lua_pop(e->L, 1);
  }
  lua_settop(e->L, table);
  cp_clone_put_byte(&e->out, CP_CLONE_ERROR_END);
  lua_pushnil(e->L);
  return false;
}

static bool put_member(cp_clone_encoder *e, cp_clone_encoder_level *l)
{
  switch (l->form) {
    case CP_CLONE_FORM_ELEMENTS: return put_element_or_other(e, l);
    case CP_CLONE_FORM_MAP:
    case CP_CLONE_FORM_SET: return put_entry(e, l);
    case CP_CLONE_FORM_SPARSE:
    case CP_CLONE_FORM_OTHERS: return put_property(e, l);
    case CP_CLONE_FORM_ERROR: return put_cause(e, l);
    default: return put_pair(e, l);
  }
}

/* Ends the innermost table. */
static void put_end(cp_clone_encoder *e, const cp_clone_encoder_level *l)
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

void cp_clone_encode_members(cp_clone_encoder *e)
{
  while (e->depth > 0) {
    cp_clone_encoder_level *l = &e->levels[e->depth - 1];

    CP_ASSERT(lua_gettop(e->L) == cp_clone_table_at(e) + 1); /* the table and a key */
    if (!put_member(e, l)) {
      put_end(e, l);
    }
  }
}
