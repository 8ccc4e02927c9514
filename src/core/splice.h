/* Moving everything from one stream to another inside the kernel. */
#ifndef CP_SPLICE_H
#define CP_SPLICE_H

#include "stream.h"

typedef struct cp_splice cp_splice;

typedef enum cp_splice_state {
  CP_SPLICE_MOVING,
  CP_SPLICE_EOF, /* all was moved; the target is still open */
  CP_SPLICE_READ_ERROR,
  CP_SPLICE_WRITE_ERROR,
  CP_SPLICE_REFUSED, /* the kernel does not do it for these two: read and write instead */
} cp_splice_state;

/* Called after each turn that moved `moved` bytes or ended the transfer, never after
 * cp_splice_stop, which it may call. `error` is a negative errno or 0. */
typedef void (*cp_splice_cb)(void *owner, size_t moved, cp_splice_state state, int error);

/* Starts moving. Neither stream may be read or written otherwise meanwhile. */
int cp_splice_start(cp_stream *from, cp_stream *to, cp_splice_cb callback, void *owner,
                    cp_splice **out);

/* Stops and frees; no byte is lost, what was not moved is still to be read. Accepts NULL, returns
 * NULL. Must be called at the end too. */
cp_splice *cp_splice_stop(cp_splice *transfer);

/* One of the two streams is ready. For stream.c. */
void cp_splice_turn(cp_splice *transfer, bool room);

#endif
