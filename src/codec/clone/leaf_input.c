/* One function per class reads its objects. */
#include "codec/clone/leaf_input.h"

#include "codec/clone/bigint.h"
#include "codec/clone/class.h"
#include "codec/clone/view.h"
#include "codec/number/number.h"
#include "compat/int64.h"

#include <string.h>

bool cp_clone_read_date(cp_clone_input *in, lua_State *L)
{
  double time = 0;
  int64_t milliseconds = 0;

  if (!cp_clone_read_double(in, &time)) {
    return false;
  }
  lua_createtable(L, 0, 1);
  if (cp_number_to_integer(time, &milliseconds)) {
    lua_pushinteger(L, milliseconds);
  } else {
    lua_pushnumber(L, time);
  }
  lua_setfield(L, -2, "time");
  cp_clone_set_class(L, CP_CLONE_DATE);
  return true;
}

/* Pushes the letters of the flags, in the order in which JavaScript lists them. */
static void push_flags(lua_State *L, uint32_t bits)
{
  static const char names[] = CP_CLONE_REGEXP_FLAGS, in_order[] = "dgilmsuvy";
  char flags[sizeof(names)];
  size_t count = 0;

  for (const char *name = in_order; *name != '\0'; name++) {
    if ((bits >> (strchr(names, *name) - names) & 1) != 0) {
      flags[count++] = *name;
    }
  }
  lua_pushlstring(L, flags, count);
}

bool cp_clone_read_regexp(cp_clone_input *in, lua_State *L)
{
  uint32_t bits = 0;

  lua_createtable(L, 0, 2);
  if (!cp_clone_read_string_value(in, L) || !cp_clone_read_varint(in, &bits)) {
    return false;
  }
  if (bits >> (sizeof(CP_CLONE_REGEXP_FLAGS) - 1) != 0) {
    return cp_clone_fail(in, "unknown flags");
  }
  lua_setfield(L, -2, "source");
  push_flags(L, bits);
  lua_setfield(L, -2, "flags");
  cp_clone_set_class(L, CP_CLONE_REGEXP);
  return true;
}

bool cp_clone_read_bigint(cp_clone_input *in, lua_State *L, bool as_object)
{
  uint32_t field = 0;
  int64_t integer = 0;
  const char *bytes = NULL;

  if (!cp_clone_read_varint(in, &field)) {
    return false;
  }
  if (field / 2 > cp_clone_left(in)) {
    return cp_clone_fail(in, "longer than the message");
  }
  bytes = in->at;
  in->at += field / 2;
  if (!as_object && cp_clone_bigint_to_integer(bytes, field / 2, field % 2 != 0, &integer)) {
    cp_int64_push(L, integer);
    return true;
  }
  lua_createtable(L, 0, 1);
  cp_clone_push_hex(L, bytes, field / 2, field % 2 != 0);
  lua_setfield(L, -2, "hex");
  cp_clone_set_class(L, CP_CLONE_BIGINT);
  return true;
}

bool cp_clone_read_array_buffer(cp_clone_input *in, lua_State *L, bool is_resizable)
{
  uint32_t length = 0, most = 0;

  if (!cp_clone_read_varint(in, &length) || (is_resizable && !cp_clone_read_varint(in, &most))) {
    return false;
  }
  if (length > cp_clone_left(in) || (is_resizable && length > most)) {
    return cp_clone_fail(in, "longer than the message");
  }
  lua_createtable(L, 0, 1);
  lua_pushlstring(L, in->at, length);
  lua_setfield(L, -2, "bytes");
  cp_clone_set_class(L, CP_CLONE_ARRAY_BUFFER);
  in->at += length;
  return true;
}

/* Views. */

/* Pops the bytes on top of the stack and pushes a view of them. */
static void push_typed_array(lua_State *L, const cp_clone_view *view)
{
  lua_createtable(L, 0, 2);
  lua_insert(L, -2);
  lua_setfield(L, -2, "bytes");
  lua_pushstring(L, view->name);
  lua_setfield(L, -2, "type");
  cp_clone_set_class(L, CP_CLONE_TYPED_ARRAY);
}

bool cp_clone_read_host_view(cp_clone_input *in, lua_State *L)
{
  uint32_t number = 0;
  const cp_clone_view *view = NULL;
  const char *bytes = NULL;
  size_t length = 0;

  if (!cp_clone_read_varint(in, &number)) {
    return false;
  }
  view = cp_clone_view_of_number(number);
  if (view == NULL) {
    return cp_clone_fail(in, "unknown typed array");
  }
  if (!cp_clone_read_bytes(in, &bytes, &length)) {
    return false;
  }
  if (length % view->element_size != 0) {
    return cp_clone_fail(in, "not a whole number of elements");
  }
  lua_pushlstring(L, bytes, length);
  if (number != CP_CLONE_VIEW_BUFFER) {
    push_typed_array(L, view);
  }
  return true;
}

/* Replaces the bytes on top of the stack by the part that a view covers. Any number of views may
 * cover the same bytes, so a short message could make us copy much: `*allowance` limits that. */
static bool push_part(cp_clone_input *in, lua_State *L, size_t offset, size_t length,
                      uint64_t *allowance)
{
  size_t size = 0;
  const char *bytes = lua_tolstring(L, -1, &size);

  if (length == size) {
    return true;
  }
  if (length > *allowance) {
    return cp_clone_fail(in, "views with too many bytes");
  }
  *allowance -= length;
  lua_pushlstring(L, bytes + offset, length);
  lua_remove(L, -2);
  return true;
}

bool cp_clone_read_view(cp_clone_input *in, lua_State *L, uint32_t version, uint64_t *allowance)
{
  uint8_t tag = 0;
  uint32_t offset = 0, length = 0, flags = 0;
  size_t size = 0;
  const cp_clone_view *view = NULL;

  if (!cp_clone_read_byte(in, &tag) || !cp_clone_read_varint(in, &offset) ||
      !cp_clone_read_varint(in, &length) ||
      (version >= CP_CLONE_VERSION_OF_VIEW_FLAGS && !cp_clone_read_varint(in, &flags))) {
    return false;
  }
  view = cp_clone_view_of_tag(tag);
  if (view == NULL) {
    return cp_clone_fail(in, "unknown typed array");
  }
  lua_pushliteral(L, "bytes");
  lua_rawget(L, -2);
  size = (size_t)lua_rawlen(L, -1);
  if (offset > size || length > size - offset || offset % view->element_size != 0 ||
      length % view->element_size != 0) {
    return cp_clone_fail(in, "not a part of its ArrayBuffer");
  }
  /* buffer, bytes */
  if (!push_part(in, L, offset, length, allowance)) {
    return false;
  }
  push_typed_array(L, view);
  lua_replace(L, -2);
  return true;
}
