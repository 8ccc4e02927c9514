#include "serialization.h"

#include "../codec/clone.h"
#include "../codec/json.h"
#include "../codec/raise.h"

#include <stdint.h>
#include <string.h>

static bool encode_json(lua_State *L, int index, cp_buffer *out)
{
  bool has_text = cp_json_encode(L, index, out);

  if (has_text && cp_buffer_append(out, "\n", 1) < 0) {
    cp_raise_memory(L);
  }
  return has_text;
}

static const char *decode_json(lua_State *L, const char *message, size_t length)
{
  cp_json_error error;

  return cp_json_decode(L, message, length, &error) ? NULL : error.reason;
}

/* Before each message is its length, which Node reads with a sign. */
enum { LENGTH_SIZE = 4, LONGEST = INT32_MAX - LENGTH_SIZE };

static bool encode_clone(lua_State *L, int index, cp_buffer *out)
{
  static const char zeros[LENGTH_SIZE];
  size_t begin = out->length, length = 0;

  if (cp_buffer_append(out, zeros, LENGTH_SIZE) < 0) {
    cp_raise_memory(L);
  }
  cp_clone_encode(L, index, out);
  length = out->length - begin - LENGTH_SIZE;
  if (length > LONGEST) {
    cp_clone_raise(L, index, "is too long to be sent");
  }
  for (int i = 0; i < LENGTH_SIZE; i++) {
    out->data[begin + (size_t)i] = (char)(length >> 8 * (LENGTH_SIZE - 1 - i) & 0xFF);
  }
  return true;
}

static const char *decode_clone(lua_State *L, const char *message, size_t length)
{
  cp_clone_error error;

  return cp_clone_decode(L, message, length, &error) ? NULL : error.reason;
}

const cp_serialization *cp_serialization_of_name(const char *name)
{
  static const cp_serialization json = {CP_FRAMING_LINES, encode_json, decode_json};
  static const cp_serialization advanced = {CP_FRAMING_LENGTH, encode_clone, decode_clone};

  return strcmp(name, "advanced") == 0 ? &advanced : &json;
}
