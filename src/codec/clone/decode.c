/* Decodes a value from start to end, in steps: each reads one value, or opens it if it is an object
 * with members, or goes on after a value. */
#include "codec/clone/clone.h"

#include "codec/clone/class.h"
#include "codec/clone/decode_level.h"
#include "codec/clone/decode_member.h"
#include "codec/clone/decoder_state.h"
#include "codec/clone/leaf_input.h"
#include "codec/clone/number_keys.h"
#include "codec/clone/sentinel.h"
#include "compat/lua.h"
#include "core/base/assert.h"

#include <string.h>

/* Stack slots for the values that one step pushes. */
enum { STACK_NEEDED = 24 };

/* All views together may copy this many times the length of the message. */
enum { VIEWS_BOUND = 16 };

/* The table of all objects is made with room for one object per USUAL_SIZE bytes of the message,
 * MOST_EXPECTED at most. */
enum { USUAL_SIZE = 32, MOST_EXPECTED = 1024 };

/* Gives an object that holds no other values its id. */
static cp_clone_step end_leaf(cp_clone_decoder *d, bool good)
{
  if (good) {
    cp_clone_remember(d, d->next_id++);
  }
  return cp_clone_ended(good);
}

/* Replaces the ArrayBuffer on top of the stack by its view, if one follows. */
static cp_clone_step read_view_of_buffer(cp_clone_decoder *d)
{
  return cp_clone_has_class(d->L, CP_CLONE_ARRAY_BUFFER) &&
                 cp_clone_accept(&d->in, CP_CLONE_TAG_VIEW)
             ? end_leaf(d, cp_clone_read_view(&d->in, d->L, d->version, &d->allowance))
             : CP_CLONE_STEP_END;
}

static cp_clone_step read_reference(cp_clone_decoder *d)
{
  uint32_t id = 0;

  if (!cp_clone_read_varint(&d->in, &id)) {
    return CP_CLONE_STEP_FAILED;
  }
  if (cp_clone_push_open(d, id)) {
    return CP_CLONE_STEP_END;
  }
  if (lua_rawgeti(d->L, d->references, (lua_Integer)id + 1) == LUA_TNIL) {
    return cp_clone_failed(d, "reference to an unknown object");
  }
  return read_view_of_buffer(d);
}

/* Opens an object as the innermost level. */
static cp_clone_step open_level(cp_clone_decoder *d, cp_clone_form form, uint32_t length)
{
  int bottom = 0;

  if (d->depth == CP_CLONE_DEPTH) {
    return cp_clone_failed(d, "nested too deeply");
  }
  CP_ASSERT(d->depth == 0 || d->levels[d->depth - 1].id < d->next_id); /* find_open relies on it */
  lua_pushnil(d->L);
  bottom = lua_gettop(d->L);
  d->levels[d->depth++] = (cp_clone_level){
      .bottom = bottom, .id = d->next_id++, .length = length, .form = (uint8_t)form};
  return cp_clone_next_member(d, bottom);
}

static cp_clone_step open_array(cp_clone_decoder *d, cp_clone_form form)
{
  uint32_t length = 0;

  if (!cp_clone_read_varint(&d->in, &length)) {
    return CP_CLONE_STEP_FAILED;
  }
  if (form == CP_CLONE_FORM_ELEMENTS &&
      length > cp_clone_left(&d->in)) { /* an element takes one byte at least */
    return cp_clone_failed(d, "longer than the message");
  }
  return open_level(d, form, length);
}

static cp_clone_step read_host_object(cp_clone_decoder *d)
{
  uint32_t kind = 0;

  if (!cp_clone_read_varint(&d->in, &kind)) {
    return CP_CLONE_STEP_FAILED;
  }
  switch (kind) {
    case CP_CLONE_HOST_VIEW: return end_leaf(d, cp_clone_read_host_view(&d->in, d->L));
    case CP_CLONE_HOST_OTHER: return open_level(d, CP_CLONE_FORM_HOST, 1);
    default: return cp_clone_failed(d, "unknown host object");
  }
}

static cp_clone_step read_number_object(cp_clone_decoder *d)
{
  return end_leaf(d, cp_clone_read_number(&d->in, d->L, CP_CLONE_TAG_DOUBLE, false));
}

