/* A stream of a child, at one side of a link: moves bytes between a descriptor and frames.
 *
 * The descriptor is one end of a pipe or socket pair. At the agent its other end is the child's; at
 * the host it is that of a stream, which cannot tell this child from one of this machine.
 *
 * Each direction has credit: how many bytes may be on their way. The receiver gives it back when
 * the descriptor has taken the bytes. So a reader that takes nothing stops the child at the other
 * side, and no other stream of the link. */
#ifndef CP_LINK_RELAY_H
#define CP_LINK_RELAY_H

#include "core/base/buffer.h"
#include "core/base/list.h"
#include "core/link/output.h"
#include "core/stream/stream.h"

typedef struct cp_relay cp_relay;

/* The callbacks must not call functions of relays. */
typedef struct cp_relay_callbacks {
  /* See cp_relay_drain_sent and cp_relay_drain_received. */
  void (*on_drained)(void *owner, const cp_relay *relay);
  /* Bytes were dropped: the descriptor could not be written. This direction ends. */
  void (*on_refused)(void *owner, const cp_relay *relay, int error);
  /* Bytes were lost: the descriptor could not be read, or there was no memory. This direction
   * ends. */
  void (*on_failed)(void *owner, int error);
  /* Both directions have ended. The relay is freed after this. */
  void (*on_closed)(void *owner, const cp_relay *relay);
} cp_relay_callbacks;

struct cp_relay {
  cp_link_output *output;
  const cp_relay_callbacks *callbacks;
  void *owner;
  cp_stream *stream;
  uint32_t child;
  uint16_t number; /* the child's descriptor */

  /* From the descriptor to the other side. */
  bool sends;
  int64_t credit; /* below 0 after the last buffer that was sent with any credit left */
  cp_link_waiter waiter;

  /* From the other side to the descriptor. */
  bool receives;
  bool ends; /* after what is queued */
  cp_buffer queue;
  size_t begin;     /* bytes of the queue that were written */
  size_t received;  /* bytes for which no credit was given back */
  size_t written;   /* of those, how many were written */
  size_t prepended; /* bytes at the start of the queue that did not come from the other side */

  /* What on_drained waits for. */
  bool draining;
  size_t undrained;    /* bytes to send before */
  bool awaits_written; /* those of the queue must be written before */

  CP_LIST_ENTRY(cp_relay) entry;
};

/* Makes a relay that owns `fd`; `direction` is that of the descriptor, CP_STREAM_READABLE,
 * CP_STREAM_WRITABLE or both, with CP_STREAM_SHARED if its mode must not change. Returns NULL when
 * out of memory; then the caller still owns it. */
cp_relay *cp_relay_new(cp_streams *streams, int fd, int direction, cp_link_output *output,
                       const cp_relay_callbacks *callbacks, void *owner);

/* Starts to move bytes, once the child and the number are set. */
void cp_relay_start(cp_relay *relay);

/* Returns a copy of the descriptor for another program, which may make it blocking; or a negative
 * errno. */
int cp_relay_share(cp_relay *relay);

/* Ends and frees a relay without calling back, and without a frame. */
void cp_relay_free(cp_relay *relay);

/* The same for a relay that was not started. The caller owns the descriptor again. */
void cp_relay_undo(cp_relay *relay);

/* Queues bytes that the descriptor gets before all others. Returns 0 or -ENOMEM. Call it before
 * cp_relay_start. */
int cp_relay_prepend(cp_relay *relay, const char *bytes, size_t length);

/* What frames of the other side say. Returns false if the other side has sent more than it may. The
 * relay may be freed. */
bool cp_relay_data(cp_relay *relay, const char *bytes, size_t length);
void cp_relay_end(cp_relay *relay);
void cp_relay_stop(cp_relay *relay);
void cp_relay_credit(cp_relay *relay, uint32_t credit);

/* Calls on_drained when the bytes that can be read now were sent; or returns false if there are
 * none. Others may hold the other end of the descriptor, and never take what is written to it. */
bool cp_relay_drain_sent(cp_relay *relay);

/* Calls on_drained when the bytes that have arrived were written; or returns false if there are
 * none. */
bool cp_relay_drain_received(cp_relay *relay);

/* Ends both directions, and the descriptor. */
void cp_relay_refuse(cp_relay *relay);

/* Sends what can be read now, and nothing after it, even if others hold the other end open. */
void cp_relay_end_after_rest(cp_relay *relay);

/* The link is lost: nothing is sent any more, and the descriptor ends after what has arrived. */
void cp_relay_lose(cp_relay *relay);

#endif
