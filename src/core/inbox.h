/* What comes in on a message channel: messages, cut apart, and descriptors that travel with them. */
#ifndef CP_INBOX_H
#define CP_INBOX_H

#include "framing.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* More descriptors are not kept at a time: nobody who keeps to the rules has two on their way. */
enum { CP_INBOX_DESCRIPTORS = 4 };

typedef struct cp_inbox {
  cp_framing framing;
  size_t max_message; /* bytes */

  /* What has come and was not taken: in `kept`, or in the memory that was given for receiving. */
  const char *window;
  size_t window_length;
  size_t searched; /* so much of it has no end of a message */
  uint64_t taken;  /* bytes before it, since the begin */
  cp_buffer kept;

  bool finishing; /* no more messages are taken than begin within the next `last_bytes` */
  size_t last_bytes;

  struct {
    int fd;
    uint64_t until; /* it belongs to a message that begins before this byte */
  } descriptors[CP_INBOX_DESCRIPTORS];
  int descriptor_count;
} cp_inbox;

void cp_inbox_init(cp_inbox *inbox);

/* Closes what nobody has taken. */
void cp_inbox_clear(cp_inbox *inbox);

/* Receives once, into `room` unless something is kept. Returns the number of bytes, 0 at the end, or a negative
 * errno; `*filled` tells whether there may be more at once. To be followed by cp_inbox_keep before
 * the room is used again. */
ssize_t cp_inbox_receive(cp_inbox *inbox, int socket, char *room, size_t size, bool *filled);

/* Takes the next message, which stays valid until cp_inbox_keep. Returns 1; 0 if there is no whole one;
 * -EMSGSIZE if it will be longer than max_message. */
int cp_inbox_next(cp_inbox *inbox, const char **message, size_t *length);

/* Takes the descriptor that came with the message that was taken last, close-on-exec; -1 if none did. The one
 * that nobody takes is closed with the next message. */
int cp_inbox_take_descriptor(cp_inbox *inbox);

/* Keeps what was not taken. -ENOMEM loses it. */
int cp_inbox_keep(cp_inbox *inbox);

/* From now on only the messages are taken of which the first byte has come. */
void cp_inbox_finish(cp_inbox *inbox);

/* Reads `size` bytes before anything else, and waits for them. 0 or a negative errno. */
int cp_inbox_receive_first(int socket, char *bytes, size_t size);

#endif
