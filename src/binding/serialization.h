/* How the messages of a channel are written: what `options.serialization` chooses. */
#ifndef CP_SERIALIZATION_H
#define CP_SERIALIZATION_H

#include "../core/buffer.h"
#include "../core/channel.h"

#include <lua.h>
#include <stdbool.h>

typedef struct cp_serialization {
  cp_framing framing;
  /* Appends the message of the value at `index`, framing included. Returns false if the value has
   * none; raises for what cannot be sent. */
  bool (*encode)(lua_State *L, int index, cp_buffer *out);
  /* Pushes the value of a message without its framing. Returns NULL, or why there is none. */
  const char *(*decode)(lua_State *L, const char *message, size_t length);
} cp_serialization;

/* The one of that name, "json" or "advanced"; others are taken for "json". */
const cp_serialization *cp_serialization_of_name(const char *name);

#endif
