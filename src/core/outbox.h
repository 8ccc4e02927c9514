/* What a message channel has to send: bytes, and descriptors that travel with them.
 *
 * A descriptor goes with the first byte of its message. Until the other side has acknowledged it, what was
 * added later is held back, so that it can be sent once more without anything overtaking it; only replies
 * pass. The outbox has a descriptor of its own for that time: the one that it was given may be closed. */
#ifndef CP_OUTBOX_H
#define CP_OUTBOX_H

#include "buffer.h"

#include <stdbool.h>
#include <stdint.h>

/* Positions count the bytes that were ever put in. */
typedef struct cp_outbox {
  cp_buffer bytes;
  uint64_t begin;      /* position of the first of them */
  uint64_t sent;       /* up to here they were sent */
  uint64_t limit;      /* up to here they may be: what follows is held back */
  uint64_t accepted;   /* bytes of all messages but replies */
  uint64_t messages;   /* how many these are */
  uint64_t last_end;   /* where the last of them ends */
  cp_buffer parcels;   /* see outbox.c */
  size_t acknowledged; /* so many of these are done with */
  unsigned tries;      /* how often the next one was sent again */
} cp_outbox;

/* An all-zero outbox is empty. This forgets what was not sent, and closes the descriptors. */
void cp_outbox_clear(cp_outbox *outbox);

/* Accepts a message, with a copy of descriptor `fd` unless that is -1, and empties its buffer. If it fails, nothing
 * of it is sent. */
int cp_outbox_add(cp_outbox *outbox, cp_buffer *message, int fd);

/* Accepts a message that is not held back. */
int cp_outbox_add_reply(cp_outbox *outbox, const char *bytes, size_t length);

/* Sends what may go and what `socket` takes without waiting. Returns 0 when nothing is left of it, -EAGAIN if
 * there is no room, or what went wrong. */
int cp_outbox_send(cp_outbox *outbox, int socket);

/* Is a descriptor on its way? */
bool cp_outbox_awaits(const cp_outbox *outbox);

/* The other side has got it: what was held back may go, up to and with the next descriptor. */
void cp_outbox_acknowledge(cp_outbox *outbox);

/* Its message has arrived without it: sends both once more. If that was tried often enough it is given up, as
 * if it had been acknowledged, and the result is -ECANCELED. */
int cp_outbox_retry(cp_outbox *outbox);

/* Nothing is held back any more: there will be no time to wait for anything. */
void cp_outbox_release(cp_outbox *outbox);

/* How many bytes may be sent now; how many are not sent, in all; and how many messages are held back. */
size_t cp_outbox_ready(const cp_outbox *outbox);
size_t cp_outbox_backlog(const cp_outbox *outbox);
uint64_t cp_outbox_held(const cp_outbox *outbox);

/* Is something else than replies not sent? */
bool cp_outbox_has_messages(const cp_outbox *outbox);

/* How many bytes were sent since the begin, of those that `accepted` counts; at least so many. */
uint64_t cp_outbox_sent(const cp_outbox *outbox);

#endif
