/* The field `encoding` of the module: text and bytes, for lua/child_process/encoding.lua. */
#include "core/text/encoding.h"

#include "binding/object.h"
#include "binding/parts.h"
#include "core/text/utf8.h"

#include <stdbool.h>
#include <stdint.h>

static const char DECODER[] = "child_process.Decoder";

/* Bytes decoded at a time. The room to reserve is a multiple of it, most of which stays unused. */
enum { SLICE = 4096 };

static size_t next_slice(size_t left)
{
  return left < SLICE ? left : SLICE;
}

/* Returns the encoding that the argument names; CP_ENCODING_NONE, which leaves bytes unchanged, for
 * any other value. */
static cp_encoding encoding_at(lua_State *L, int index)
{
  size_t length = 0;
  const char *name = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &length) : NULL;

  return name == NULL ? CP_ENCODING_NONE : cp_encoding_from_name(name, length);
}

/* Pushes the text of the bytes at `index`: the same string if its text is equal. If `whole` is set,
 * the decoder is new and no more bytes follow. Updates the decoder after the last call that can
 * raise. */
static void push_text(lua_State *L, int index, cp_decoder *decoder, bool whole)
{
  size_t n = 0;
  const char *bytes = luaL_checklstring(L, index, &n);
  cp_decoder next = *decoder;
  size_t done = cp_decoder_unchanged(&next, bytes, n);
  luaL_Buffer text;

  if (done == n) {
    lua_pushvalue(L, index);
    return;
  }
  luaL_buffinitsize(L, &text, n + CP_DECODER_BOUND(next_slice(n - done)));
  luaL_addlstring(&text, bytes, done);
  while (done < n) {
    size_t count = next_slice(n - done);
    char *room = luaL_prepbuffsize(&text, CP_DECODER_BOUND(count));

    luaL_addsize(&text, cp_decoder_write(&next, bytes + done, count, room));
    done += count;
  }
  if (whole) {
    char *room = luaL_prepbuffsize(&text, CP_DECODER_FINISH_BOUND);

    luaL_addsize(&text, cp_decoder_finish(&next, room));
  }
  luaL_pushresult(&text);
  *decoder = next;
}

/* decoder:write(bytes) -> the text that they complete */
static int decoder_write(lua_State *L)
{
  cp_decoder *decoder = cpl_object_check(L, 1, DECODER);

  push_text(L, 2, decoder, false);
  return 1;
}

/* decoder:finish() -> the text for the bytes of an incomplete character */
static int decoder_finish(lua_State *L)
{
  cp_decoder *decoder = cpl_object_check(L, 1, DECODER);
  char text[CP_DECODER_FINISH_BOUND];

  lua_pushlstring(L, text, cp_decoder_finish(decoder, text));
  return 1;
}

/* decoder:take() -> the bytes of an incomplete character, which the decoder drops */
static int decoder_take(lua_State *L)
{
  cp_decoder *decoder = cpl_object_check(L, 1, DECODER);
  char bytes[CP_DECODER_FINISH_BOUND];

  lua_pushlstring(L, bytes, cp_decoder_take(decoder, bytes));
  return 1;
}

/* decoder(name) -> Decoder; nil for an unknown encoding */
static int encoding_decoder(lua_State *L)
{
  cp_encoding encoding = encoding_at(L, 1);
  cp_decoder *decoder = NULL;

  if (encoding == CP_ENCODING_NONE) {
    lua_pushnil(L);
    return 1;
  }
  decoder = cpl_object_new(L, DECODER, sizeof(*decoder));
  *decoder = cp_decoder_init(encoding);
  return 1;
}

/* decode(bytes, name) -> text */
static int encoding_decode(lua_State *L)
{
  cp_decoder decoder = cp_decoder_init(encoding_at(L, 2));

  push_text(L, 1, &decoder, true);
  return 1;
}

/* encode(text, name) -> bytes */
static int encoding_encode(lua_State *L)
{
  size_t n = 0;
  const char *text = luaL_checklstring(L, 1, &n);
  cp_encoding encoding = encoding_at(L, 2);
  size_t done = cp_encoding_unchanged(encoding, text, n);
  luaL_Buffer bytes;
  char *room = NULL;

  if (done == n) {
    lua_pushvalue(L, 1);
    return 1;
  }
  luaL_argcheck(L, n <= SIZE_MAX / 2, 1, "too long");
  luaL_buffinitsize(L, &bytes, done + CP_ENCODE_BOUND(n - done));
  luaL_addlstring(&bytes, text, done);
  room = luaL_prepbuffsize(&bytes, CP_ENCODE_BOUND(n - done));
  luaL_addsize(&bytes, cp_encoding_encode(encoding, text + done, n - done, room));
  luaL_pushresult(&bytes);
  return 1;
}

/* normalize(name) -> the canonical name of the encoding; nil for an unknown one */
static int encoding_normalize(lua_State *L)
{
  lua_pushstring(L, cp_encoding_name(encoding_at(L, 1)));
  return 1;
}

/* utf8Length(text) -> the number of characters; nil if the text is not valid UTF-8 */
static int encoding_utf8_length(lua_State *L)
{
  size_t length = 0;
  const uint8_t *text = (const uint8_t *)luaL_checklstring(L, 1, &length);
  lua_Integer count = 0;

  if (cp_utf8_valid_prefix(text, length) < length) {
    lua_pushnil(L);
    return 1;
  }
  for (size_t i = 0; i < length; i++) {
    count += (text[i] & 0xC0) != 0x80;
  }
  lua_pushinteger(L, count);
  return 1;
}

void cpl_add_encoding(lua_State *L)
{
  static const luaL_Reg metamethods[] = {{NULL, NULL}};
  static const luaL_Reg methods[] = {
      {"write", decoder_write},
      {"finish", decoder_finish},
      {"take", decoder_take},
      {NULL, NULL},
  };
  static const luaL_Reg functions[] = {
      {"normalize", encoding_normalize},    {"decoder", encoding_decoder},
      {"decode", encoding_decode},          {"encode", encoding_encode},
      {"utf8Length", encoding_utf8_length}, {NULL, NULL},
  };

  cpl_object_class(L, DECODER, metamethods, methods);
  luaL_newlib(L, functions);
  lua_setfield(L, -2, "encoding");
}