static cp_clone_step read_array_buffer(cp_clone_decoder *d, bool is_resizable)
{
  cp_clone_step next = end_leaf(d, cp_clone_read_array_buffer(&d->in, d->L, is_resizable));

  return next == CP_CLONE_STEP_END ? read_view_of_buffer(d) : next;
}

/* Reads a value whose tag is not one of the most common ones. */
static cp_clone_step read_other(cp_clone_decoder *d, uint8_t tag, bool is_marked)
{
  cp_clone_input *in = &d->in;
  lua_State *L = d->L;

  switch (tag) {
    case CP_CLONE_TAG_UNDEFINED: cp_clone_push_undefined(L); return CP_CLONE_STEP_END;
    case CP_CLONE_TAG_BIGINT: return cp_clone_ended(cp_clone_read_bigint(in, L, is_marked));
    case CP_CLONE_TAG_REFERENCE: return read_reference(d);
    case CP_CLONE_TAG_DATE: return end_leaf(d, cp_clone_read_date(in, L));
    case CP_CLONE_TAG_TRUE_OBJECT: lua_pushboolean(L, true); return end_leaf(d, true);
    case CP_CLONE_TAG_FALSE_OBJECT: lua_pushboolean(L, false); return end_leaf(d, true);
    case CP_CLONE_TAG_NUMBER_OBJECT: return read_number_object(d);
    case CP_CLONE_TAG_BIGINT_OBJECT: return end_leaf(d, cp_clone_read_bigint(in, L, false));
    case CP_CLONE_TAG_STRING_OBJECT: return end_leaf(d, cp_clone_read_string_value(in, L));
    case CP_CLONE_TAG_REGEXP: return end_leaf(d, cp_clone_read_regexp(in, L));
    case CP_CLONE_TAG_ARRAY_BUFFER: return read_array_buffer(d, false);
    case CP_CLONE_TAG_RESIZABLE_BUFFER: return read_array_buffer(d, true);
    case CP_CLONE_TAG_HOST_OBJECT: return read_host_object(d);
    case CP_CLONE_TAG_HOLE:
      if (d->depth > 0 && d->levels[d->depth - 1].form == CP_CLONE_FORM_ELEMENTS) {
        lua_pushnil(L);
        return CP_CLONE_STEP_END;
      }
      break;
    default: break;
  }
  in->at--;
  return cp_clone_failed(d, "unknown tag");
}

static cp_clone_step read_value(cp_clone_decoder *d)
{
  uint8_t tag = 0;
  bool is_marked = false;

  if (!cp_clone_read_tag(&d->in, &tag, &is_marked)) {
    return CP_CLONE_STEP_FAILED;
  }
  switch (tag) {
    case CP_CLONE_TAG_OBJECT: return open_level(d, CP_CLONE_FORM_OBJECT, 0);
    case CP_CLONE_TAG_DENSE: return open_array(d, CP_CLONE_FORM_ELEMENTS);
    case CP_CLONE_TAG_ONE_BYTE:
    case CP_CLONE_TAG_UTF8:
    case CP_CLONE_TAG_TWO_BYTE: return cp_clone_ended(cp_clone_read_string(&d->in, d->L, tag));
    case CP_CLONE_TAG_INT32:
    case CP_CLONE_TAG_UINT32:
    case CP_CLONE_TAG_DOUBLE:
      return cp_clone_ended(cp_clone_read_number(&d->in, d->L, tag, is_marked));
    case CP_CLONE_TAG_TRUE: lua_pushboolean(d->L, true); return CP_CLONE_STEP_END;
    case CP_CLONE_TAG_FALSE: lua_pushboolean(d->L, false); return CP_CLONE_STEP_END;
    case CP_CLONE_TAG_NULL: lua_pushlightuserdata(d->L, NULL); return CP_CLONE_STEP_END;
    case CP_CLONE_TAG_SPARSE: return open_array(d, CP_CLONE_FORM_SPARSE);
    case CP_CLONE_TAG_MAP:
      return open_level(d, is_marked ? CP_CLONE_FORM_PAIRS : CP_CLONE_FORM_MAP, 0);
    case CP_CLONE_TAG_SET: return open_level(d, CP_CLONE_FORM_SET, 0);
    case CP_CLONE_TAG_ERROR: return open_level(d, CP_CLONE_FORM_ERROR, 0);
    case CP_CLONE_TAG_OBJECT_COUNT: { /* the tag of the value follows */
      uint32_t count = 0;

      return cp_clone_read_varint(&d->in, &count) ? CP_CLONE_STEP_BEGIN : CP_CLONE_STEP_FAILED;
    }
    default: return read_other(d, tag, is_marked);
  }
}

