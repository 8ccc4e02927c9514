/* How a channel separates messages. */
#ifndef CP_FRAMING_H
#define CP_FRAMING_H

#include "core/base/buffer.h"

#include <stdbool.h>

typedef enum cp_framing {
  CP_FRAMING_LINES,  /* each message ends with a newline and has none within */
  CP_FRAMING_LENGTH, /* before each message comes its length in four bytes, the highest first */
} cp_framing;

/* Starts a message: appends its head. The caller appends the bytes and calls cp_framing_end.
 * Returns 0 or -ENOMEM. */
int cp_framing_begin(cp_framing framing, cp_buffer *out);

/* Ends the message that cp_framing_begin started when `out` had `begin` bytes. Returns 0, -ENOMEM,
 * or -EMSGSIZE if it is longer than Node can read. */
int cp_framing_end(cp_framing framing, cp_buffer *out, size_t begin);

/* The layout of a message among received bytes: the sizes of its head, its content and its tail. */
typedef struct cp_frame {
  size_t head;
  size_t length;
  size_t tail;
} cp_frame;

/* Finds the message at the start of these bytes; it may extend beyond them. The first `*searched`
 * bytes contain no newline; the function updates this number. Returns false if there are too few
 * bytes to know its length. */
bool cp_framing_find(cp_framing framing, const char *bytes, size_t length, size_t *searched,
                     cp_frame *frame);

#endif
