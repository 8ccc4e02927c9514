/* For libFuzzer: any bytes are given to the decoder of structured clone. What it takes for a value is
 * written and read again. The second writing has to give the same bytes as the first; where they are
 * of tables, as many. And as a Lua string the bytes have to come back as they were. Meanwhile memory
 * seems to run out every few allocations, so that Lua collects whatever is not anchored before it is
 * given some. What a decoding allocates must be in proportion to the bytes that are there. */
#include "../../src/codec/clone.h"
#include "fuzz.h"

/* So much more memory than before may be used while a message is decoded: for each of its bytes, and
 * for what Lua has not collected yet and the growth of its stack. */
enum { BYTES_PER_BYTE = 128, BYTES_FOR_ALL = 64 * 1024 };

static cp_fuzz_memory memory;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct input {
  const char *data;
  size_t size;
  cp_buffer first, second; /* what was written; freed also after an error */
} input;

static bool same_bytes(const cp_buffer *a, const cp_buffer *b)
{
  return a->length == b->length && memcmp(a->data, b->data, a->length) == 0;
}

/* What was read can be written. The keys of a table come in another order after it was made anew, so
 * bytes are compared only where that cannot be. */
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
