/* How the messages of a channel are written: what `options.serialization` chooses. */
#ifndef CP_SERIALIZATION_H
#define CP_SERIALIZATION_H

#include "../core/framing.h"
#include "codec.h"

typedef struct cp_serialization {
  cp_framing framing;
  cp_encode_function *encode;
  cp_decode_function *decode;
} cp_serialization;

/* The one of that name, "json" or "advanced"; others are taken for "json". */
const cp_serialization *cp_serialization_of_name(const char *name);

/* Appends the message of the value at `index`, framing included. Returns false, with nothing appended, if the
 * value has none; raises for what cannot be sent, naming the place without the `wrapped` outermost tables. */
bool cp_serialization_encode(const cp_serialization *serialization, lua_State *L, int index,
                             int wrapped, cp_buffer *out);

#endif
