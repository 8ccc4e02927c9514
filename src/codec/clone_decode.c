#include "clone.h"

#include "clone_class.h"
#include "clone_decoder.h"
#include "clone_leaf_input.h"

#include <lauxlib.h>
#include <string.h>

/* So much of the Lua stack is free before each step. */
enum { STACK_NEEDED = 24 };

/* A shorter message hardly repeats a name. */
enum { LENGTH_WITH_NAMES = 200 };

/* The views that are parts of ArrayBuffers may have as many bytes together as so many messages. */
enum { VIEWS_BOUND = 16 };

/* The table of all objects is made with room for one object in USUAL_SIZE bytes of the message, for
 * MOST_EXPECTED at most. */
enum { USUAL_SIZE = 32, MOST_EXPECTED = 1024 };

/* Ends an object that holds no others. */
static cp_clone_step end_leaf(cp_clone_decoder *d, bool good)
{
  if (good) {
    cp_clone_remember(d, d->next_id++);
  }
  return cp_clone_ended(good);
}

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
    return cp_clone_failed(d, "reference to nothing");
  }
  return read_view_of_buffer(d);
}

/* Begins an object: what is pushed from now on are its members. */
static cp_clone_step begin(cp_clone_decoder *d, cp_clone_form kind, uint32_t length)
{
  int bottom = 0;

  if (d->depth == CP_CLONE_DEPTH) {
    return cp_clone_failed(d, "nested too deeply");
  }
  lua_pushnil(d->L);
  bottom = lua_gettop(d->L);
  d->levels[d->depth++] = (cp_clone_level){
      .bottom = bottom, .id = d->next_id++, .length = length, .form = (uint8_t)kind};
  return cp_clone_next_member(d, bottom);
}

static cp_clone_step begin_array(cp_clone_decoder *d, cp_clone_form kind)
{
  uint32_t length = 0;

  if (!cp_clone_read_varint(&d->in, &length)) {
    return CP_CLONE_STEP_FAILED;
  }
  if (kind == CP_CLONE_FORM_ELEMENTS &&
      length > cp_clone_left(&d->in)) { /* one byte each at least */
    return cp_clone_failed(d, "longer than what is there");
  }
  return begin(d, kind, length);
}

static cp_clone_step read_host_object(cp_clone_decoder *d)
{
  uint32_t kind = 0;

  if (!cp_clone_read_varint(&d->in, &kind)) {
    return CP_CLONE_STEP_FAILED;
  }
  switch (kind) {
    case CP_CLONE_HOST_VIEW: return end_leaf(d, cp_clone_read_host_view(&d->in, d->L));
    case CP_CLONE_HOST_OTHER: return begin(d, CP_CLONE_FORM_HOST, 1);
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

/* Something that holds no other values and is not the commonest. */
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
    case CP_CLONE_TAG_OBJECT: return begin(d, CP_CLONE_FORM_OBJECT, 0);
    case CP_CLONE_TAG_DENSE: return begin_array(d, CP_CLONE_FORM_ELEMENTS);
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
    case CP_CLONE_TAG_SPARSE: return begin_array(d, CP_CLONE_FORM_SPARSE);
    case CP_CLONE_TAG_MAP: return begin(d, is_marked ? CP_CLONE_FORM_PAIRS : CP_CLONE_FORM_MAP, 0);
    case CP_CLONE_TAG_SET: return begin(d, CP_CLONE_FORM_SET, 0);
    case CP_CLONE_TAG_ERROR: return begin(d, CP_CLONE_FORM_ERROR, 0);
    case CP_CLONE_TAG_OBJECT_COUNT: { /* says nothing that is needed */
      uint32_t count = 0;

      return cp_clone_read_varint(&d->in, &count) ? CP_CLONE_STEP_BEGIN : CP_CLONE_STEP_FAILED;
    }
    default: return read_other(d, tag, is_marked);
  }
}

static cp_clone_step take_step(cp_clone_decoder *d, cp_clone_step next)
{
  int top = lua_gettop(d->L);

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
  return d->in.at == d->in.end ? CP_CLONE_STEP_DONE
                               : cp_clone_failed(d, "something behind the value");
}

static bool read_header(cp_clone_decoder *d)
{
  uint8_t tag = 0;

  if (!cp_clone_read_byte(&d->in, &tag)) {
    return false;
  }
  if (tag != CP_CLONE_VERSION_TAG) {
    d->in.at--;
    return cp_clone_fail(&d->in, "no version");
  }
  return cp_clone_read_varint(&d->in, &d->version) &&
         ((d->version >= CP_CLONE_OLDEST_VERSION && d->version <= CP_CLONE_VERSION) ||
          cp_clone_fail(&d->in, "unknown version"));
}

bool cp_clone_decode(lua_State *L, const char *bytes, size_t length, cp_decode_error *error)
{
  cp_clone_step next = CP_CLONE_STEP_BEGIN;
  int top = lua_gettop(L);
  size_t expected = 0;
  cp_clone_decoder d;

  luaL_checkstack(L, 2 * STACK_NEEDED + CP_NAME_CACHE_SIZE, NULL);
  lua_pushnil(L);
  lua_pushnil(L);
  d.L = L;
  d.in = (cp_clone_input){bytes, bytes + length, NULL};
  d.next_id = 0;
  d.allowance = VIEWS_BOUND * length;
  d.mark = top + 1;
  d.references = top + 2;
  d.depth = 0;
  if (memchr(bytes, CP_CLONE_TAG_REFERENCE, length) != NULL) {
    expected = length / USUAL_SIZE;
    lua_createtable(L, (int)(expected < MOST_EXPECTED ? expected : MOST_EXPECTED), 0);
    lua_replace(L, d.references);
  }
  d.has_names = length >= LENGTH_WITH_NAMES;
  if (d.has_names) {
    cp_name_cache_init(&d.names, L);
  }
  d.limit = lua_gettop(L) + STACK_NEEDED;
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
  lua_replace(L, top + 1);
  lua_settop(L, top + 1);
  return true;
}
