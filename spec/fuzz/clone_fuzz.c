/* For libFuzzer: decodes arbitrary bytes as structured clone. A value that comes out is encoded,
 * decoded and encoded again, which has to yield the same bytes, or for tables the same number of
 * bytes. The input as a Lua string has to come back unchanged. Every few allocations one fails, so
 * that Lua collects everything that is not anchored and tries again. A decoding must not allocate
 * more than in proportion to the length of the input. */
#include "codec/clone/clone.h"
#include "fuzz.h"

/* The memory that decoding a message may use: for each of its bytes, and for garbage and the growth
 * of Lua's stack. */
enum { BYTES_PER_BYTE = 128, BYTES_FOR_ALL = 64 * 1024 };

static cp_fuzz_memory memory;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct input {
  const char *data;
  size_t size;
  cp_buffer first, second; /* encoded values; freed also after an error */
} input;

static bool same_bytes(const cp_buffer *a, const cp_buffer *b)
{
  return a->length == b->length && memcmp(a->data, b->data, a->length) == 0;
}

/* Encodes and decodes the value on top of the stack. A decoded table may have its keys in another
 * order, so the bytes of tables are not compared. */
static void read_again(lua_State *L, input *in)
{
  cp_decode_error error;
  cp_clone_encode(L, -1, 0, &in->first);
  require(cp_clone_decode(L, in->first.data, in->first.length, &error), "what was written is read");
  cp_clone_encode(L, -1, 0, &in->second);
  require(in->first.length == in->second.length, "what is read is as long when it is written");
  if (!lua_istable(L, -1)) require(same_bytes(&in->first, &in->second), "and has the same bytes");
}

static int test_bytes(lua_State *L)
{
  input *in = lua_touserdata(L, 1);
  cp_decode_error error = {NULL, in->size + 1};
  bool good = false;
  lua_settop(L, 0);
  memory.limit = memory.used + BYTES_PER_BYTE * in->size + BYTES_FOR_ALL;
  good = cp_clone_decode(L, in->data, in->size, &error);
  memory.limit = 0;
  if (!good) {
    require(lua_gettop(L) == 0, "nothing is pushed for an error");
    require(error.reason != NULL && error.offset <= in->size, "an error has a reason and a place");
    return 0;
  }
  require(lua_gettop(L) == 1, "one value is pushed");
  read_again(L, in);
  require(lua_gettop(L) == 2, "writing leaves the stack alone");
  return 0;
}

static int test_string(lua_State *L)
{
  input *in = lua_touserdata(L, 1);
  cp_decode_error error;
  lua_pushlstring(L, in->data, in->size);
  cp_clone_encode(L, -1, 0, &in->first);
  require(cp_clone_decode(L, in->first.data, in->first.length, &error), "a string is read");
  require(lua_rawequal(L, -1, -2), "the string is the same");
  return 0;
}

static void run(lua_State *L, lua_CFunction test, const uint8_t *data, size_t size)
{
  input in = {.data = (const char *)data, .size = size};
  cp_fuzz_call(L, &memory, test, &in);
  memory.limit = 0; /* also after an error */
  cp_buffer_free(&in.first);
  cp_buffer_free(&in.second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static lua_State *L;
  if (!L) L = lua_newstate(cp_fuzz_allocate, &memory);
  if (!L) abort();
  memory.failure_interval = (int)(size % 16);
  run(L, test_bytes, data, size);
  run(L, test_string, data, size);
  memory.failure_interval = 0;
  return 0;
}
