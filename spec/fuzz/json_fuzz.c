/* For libFuzzer: gives arbitrary bytes to the JSON codec in two ways. If they are a JSON text, its
 * value is encoded and decoded again, and has to be the same. As a Lua string they have to come
 * back with U+FFFD for invalid UTF-8, as the UTF-8 decoder has it. Every few allocations one fails,
 * so that Lua collects everything that is not anchored and tries again. */
#include "codec/json/json.h"
#include "core/text/encoding.h"
#include "core/text/utf8.h"
#include "fuzz.h"

#include <lauxlib.h>

static cp_fuzz_memory memory;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(lua_State *L, int a, int b);

static bool same_number(lua_State *L, int a, int b)
{
  if (lua_isinteger(L, a) || lua_isinteger(L, b)) {
    return lua_isinteger(L, a) && lua_isinteger(L, b) && lua_tointeger(L, a) == lua_tointeger(L, b);
  }
  lua_Number first = lua_tonumber(L, a), second = lua_tonumber(L, b);
  return memcmp(&first, &second, sizeof first) == 0;
}

static int count_keys(lua_State *L, int table)
{
  int count = 0;
  lua_pushnil(L);
  while (lua_next(L, table)) {
    lua_pop(L, 1);
    count++;
  }
  return count;
}

static bool same_mark(lua_State *L, int a, int b)
{
  bool has_a = lua_getmetatable(L, a), has_b = lua_getmetatable(L, b);
  bool good = has_a == has_b && (!has_a || lua_rawequal(L, -1, -2));
  lua_pop(L, has_a + has_b);
  return good;
}

static bool same_table(lua_State *L, int a, int b)
{
  luaL_checkstack(L, 10, NULL);
  bool good = same_mark(L, a, b) && count_keys(L, a) == count_keys(L, b);
  lua_pushnil(L);
  while (good && lua_next(L, a)) {
    /* key, value, the other value */
    lua_pushvalue(L, -2);
    lua_rawget(L, b);
    good = same(L, lua_gettop(L) - 1, lua_gettop(L));
    lua_pop(L, 2);
  }
  if (!good) lua_pop(L, 1);
  return good;
}

/* Returns whether the value at `b` is the value at `a` after encoding and decoding. */
static bool same(lua_State *L, int a, int b)
{
  if (lua_type(L, a) == LUA_TNUMBER && isinf(lua_tonumber(L, a))) {
    return lua_type(L, b) == LUA_TLIGHTUSERDATA;
  }
  if (lua_type(L, a) != lua_type(L, b)) return false;
  if (lua_type(L, a) == LUA_TNUMBER) return same_number(L, a, b);
  if (lua_type(L, a) == LUA_TTABLE) return same_table(L, a, b);
  return lua_rawequal(L, a, b);
}

static void read_again(lua_State *L, cp_buffer *text)
{
  cp_decode_error error;
  int top = lua_gettop(L);
  size_t valid = cp_utf8_valid_prefix((const uint8_t *)text->data, text->length);
  require(valid == text->length, "what was written is UTF-8");
  require(memchr(text->data, '\n', text->length) == NULL, "what was written is one line");
  require(cp_json_decode(L, text->data, text->length, &error), "what was written can be read");
  require(lua_gettop(L) == top + 1, "one value is pushed");
}

typedef struct input {
  const char *data;
  size_t size;
  cp_buffer text; /* the encoded value; freed also after an error */
} input;

static int test_text(lua_State *L)
{
  input *in = lua_touserdata(L, 1);
  cp_decode_error error = {NULL, in->size + 1};
  lua_settop(L, 0);
  if (!cp_json_decode(L, in->data, in->size, &error)) {
    require(lua_gettop(L) == 0, "nothing is pushed for an error");
    require(error.reason != NULL && error.offset <= in->size, "an error has a reason and a place");
    return 0;
  }
  require(lua_gettop(L) == 1, "one value is pushed");
  require(cp_json_encode(L, 1, 0, &in->text), "what was read can be written");
  require(lua_gettop(L) == 1, "writing leaves the stack alone");
  read_again(L, &in->text);
  require(same(L, 1, 2), "the value is the same");
  return 0;
}

static int test_string(lua_State *L)
{
  input *in = lua_touserdata(L, 1);
  cp_decoder decoder = cp_decoder_init(CP_ENCODING_UTF8);
  char *expected = lua_newuserdatauv(L, CP_DECODER_BOUND(in->size) + CP_DECODER_FINISH_BOUND, 0);
  size_t length = cp_decoder_write(&decoder, in->data, in->size, expected);
  length += cp_decoder_finish(&decoder, expected + length);

  lua_pushlstring(L, in->data, in->size);
  require(cp_json_encode(L, -1, 0, &in->text), "a string can be written");
  read_again(L, &in->text);
  lua_pushlstring(L, expected, length);
  require(lua_rawequal(L, -1, -2), "the string is the same");
  return 0;
}

static void run(lua_State *L, lua_CFunction test, const uint8_t *data, size_t size)
{
  input in = {.data = (const char *)data, .size = size};
  cp_fuzz_call(L, &memory, test, &in);
  cp_buffer_free(&in.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static lua_State *L;
  if (!L) L = lua_newstate(cp_fuzz_allocate, &memory);
  if (!L) abort();
  memory.failure_interval = (int)(size % 16);
  run(L, test_text, data, size);
  run(L, test_string, data, size);
  memory.failure_interval = 0;
  return 0;
}
