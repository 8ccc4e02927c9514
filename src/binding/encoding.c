#include "encoding.h"

#include "../core/encoding.h"

#include <lauxlib.h>
#include <stdbool.h>

#define DECODER "child_process.decoder"

/* So much is decoded at a time: the room to reserve is a multiple of it that is rarely used. */
enum { SLICE = 4096 };

static size_t next_slice(size_t left)
{
  return left < SLICE ? left : SLICE;
}

/* The encoding that the argument names. Whatever is no name of an encoding means bytes. */
static cp_encoding encoding_at(lua_State *L, int index)
{
  size_t length = 0;
  const char *name = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &length) : NULL;

  return name == NULL ? CP_ENCODING_NONE : cp_encoding_from_name(name, length);
}

/* Pushes the text of the bytes at `index`: the same string, where it is its own text. `whole` says
 * that the decoder is new and no more bytes follow. The decoder changes only when nothing can be
 * raised any more. */
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
  cp_decoder *decoder = luaL_checkudata(L, 1, DECODER);

  push_text(L, 2, decoder, false);
  return 1;
}

/* decoder:finish() -> the text of what is left incomplete */
static int decoder_finish(lua_State *L)
{
  cp_decoder *decoder = luaL_checkudata(L, 1, DECODER);
  char text[CP_DECODER_FINISH_BOUND];

  lua_pushlstring(L, text, cp_decoder_finish(decoder, text));
  return 1;
}

/* decoder(encoding) -> object with the two methods; nil if there is no such encoding */
static int encoding_decoder(lua_State *L)
{
  cp_encoding encoding = encoding_at(L, 1);
  cp_decoder *decoder = NULL;

  if (encoding == CP_ENCODING_NONE) {
    lua_pushnil(L);
    return 1;
  }
  decoder = lua_newuserdatauv(L, sizeof(*decoder), 0);
  *decoder = cp_decoder_init(encoding);
  luaL_setmetatable(L, DECODER);
  return 1;
}

/* decode(bytes, encoding) -> text */
static int encoding_decode(lua_State *L)
{
  cp_decoder decoder = cp_decoder_init(encoding_at(L, 2));

  push_text(L, 1, &decoder, true);
  return 1;
}

/* encode(text, encoding) -> bytes */
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
  luaL_buffinitsize(L, &bytes, done + CP_ENCODE_BOUND(n - done));
  luaL_addlstring(&bytes, text, done);
  room = luaL_prepbuffsize(&bytes, CP_ENCODE_BOUND(n - done));
  luaL_addsize(&bytes, cp_encoding_encode(encoding, text + done, n - done, room));
  luaL_pushresult(&bytes);
  return 1;
}

/* normalize(name) -> the name that Node uses for the encoding; nil if there is none */
static int encoding_normalize(lua_State *L)
{
  lua_pushstring(L, cp_encoding_name(encoding_at(L, 1)));
  return 1;
}

int cp_open_encoding(lua_State *L)
{
  static const luaL_Reg methods[] = {
      {"write", decoder_write},
      {"finish", decoder_finish},
      {NULL, NULL},
  };
  static const luaL_Reg functions[] = {
      {"normalize", encoding_normalize},
      {"decoder", encoding_decoder},
      {"decode", encoding_decode},
      {"encode", encoding_encode},
      {NULL, NULL},
  };

  luaL_newmetatable(L, DECODER); /* metatable */
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  return 1;
}
