/* A link: two descriptors between a host, which wants children started elsewhere, and the agent
 * that starts them. It carries the streams of many children, each with a flow of its own, and the
 * frames of its owner.
 *
 * Bytes of streams pass without a callback. A link does not know what a child is: it knows numbers,
 * and the relays of their streams. */
#ifndef CP_LINK_H
#define CP_LINK_H

#include "core/link/frame_reader.h"
#include "core/link/output.h"
#include "core/link/relays.h"
#include "core/link/reports.h"

typedef struct cp_link cp_link;

/* The loop calls these. Each of them may close the link. */
typedef struct cp_link_callbacks {
  /* A frame of the owner's has arrived; its payload stays valid until the callback returns. */
  void (*on_frame)(cp_link *link, const cp_link_frame *frame, const char *payload);
  /* See cp_link_drain. */
  void (*on_drained)(cp_link *link, uint32_t child, unsigned stream);
  /* The descriptor of a relay cannot be written, because a disk is full for instance. Its bytes are
   * dropped, and the other side sends no more of them. */
  void (*on_refused)(cp_link *link, uint32_t child, unsigned stream, int error);
  /* Nothing more arrives: the other side has closed (0), or has broken the protocol (-EPROTO), or
   * reading or writing has failed. `syscall` is the name of the call that has failed, or NULL. That
   * the other side reads no more is not reported. All relays have ended, or end after what has
   * arrived for them. Called once. */
  void (*on_end)(cp_link *link, int error, const char *syscall);
  /* All frames were written after cp_link_finish. */
  void (*on_finished)(cp_link *link);
  /* All relays have ended, see cp_link_await_idle. */
  void (*on_idle)(cp_link *link);
} cp_link_callbacks;

struct cp_link {
  cp_streams *streams;
  const cp_link_callbacks *callbacks;
  void *owner; /* for the callbacks */
  cp_link_side side;
  cp_link_output output;
  cp_relays relays;
  size_t relay_count;
  bool awaits_idle;
  cp_link_reports reports;

  /* Input. */
  cp_stream *input;
  cp_frame_reader reader;
  cp_buffer rest;    /* bytes that were read and not handled, because the loop was interrupted */
  cp_due due;        /* to handle them, and for the reports */
  uint64_t received; /* bytes since the start */
  int failure;       /* see cp_link_fail */
  bool ended;

  bool active; /* a callback is running: closing must not free the memory */
  bool closed;
};

/* Makes a link that owns the two descriptors, writes the mark, and reads. Returns NULL when out of
 * memory; then the caller still owns them. */
cp_link *cp_link_new(cp_streams *streams, cp_link_side side, int in, int out,
                     const cp_link_callbacks *callbacks, void *owner);

/* Ends and frees the link and its relays: no callback is called afterwards. Accepts NULL, returns
 * NULL. */
cp_link *cp_link_close(cp_link *link);

/* Sends a frame of the owner's. */
void cp_link_send(cp_link *link, cp_link_frame frame, const char *payload);

/* Writes all frames, and closes the output. */
void cp_link_finish(cp_link *link);

/* Ends the link as if the other side had closed, but does not call on_end, and drops what was not
 * written. The other side reads end-of-file. */
void cp_link_cut(cp_link *link);

/* Ends the link with an error, which on_end gets from the loop: a frame could not be handled. */
void cp_link_fail(cp_link *link, int error);

/* Calls on_idle once, when there are no relays any more. */
void cp_link_await_idle(cp_link *link);

/* Sets whether waiting for frames keeps the loop alive. It does not by default. */
int cp_link_reference(cp_link *link, bool referenced);

/* Starts to relay the stream of a child, see cp_relay_new; `prefix` is written to the descriptor
 * before anything else. Returns 0, or -ENOMEM and does not own the descriptor. */
int cp_link_relay(cp_link *link, uint32_t child, unsigned stream, int fd, int direction,
                  const char *prefix, size_t length);

/* Returns a copy of the descriptor of a relay, for another program, which shares it with the relay
 * from now on; or -EPIPE if there is no such relay (any more), or another negative errno. */
int cp_link_share(cp_link *link, uint32_t child, unsigned stream);

/* Calls on_drained when what a child has written is on its way: at the agent, when what can be read
 * now was sent, and at the host, when what has arrived was written. Returns false if that is so
 * already, or if there is no such relay. Without memory the link fails. Call it once for each
 * relay. */
bool cp_link_drain(cp_link *link, uint32_t child, unsigned stream);

/* Takes no more data for the streams of a child, sends none, and ends their descriptors: the other
 * side may never have had these streams. */
void cp_link_refuse(cp_link *link, uint32_t child);

/* Ends all relays that send, after what can be read now, even if others hold the other ends. */
void cp_link_end_after_rest(cp_link *link);

/* The number of relays that have not ended. */
static inline size_t cp_link_relays(const cp_link *link)
{
  return link->relay_count;
}

/* What waits for frames in the loop, until the link ends. */
static inline const void *cp_link_input(const cp_link *link)
{
  return link->input;
}

/* What has come before the mark of the other side. */
static inline const cp_buffer *cp_link_noise(const cp_link *link)
{
  return &link->reader.noise;
}

/* The number of bytes that have arrived since the start. */
static inline uint64_t cp_link_received(const cp_link *link)
{
  return link->received;
}

#endif