static cp_clone_step take_step(cp_clone_decoder *d, cp_clone_step next)
{
  int top = lua_gettop(d->L);

  CP_ASSERT(d->in.at <= d->in.end);
  CP_ASSERT(top <= d->limit);
  if (d->limit - top < STACK_NEEDED) {
    luaL_checkstack(d->L, CP_CLONE_PORTION + STACK_NEEDED, NULL);
    d->limit = top + CP_CLONE_PORTION + STACK_NEEDED;
  }
  if (next == CP_CLONE_STEP_BEGIN) {
    return read_value(d);
  }
  if (d->depth > 0) {
    return cp_clone_next_member(d, top);
  }
  return d->in.at == d->in.end ? CP_CLONE_STEP_DONE : cp_clone_failed(d, "bytes after the value");
}

static bool read_header(cp_clone_decoder *d)
{
  uint8_t tag = 0;

  if (!cp_clone_read_byte(&d->in, &tag)) {
    return false;
  }
  if (tag != CP_CLONE_VERSION_TAG) {
    d->in.at--;
    return cp_clone_fail(&d->in, "missing version");
  }
  return cp_clone_read_varint(&d->in, &d->version) &&
         ((d->version >= CP_CLONE_OLDEST_VERSION && d->version <= CP_CLONE_VERSION) ||
          cp_clone_fail(&d->in, "unknown version"));
}

/* Makes the table of all objects by id, if the message has references. */
static void make_references(cp_clone_decoder *d, size_t length)
{
  size_t expected = length / USUAL_SIZE;

  if (memchr(d->in.at, CP_CLONE_TAG_REFERENCE, length) != NULL) {
    lua_createtable(d->L, (int)(expected < MOST_EXPECTED ? expected : MOST_EXPECTED), 0);
    lua_replace(d->L, d->references);
  }
}

/* Pushes the values that the decoder keeps on the stack. */
static void init(cp_clone_decoder *d, lua_State *L, const char *bytes, size_t length)
{
  int top = lua_gettop(L);

  luaL_checkstack(L, 2 * STACK_NEEDED + CP_NAME_CACHE_SIZE, NULL);
  lua_settop(L, top + 3);
  d->L = L;
  d->in = (cp_clone_input){bytes, bytes + length, NULL};
  d->next_id = 0;
  d->allowance = VIEWS_BOUND * (uint64_t)length;
  d->mark = top + 1;
  d->references = top + 2;
  d->gathered = top + 3;
  d->steps_left = cp_clone_step_limit(length);
  d->depth = 0;
  make_references(d, length);
  d->has_names = length >= CP_NAME_CACHE_LEAST;
  if (d->has_names) {
    cp_name_cache_init(&d->names, L);
  }
  d->limit = lua_gettop(L) + STACK_NEEDED;
}

bool cp_clone_decode(lua_State *L, const char *bytes, size_t length, cp_decode_error *error)
{
  cp_clone_step next = CP_CLONE_STEP_BEGIN;
  int top = lua_gettop(L);
  cp_clone_decoder d;

  init(&d, L, bytes, length);
  if (!read_header(&d)) {
    next = CP_CLONE_STEP_FAILED;
  }
  while (next == CP_CLONE_STEP_BEGIN || next == CP_CLONE_STEP_END) {
    next = take_step(&d, next);
  }
  if (next == CP_CLONE_STEP_FAILED) {
    *error = (cp_decode_error){d.in.reason, (size_t)(d.in.at - bytes)};
    lua_settop(L, top);
    return false;
  }
  CP_ASSERT(lua_gettop(L) == d.gathered + (d.has_names ? CP_NAME_CACHE_SIZE : 0) + 1);
  lua_replace(L, top + 1);
  lua_settop(L, top + 1);
  return true;
}
