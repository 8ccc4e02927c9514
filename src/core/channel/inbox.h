/* Separates the received bytes of a channel into messages, and keeps the descriptors that come with
 * them. */
#ifndef CP_INBOX_H
#define CP_INBOX_H

#include "core/channel/framing.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The most descriptors that are kept at a time. A peer that follows the protocol sends the next one
 * only after an acknowledgement. */
enum { CP_INBOX_DESCRIPTORS = 4 };

typedef struct cp_inbox {
  cp_framing framing;
  size_t max_message; /* bytes */

  /* Received bytes that were not taken: in `kept`, or in the memory that they were received into.
   */
  const char *window;
  size_t window_length;
  size_t searched; /* bytes of the window that contain no end of a message */
  uint64_t taken;  /* bytes before the window, since the start */
  cp_buffer kept;

  bool finishing; /* takes only messages that start within the next `last_bytes` */
  size_t last_bytes;

  struct {
    int fd;
    uint64_t until; /* its message starts before this byte */
  } descriptors[CP_INBOX_DESCRIPTORS];
  int descriptor_count;
} cp_inbox;

void cp_inbox_init(cp_inbox *inbox);

/* Drops all bytes, and closes the descriptors that were not taken. */
void cp_inbox_clear(cp_inbox *inbox);

/* Receives once, into `room` unless an incomplete message is kept. Returns the number of bytes, 0
 * at the end, or a negative errno. `*filled` becomes true if more may have arrived already. Call
 * cp_inbox_keep before the room is used again. */
ssize_t cp_inbox_receive(cp_inbox *inbox, int socket, char *room, size_t size, bool *filled);

/* Receives once, and drops these bytes and those that were kept. Returns the same as
 * cp_inbox_receive. */
ssize_t cp_inbox_discard(cp_inbox *inbox, int socket, char *room, size_t size);

/* Takes the next message, which stays valid until cp_inbox_keep. Returns 1; 0 if there is no
 * complete message; -EMSGSIZE if it will be longer than max_message. */
int cp_inbox_next(cp_inbox *inbox, const char **message, size_t *length);

/* Takes the descriptor, close-on-exec, that came with the last message taken. Returns -1 if there
 * was none. cp_inbox_next closes a descriptor that was not taken. */
int cp_inbox_take_descriptor(cp_inbox *inbox);

/* Keeps the bytes that were not taken. Returns 0, or -ENOMEM and loses them. */
int cp_inbox_keep(cp_inbox *inbox);

/* From now on takes only messages whose first byte has arrived. */
void cp_inbox_finish(cp_inbox *inbox);

/* Reads `size` bytes from a socket that no inbox uses yet, and waits for them. Returns 0 or a
 * negative errno. */
int cp_inbox_receive_first(int socket, char *bytes, size_t size);

#endif
