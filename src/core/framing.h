/* Where messages end on a channel. */
#ifndef CP_FRAMING_H
#define CP_FRAMING_H

#include "buffer.h"

#include <stdbool.h>

typedef enum cp_framing {
  CP_FRAMING_LINES,  /* each message ends with a newline and has none within */
  CP_FRAMING_LENGTH, /* before each message is its length in four bytes, the highest first */
} cp_framing;

/* Appends what comes before a message; to be followed by its bytes and cp_framing_end. 0 or -ENOMEM. */
int cp_framing_begin(cp_framing framing, cp_buffer *out);

/* Ends the message for which cp_framing_begin was called when `out` had `begin` bytes. 0, -ENOMEM, or
 * -EMSGSIZE if it is longer than Node could read. */
int cp_framing_end(cp_framing framing, cp_buffer *out, size_t begin);

/* A message in what has come, in bytes: what is before it, itself, what is behind. */
typedef struct cp_frame {
  size_t head;
  size_t length;
  size_t tail;
} cp_frame;

/* Finds the message that begins with these bytes; of which it may have more than there are, and of which the
 * first `*searched` are known to have no end: that is brought up to date. False if nothing is known of it. */
bool cp_framing_find(cp_framing framing, const char *bytes, size_t length, size_t *searched,
                     cp_frame *frame);

#endif
