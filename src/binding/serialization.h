/* The format of the messages of a channel, chosen by `options.serialization`. */
#ifndef CPL_SERIALIZATION_H
#define CPL_SERIALIZATION_H

#include "binding/codec.h"
#include "core/channel/framing.h"

typedef struct cpl_serialization {
  cp_framing framing;
  cpl_encode_function *encode;
  cpl_decode_function *decode;
} cpl_serialization;

/* The serialization "advanced", or for any other name "json". */
const cpl_serialization *cpl_serialization_of_name(const char *name);

/* Appends the message of the value at `index`, framing included. Returns false, with nothing
 * appended, if the value has no encoded form. Raises for values that cannot be sent; the error
 * names the place in the value, without the `wrapped` outermost tables. */
bool cpl_serialization_encode(const cpl_serialization *serialization, lua_State *L, int index,
                              int wrapped, cp_buffer *out);

#endif
