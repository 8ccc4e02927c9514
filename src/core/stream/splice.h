/* Moves all data from one stream to others inside the kernel. */
#ifndef CP_SPLICE_H
#define CP_SPLICE_H

#include "core/base/buffer.h"
#include "core/stream/stream.h"

typedef struct cp_splice cp_splice;

enum { CP_SPLICE_TARGETS = 16 }; /* the most that a transfer can have */

typedef enum cp_splice_state {
  CP_SPLICE_MOVING,
  CP_SPLICE_EOF, /* everything was moved; the targets are still open */
  CP_SPLICE_READ_ERROR,
  CP_SPLICE_WRITE_ERROR,
  CP_SPLICE_REFUSED, /* the kernel cannot do it for these: read and write instead */
} cp_splice_state;

typedef struct cp_splice_step {
  size_t moved; /* bytes that were read, and that every target has got */
  cp_splice_state state;
  int error;  /* a negative errno or 0 */
  int target; /* with CP_SPLICE_WRITE_ERROR: the index of the target that failed */
} cp_splice_step;

/* Called after each step that has moved bytes or has ended the transfer. It may call
 * cp_splice_stop, and is not called after that. */
typedef void (*cp_splice_cb)(void *owner, const cp_splice_step *step);

/* Starts moving. Until cp_splice_stop the streams must not be read or written in any other way.
 * All of them must be pipes if there is more than one target. Returns 0 or a negative errno, which
 * is -EINVAL if they are not, or if there are too many. */
int cp_splice_start(cp_stream *from, cp_stream *const *targets, int count, cp_splice_cb callback,
                    void *owner, cp_splice **out);

/* Stops and frees a transfer; call it for one that has ended, too. Bytes that were not moved can
 * still be read, also those that only some of the targets have. Accepts NULL, returns NULL. */
cp_splice *cp_splice_stop(cp_splice *transfer);

int cp_splice_count(const cp_splice *transfer);
cp_stream *cp_splice_target(const cp_splice *transfer, int index);

/* Reads the bytes that some targets have and others have not, and appends them to `rest`. Call it
 * before cp_splice_stop, if the bytes are to be written to the others. Returns 0 or -ENOMEM. */
int cp_splice_take_rest(const cp_splice *transfer, cp_buffer *rest);

/* How many of these bytes a target has. */
size_t cp_splice_ahead(const cp_splice *transfer, int index);

#endif
