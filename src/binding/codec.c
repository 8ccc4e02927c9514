/* Encodes a value to a string, and decodes a string, with any of the codecs. */
#include "binding/codec.h"

#include "binding/parts.h"
#include "binding/state.h"
#include "binding/string_buffer.h"
#include "compat/int64.h"

/* A __tojson may call encode, and so on. LuaJIT does not limit how deep C functions are nested. */
enum { MOST_ENCODES = 150 };

typedef struct encoding_call {
  cpl_encode_function *encode;
  cp_buffer buffer;
} encoding_call;

/* value, call */
static int push_encoded(lua_State *L)
{
  encoding_call *call = lua_touserdata(L, 2);

  if (call->encode(L, 1, 0, &call->buffer)) {
    cpl_string_buffer_push(L, &call->buffer);
  } else {
    lua_pushnil(L);
  }
  return 1;
}

int cpl_codec_encode(lua_State *L, cpl_encode_function *encode)
{
  cpl_state *state = cpl_state_get(L);
  encoding_call call = {.encode = encode};
  int status = LUA_OK;

  if (state->encodes == MOST_ENCODES) {
    return luaL_error(L, "C stack overflow");
  }
  lua_settop(L, 1);
  lua_pushcfunction(L, push_encoded);
  lua_insert(L, 1);
  lua_pushlightuserdata(L, &call);
  state->encodes++;
  status = lua_pcall(L, 2, 1, 0);
  state->encodes--;
  cp_buffer_free(&call.buffer);
  return status == LUA_OK ? 1 : lua_error(L);
}

int cpl_codec_decode(lua_State *L, cpl_decode_function *decode)
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

int cpl_codec_keep_function(lua_State *L, void (*keep)(lua_State *L))
{
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  keep(L);
  return 0;
}

/* setInt64(make, split): see compat/int64.h */
static int set_int64(lua_State *L)
{
  lua_settop(L, 2);
  cp_int64_set_functions(L);
  return 0;
}

void cpl_add_codec(lua_State *L)
{
  lua_pushcfunction(L, set_int64);
  lua_setfield(L, -2, "setInt64");
}
