/* The parts of reading that are not inlined. */
#include "codec/clone/input.h"

#include "codec/number/number.h"
#include "compat/lua.h"
#include "core/text/encoding.h"
#include "core/text/utf8.h"

#include <string.h>

bool cp_clone_read_long_varint(cp_clone_input *in, uint32_t *number)
{
  uint64_t value = 0;
  uint8_t byte = 0;

  for (unsigned shift = 0; shift < 35; shift += 7) {
    if (!cp_clone_read_byte(in, &byte)) {
      return false;
    }
    value |= (uint64_t)(byte & 0x7F) << shift;
    if (byte < 0x80) {
      *number = (uint32_t)value;
      return value <= UINT32_MAX || cp_clone_fail(in, "number too large");
    }
  }
  return cp_clone_fail(in, "number too large");
}

bool cp_clone_accept(cp_clone_input *in, cp_clone_tag tag)
{
  const char *at = in->at;

  while (at < in->end && *at == CP_CLONE_TAG_PADDING) {
    at++;
  }
  if (at == in->end || *at != (char)tag) {
    return false;
  }
  in->at = at + 1;
  return true;
}

bool cp_clone_expect(cp_clone_input *in, uint32_t number)
{
  uint32_t found = 0;

  return cp_clone_read_varint(in, &found) && (found == number || cp_clone_fail(in, "wrong count"));
}

bool cp_clone_read_bytes(cp_clone_input *in, const char **bytes, size_t *length)
{
  uint32_t count = 0;

  if (!cp_clone_read_varint(in, &count)) {
    return false;
  }
  if (count > cp_clone_left(in)) {
    return cp_clone_fail(in, "longer than the message");
  }
  *bytes = in->at;
  *length = count;
  in->at += count;
  return true;
}

bool cp_clone_read_double(cp_clone_input *in, double *real)
{
  if (cp_clone_left(in) < sizeof(*real)) {
    return cp_clone_fail_at_end(in);
  }
  memcpy(real, in->at, sizeof(*real));
  in->at += sizeof(*real);
  return true;
}

/* Strings. */

/* Strings in Latin-1 and UTF-16 are converted in pieces. */
enum { PIECE = 4096 };

static void push_decoded(lua_State *L, cp_encoding encoding, const char *bytes, size_t length)
{
  cp_decoder decoder = cp_decoder_init(encoding);
  luaL_Buffer text;
  char *room = NULL;

  luaL_buffinit(L, &text);
  while (length > 0) {
    size_t count = length < PIECE ? length : PIECE;

    room = luaL_prepbuffsize(&text, CP_DECODER_BOUND(PIECE));
    luaL_addsize(&text, cp_decoder_write(&decoder, bytes, count, room));
    bytes += count;
    length -= count;
  }
  room = luaL_prepbuffsize(&text, CP_DECODER_FINISH_BOUND);
  luaL_addsize(&text, cp_decoder_finish(&decoder, room));
  luaL_pushresult(&text);
}

bool cp_clone_read_string(cp_clone_input *in, lua_State *L, uint8_t tag)
{
  const char *bytes = NULL;
  size_t length = 0;

  if (!cp_clone_read_bytes(in, &bytes, &length)) {
    return false;
  }
  if (tag == CP_CLONE_TAG_UTF8 ||
      (tag == CP_CLONE_TAG_ONE_BYTE && cp_ascii_prefix((const uint8_t *)bytes, length) == length)) {
    lua_pushlstring(L, bytes, length);
  } else if (tag == CP_CLONE_TAG_ONE_BYTE) {
    push_decoded(L, CP_ENCODING_LATIN1, bytes, length);
  } else if (length % 2 == 0) {
    push_decoded(L, CP_ENCODING_UTF16LE, bytes, length);
  } else {
    in->at = bytes;
    return cp_clone_fail(in, "half a character");
  }
  return true;
}

/* Longer names rarely repeat. */
enum { LONGEST_NAME = 40 };

bool cp_clone_read_name(cp_clone_input *in, lua_State *L, uint8_t tag, cp_name_cache *names)
{
  const char *bytes = NULL;
  size_t length = 0;

  if (names == NULL || tag != CP_CLONE_TAG_ONE_BYTE || cp_clone_left(in) == 0) {
    return cp_clone_read_string(in, L, tag);
  }
  length = (uint8_t)*in->at;
  if (length > LONGEST_NAME || cp_clone_left(in) < 1 + length) {
    return cp_clone_read_string(in, L, tag);
  }
  bytes = in->at + 1;
  if (!cp_name_cache_push_known(names, L, bytes, length)) {
    if (cp_ascii_prefix((const uint8_t *)bytes, length) < length) {
      return cp_clone_read_string(in, L, tag);
    }
    cp_name_cache_push(names, L, bytes, length);
  }
  in->at = bytes + length;
  return true;
}

bool cp_clone_read_string_value(cp_clone_input *in, lua_State *L)
{
  uint8_t tag = 0;
  bool is_marked = false;

  if (!cp_clone_read_tag(in, &tag, &is_marked)) {
    return false;
  }
  if (!cp_clone_is_string(tag)) {
    in->at--;
    return cp_clone_fail(in, "not a string");
  }
  return cp_clone_read_string(in, L, tag);
}

/* Numbers. */

static void push_double(lua_State *L, double real, bool is_float)
{
  int64_t integer = 0;

  if (!is_float && cp_number_to_integer(real, &integer)) {
    lua_pushinteger(L, integer);
  } else {
    lua_pushnumber(L, real);
  }
}

bool cp_clone_read_number(cp_clone_input *in, lua_State *L, uint8_t tag, bool is_marked)
{
  uint32_t bits = 0;
  double real = 0;

  if (tag == CP_CLONE_TAG_DOUBLE) {
    if (!cp_clone_read_double(in, &real)) {
      return false;
    }
    push_double(L, real, is_marked);
    return true;
  }
  if (!cp_clone_read_varint(in, &bits)) {
    return false;
  }
  if (tag == CP_CLONE_TAG_UINT32) {
    lua_pushinteger(L, bits);
  } else {
    lua_pushinteger(L, bits % 2 == 0 ? (lua_Integer)(bits / 2) : -(lua_Integer)(bits / 2) - 1);
  }
  return true;
}
