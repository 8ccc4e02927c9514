#include "codec.h"

#include "string_buffer.h"

#include <lauxlib.h>

typedef struct encoding_call {
  cp_encode_function *encode;
  cp_buffer buffer;
} encoding_call;

/* value, call */
static int push_encoded(lua_State *L)
{
  encoding_call *call = lua_touserdata(L, 2);

  if (call->encode(L, 1, 0, &call->buffer)) {
    cp_string_buffer_push(L, &call->buffer);
  } else {
    lua_pushnil(L);
  }
  return 1;
}

int cp_codec_encode(lua_State *L, cp_encode_function *encode)
{
  encoding_call call = {.encode = encode};
  int status = LUA_OK;

  lua_settop(L, 1);
  lua_pushcfunction(L, push_encoded);
  lua_insert(L, 1);
  lua_pushlightuserdata(L, &call);
  status = lua_pcall(L, 2, 1, 0);
  cp_buffer_free(&call.buffer);
  return status == LUA_OK ? 1 : lua_error(L);
}

int cp_codec_decode(lua_State *L, cp_decode_function *decode)
{
  size_t length = 0;
  const char *bytes = luaL_checklstring(L, 1, &length);
  cp_decode_error error;

  if (decode(L, bytes, length, &error)) {
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, error.reason);
  lua_pushinteger(L, (lua_Integer)error.offset + 1);
  return 3;
}

int cp_codec_keep_function(lua_State *L, void (*keep)(lua_State *L))
{
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  keep(L);
  return 0;
}
