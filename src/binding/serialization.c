/* The serializations "json" and "advanced" of messages. */
#include "binding/serialization.h"

#include "codec/clone/clone.h"
#include "codec/json/json.h"
#include "codec/raise.h"

#include <errno.h>
#include <string.h>

const cpl_serialization *cpl_serialization_of_name(const char *name)
{
  static const cpl_serialization json = {CP_FRAMING_LINES, cp_json_encode, cp_json_decode};
  static const cpl_serialization advanced = {CP_FRAMING_LENGTH, cp_clone_encode, cp_clone_decode};

  return strcmp(name, "advanced") == 0 ? &advanced : &json;
}

bool cpl_serialization_encode(const cpl_serialization *serialization, lua_State *L, int index,
                              int wrapped, cp_buffer *out)
{
  size_t begin = out->length;
  int r = cp_framing_begin(serialization->framing, out);

  if (r == 0 && !serialization->encode(L, index, wrapped, out)) {
    out->length = begin;
    return false;
  }
  r = r < 0 ? r : cp_framing_end(serialization->framing, out, begin);
  if (r == -EMSGSIZE) { /* lines have no limit */
    cp_clone_raise(L, index, "is too long to be sent");
  }
  if (r < 0) {
    cp_raise_memory(L);
  }
  return true;
}
