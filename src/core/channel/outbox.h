/* Messages that a channel has to send, and the descriptors that go with them.
 *
 * A parcel is a message with a descriptor, which is sent with the first byte. Until the other side
 * has acknowledged the descriptor, the outbox holds back later messages, so that none of them
 * overtakes the parcel if it has to be sent again. It does not hold back the protocol's replies, or
 * both sides could wait for each other. The outbox keeps a copy of the descriptor, so the caller
 * may close the original. */
#ifndef CP_OUTBOX_H
#define CP_OUTBOX_H

#include "core/base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

/* Positions count bytes since the start. */
typedef struct cp_outbox {
  cp_buffer bytes;
  uint64_t begin;      /* position of the first byte in `bytes` */
  uint64_t sent;       /* end of the bytes that were sent */
  uint64_t limit;      /* end of the bytes that may be sent; later ones are held back */
  uint64_t accepted;   /* bytes of all messages except replies */
  uint64_t messages;   /* number of these messages */
  uint64_t last_end;   /* position at which the last of them ends */
  cp_buffer parcels;   /* of struct parcel, see outbox.c */
  size_t acknowledged; /* number of parcels acknowledged */
  unsigned tries;      /* number of times the next parcel was sent again */
} cp_outbox;

/* Drops the bytes that were not sent, and closes the descriptors. An all-zero outbox is empty. */
void cp_outbox_clear(cp_outbox *outbox);

/* Accepts a message, with a copy of descriptor `fd` unless that is -1, and empties its buffer. If
 * it fails, nothing of it is sent. */
int cp_outbox_add(cp_outbox *outbox, cp_buffer *message, int fd);

/* Accepts a message that is not held back. */
int cp_outbox_add_reply(cp_outbox *outbox, const char *bytes, size_t length);

/* Sends the bytes that may be sent, as far as `socket` takes them without waiting. Returns 0 if it
 * took all of them, -EAGAIN if it has no more room, or another negative errno; after -ENOBUFS and
 * -ENOMEM a later call may succeed. */
int cp_outbox_send(cp_outbox *outbox, int socket);

/* Whether a descriptor has not been acknowledged yet. */
bool cp_outbox_awaits_ack(const cp_outbox *outbox);

/* Call it when the other side has acknowledged the descriptor: messages that were held back may be
 * sent, up to and including the next descriptor. */
void cp_outbox_acknowledge(cp_outbox *outbox);

/* Call it when the message has arrived without its descriptor: sends both again. Returns 0 or
 * -ENOMEM; or, after too many tries, -ECANCELED and treats the descriptor as acknowledged. */
int cp_outbox_retry(cp_outbox *outbox);

/* Stops holding back messages: there is no time left to wait for an acknowledgement. */
void cp_outbox_release(cp_outbox *outbox);

/* Return the number of bytes that may be sent now, the number of all unsent bytes, and the number
 * of messages that are held back. */
size_t cp_outbox_ready(const cp_outbox *outbox);
size_t cp_outbox_backlog(const cp_outbox *outbox);
uint64_t cp_outbox_held(const cp_outbox *outbox);

/* Whether any message except for replies was not sent. */
bool cp_outbox_has_messages(const cp_outbox *outbox);

/* Returns a lower bound of how many of the `accepted` bytes were sent. */
uint64_t cp_outbox_sent(const cp_outbox *outbox);

#endif
