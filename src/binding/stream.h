/* The userdata of a stream on a descriptor. */
#ifndef CPL_STREAM_H
#define CPL_STREAM_H

#include "binding/handle.h"
#include "compat/lua.h"
#include "core/base/buffer.h"
#include "core/stream/splice.h"
#include "core/stream/stream.h"

#include <stdbool.h>
#include <stddef.h>

extern const char cpl_stream_class[];

typedef struct cpl_stream_handle {
  cpl_handle base; /* on a cp_stream */
  bool held;       /* it stays anchored until it is closed */
  /* Bytes that the handle collects instead of passing them to Lua piece by piece. */
  cp_buffer collected;
  size_t limit;
  bool collecting;
  cp_splice *splice; /* the transfer from this stream to others */
  struct cpl_stream_handle *splice_source;
} cpl_stream_handle;

/* Returns the open handle that a method is called on, or raises. */
static inline cpl_stream_handle *cpl_stream_handle_check(lua_State *L)
{
  return cpl_handle_check(L, 1, cpl_stream_class);
}

/* Returns its stream. */
static inline cp_stream *cpl_stream_check(lua_State *L)
{
  return cpl_stream_handle_check(L)->base.core;
}

/* Pushes a new handle on `fd`, which the handle closes unless `flags` (CP_STREAM_...) say that it
 * is borrowed. Raises when out of memory; then the caller still owns the descriptor. */
void cpl_stream_push(lua_State *L, cpl_state *state, int fd, int flags);

/* Pushes a new handle that owns a socket. Closes the socket if this raises. */
void cpl_stream_push_socket(lua_State *L, int fd);

/* Ends the transfer that the stream takes part in, if there is one. */
void cpl_stream_splice_stop(cpl_stream_handle *handle);

#endif
