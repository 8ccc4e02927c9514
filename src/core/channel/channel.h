/* A message channel: a Unix stream socket that carries messages both ways, in order, and
 * descriptors with them.
 *
 * The channel knows where a message ends, but not what it means. Its functions are declared in
 * sending.h, receiving.h and draining.h; channels.h makes and closes it. The channel always writes
 * the messages that it has accepted, even if it, its loop or the process ends right after; the end
 * of the process then waits for the other side to read. */
#ifndef CP_CHANNEL_H
#define CP_CHANNEL_H

#include "core/base/list.h"
#include "core/channel/exit_flush.h"
#include "core/channel/inbox.h"
#include "core/channel/outbox.h"
#include "core/loop/due.h"
#include "core/loop/loop.h"
#include "core/loop/retry.h"
#include "core/loop/watch.h"

#include <stdint.h>

typedef struct cp_channel cp_channel;

/* The loop calls these; the functions of the channel never do. */
typedef struct cp_channel_callbacks {
  /* Messages have arrived: take them with cp_channel_next. If some are left, because the loop was
   * interrupted, this is called again in the next iteration. */
  void (*on_messages)(cp_channel *channel);
  /* No more messages arrive: the other side has closed (0), or receiving has failed with a negative
   * errno, -EMSGSIZE if a message is longer than allowed. */
  void (*on_end)(cp_channel *channel, int error);
  /* The bytes of cp_channel_await_written have been written (0), or writing has failed with a
   * negative errno and the rest is dropped. */
  void (*on_written)(cp_channel *channel, int error);
  /* The messages that cp_channel_drain waits for have been delivered. */
  void (*on_drained)(cp_channel *channel);
} cp_channel_callbacks;

struct cp_channel {
  cp_loop *loop;
  const cp_channel_callbacks *callbacks;
  void *owner; /* for the callbacks */
  cp_watch watch;
  int fd;
  cp_inbox inbox;
  cp_outbox outbox;

  /* Sending. */
  cp_retry retry;           /* of writing */
  uint64_t stuck_at;        /* outbox.sent at the last retry */
  uint64_t awaited;         /* see cp_channel_await_written */
  uint64_t gathering_since; /* nanoseconds; 0: this iteration takes long */
  int write_error;          /* not reported yet */
  int broken;               /* negative errno if nothing can be written any more, or 0 */
  bool awaiting_room;

  /* Receiving. */
  bool reading;
  bool referenced;
  bool ended;     /* receiving has found end-of-file or an error */
  bool oversized; /* the next message is longer than allowed */
  bool draining;
  size_t undrained; /* bytes to read before on_drained */

  /* Lifetime. */
  cp_due due;  /* see channels.c */
  bool active; /* a callback is running: closing must not free the memory */
  bool closed;
  cp_exit_flush exit_flush;
  CP_LIST_ENTRY(cp_channel) entry; /* of the loop's channels */
};

/* Sets whether reading keeps the loop alive. It does by default, and always while a descriptor is
 * not acknowledged. Messages that have to be written always keep the loop alive. */
int cp_channel_reference(cp_channel *channel, bool referenced);

/* Whether the loop will serve the channel in its next iteration even without an event. */
static inline bool cp_channel_is_due(const cp_channel *channel)
{
  return channel->due.is_due;
}

/* Has the loop serve the channel in its next iteration. */
static inline void cp_channel_make_due(cp_channel *channel)
{
  cp_due_add(channel->loop, &channel->due);
}

/* Whether the channel reads arriving bytes only to drop them. */
bool cp_channel_discards(const cp_channel *channel);

/* Watches for the events that the fields call for. Returns 0 or a negative errno. */
int cp_channel_update_watch(cp_channel *channel);

#endif
