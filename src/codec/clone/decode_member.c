/* One function per form of object advances to the next member. */
#include "codec/clone/decode_member.h"

#include "codec/clone/decode_level.h"
#include "codec/clone/error_object.h"
#include "codec/clone/number_keys.h"
#include "codec/number/number.h"

/* The greatest index of a JavaScript array is one less. */
#define INDEX_LIMIT UINT32_MAX

/* Replaces the number on top of the stack by the key that it represents. V8 writes a number for the
 * index of an element. */
static bool convert_number_key(cp_clone_decoder *d, const cp_clone_level *l, bool is_marked)
{
  char text[CP_NUMBER_BOUND];
  lua_Integer index = 0;

  if (is_marked) {
    return !cp_clone_is_nan(d->L, -1) || cp_clone_fail(&d->in, "NaN as a key");
  }
  index = lua_isinteger(d->L, -1) ? lua_tointeger(d->L, -1) : -1;
  if (index < 0 || index >= INDEX_LIMIT) {
    return cp_clone_fail(&d->in, "number that is not an index");
  }
  lua_pop(d->L, 1);
  if (l->form == CP_CLONE_FORM_OBJECT) {
    lua_pushlstring(d->L, text, cp_number_write_integer(index, text));
  } else {
    lua_pushinteger(d->L, index + 1);
  }
  return true;
}

/* Reads the key of a property and pushes it. */
static bool read_key(cp_clone_decoder *d, const cp_clone_level *l)
{
  uint8_t tag = 0;
  bool is_marked = false;

  if (!cp_clone_read_tag(&d->in, &tag, &is_marked)) {
    return false;
  }
  if (cp_clone_is_string(tag)) {
    return cp_clone_read_name(&d->in, d->L, tag, d->has_names ? &d->names : NULL);
  }
  switch (tag) {
    case CP_CLONE_TAG_INT32:
    case CP_CLONE_TAG_UINT32:
    case CP_CLONE_TAG_DOUBLE:
      return cp_clone_read_number(&d->in, d->L, tag, false) &&
             convert_number_key(d, l, is_marked && l->form == CP_CLONE_FORM_OBJECT);
    default: d->in.at--; return cp_clone_fail(&d->in, "invalid key");
  }
}

/* Reads the key of the next property, or the end of the object. */
static cp_clone_step next_property(cp_clone_decoder *d, cp_clone_level *l, cp_clone_tag end)
{
  if (cp_clone_accept(&d->in, end)) {
    return cp_clone_expect(&d->in, l->properties) &&
                   (l->form == CP_CLONE_FORM_OBJECT || cp_clone_expect(&d->in, l->length))
               ? cp_clone_end_level(d)
               : CP_CLONE_STEP_FAILED;
  }
  l->properties++;
  return read_key(d, l) ? CP_CLONE_STEP_BEGIN : CP_CLONE_STEP_FAILED;
}

/* Advances to the next element of a dense array, or to its other properties. */
static cp_clone_step next_element(cp_clone_decoder *d, cp_clone_level *l)
{
  if (l->count < l->length) {
    l->count++;
    return CP_CLONE_STEP_BEGIN;
  }
  if (d->in.at == d->in.end || *d->in.at != CP_CLONE_TAG_DENSE_END) {
    cp_clone_store(d, l);
    l->form = CP_CLONE_FORM_OTHERS;
  }
  return next_property(d, l, CP_CLONE_TAG_DENSE_END);
}

/* Advances to the next key, value or member of a Map or Set, or closes it. */
static cp_clone_step next_entry(cp_clone_decoder *d, cp_clone_level *l, cp_clone_tag end)
{
  if (cp_clone_accept(&d->in, end)) {
    if (l->form != CP_CLONE_FORM_SET && l->count % 2 != 0) {
      return cp_clone_failed(d, "key without a value");
    }
    return cp_clone_expect(&d->in, l->count) ? cp_clone_end_level(d) : CP_CLONE_STEP_FAILED;
  }
  l->count++;
  return CP_CLONE_STEP_BEGIN;
}

/* Reads the next part of an Error, or its end. */
static cp_clone_step next_part(cp_clone_decoder *d)
{
  uint8_t tag = 0;
  const char *name = NULL;

  if (!cp_clone_read_byte(&d->in, &tag)) {
    return CP_CLONE_STEP_FAILED;
  }
  switch (tag) {
    case CP_CLONE_ERROR_END: return cp_clone_end_level(d);
    case CP_CLONE_ERROR_MESSAGE:
      lua_pushliteral(d->L, "message");
      return cp_clone_ended(cp_clone_read_string_value(&d->in, d->L));
    case CP_CLONE_ERROR_STACK:
      lua_pushliteral(d->L, "stack");
      return cp_clone_ended(cp_clone_read_string_value(&d->in, d->L));
    case CP_CLONE_ERROR_CAUSE: lua_pushliteral(d->L, "cause"); return CP_CLONE_STEP_BEGIN;
    default: break;
  }
  name = cp_clone_error_name(tag);
  if (name == NULL) {
    d->in.at--;
    return cp_clone_failed(d, "unknown part of an error");
  }
  lua_pushliteral(d->L, "name");
  lua_pushstring(d->L, name);
  return CP_CLONE_STEP_END;
}

/* Moves a full portion off the stack. */
static bool store_portion(cp_clone_decoder *d, cp_clone_level *l)
{
  bool has_entries = cp_clone_is_sequence(l->form) || l->form == CP_CLONE_FORM_HOST;

  return (!has_entries && cp_clone_gather(d, l)) || cp_clone_store(d, l);
}

cp_clone_step cp_clone_next_member(cp_clone_decoder *d, int top)
{
  cp_clone_level *l = &d->levels[d->depth - 1];
  int waiting = top - l->bottom;

  if (waiting == CP_CLONE_PORTION &&
      !store_portion(d, l)) { /* an even number: each key has its value */
    return CP_CLONE_STEP_FAILED;
  }
  switch (l->form) {
    case CP_CLONE_FORM_OBJECT: return next_property(d, l, CP_CLONE_TAG_OBJECT_END);
    case CP_CLONE_FORM_ELEMENTS: return next_element(d, l);
    case CP_CLONE_FORM_OTHERS: return next_property(d, l, CP_CLONE_TAG_DENSE_END);
    case CP_CLONE_FORM_SPARSE: return next_property(d, l, CP_CLONE_TAG_SPARSE_END);
    case CP_CLONE_FORM_PAIRS:
    case CP_CLONE_FORM_MAP: return next_entry(d, l, CP_CLONE_TAG_MAP_END);
    case CP_CLONE_FORM_SET: return next_entry(d, l, CP_CLONE_TAG_SET_END);
    case CP_CLONE_FORM_ERROR: return next_part(d);
    default: return l->count++ == 0 ? CP_CLONE_STEP_BEGIN : cp_clone_end_level(d);
  }
}
