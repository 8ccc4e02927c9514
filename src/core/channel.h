/* A message channel: a Unix stream socket on which messages go both ways, in order, and descriptors with them.
 *
 * What a message says is not looked at here, only where it ends. What is sent is gathered and written
 * before the loop waits again, so that the messages of one turn leave together, or sooner if they are many or
 * the turn takes long. Everything that was
 * accepted is written, also when the channel, its loop or the process ends right after; if need be that
 * waits for the other side to read. */
#ifndef CP_CHANNEL_H
#define CP_CHANNEL_H

#include "inbox.h"
#include "loop.h"
#include "outbox.h"
#include "watch.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/queue.h>

typedef struct cp_channel cp_channel;

/* All come from the loop, never from within a function of this file. */
typedef struct cp_channel_callbacks {
  /* Messages have come: to be taken by cp_channel_next. What is left there (the loop may have been
   * interrupted) is announced again in the next turn. */
  void (*on_messages)(cp_channel *channel);
  /* Nothing more will come: the other side has closed (0), or a negative errno; -EMSGSIZE if a
   * message is longer than allowed. */
  void (*on_end)(cp_channel *channel, int error);
  /* So much was written as cp_channel_await_written has asked for; or what was not cannot be (a
   * negative errno), and is dropped. */
  void (*on_written)(cp_channel *channel, int error);
} cp_channel_callbacks;

struct cp_channel {
  cp_loop *loop;
  const cp_channel_callbacks *callbacks;
  void *owner; /* for the callbacks' use */
  cp_watch watch;
  int fd;
  cp_inbox inbox;
  cp_outbox outbox;
  uint64_t awaited; /* bytes that are to have been written; 0: nobody asks */
  int write_error;  /* not told yet */

  bool reading;
  bool referenced;
  bool awaiting_room;
  bool oversized; /* the next message is longer than allowed */
  bool active;    /* a callback is running: memory has to stay */
  bool closed;

  TAILQ_ENTRY(cp_channel) due; /* those that the next turn of the loop has something to do for */
  unsigned due_round;
  bool is_due;
  uint64_t gathering_since; /* nanoseconds; 0: this turn takes long */

  LIST_ENTRY(cp_channel) all; /* of all loops, see channel_exit.h */
  pthread_t thread;
  pid_t process;
};

/* Makes a channel on `fd`, which it closes, unless there is no memory: then NULL. */
cp_channel *cp_channel_new(cp_loop *loop, int fd, const cp_channel_callbacks *callbacks,
                           void *owner);

/* Ends the channel: no callback comes after, and what was accepted is still written, with the loop kept
 * alive for it. Accepts NULL, returns NULL. */
cp_channel *cp_channel_close(cp_channel *channel);

/* Reading. */

/* Reads from now on, or no more. */
int cp_channel_read(cp_channel *channel, bool on);

/* Whether reading keeps the loop alive; it does at first. What has to be written does anyhow, and so does a
 * descriptor that is on its way. */
int cp_channel_reference(cp_channel *channel, bool referenced);

/* Where messages end; to be called before the first. They are lines by default. */
void cp_channel_set_framing(cp_channel *channel, cp_framing framing);

/* A longer message ends the channel. */
void cp_channel_set_max_message(cp_channel *channel, size_t bytes);

/* Takes the next message, which stays valid until the callback returns. Returns false if there is no whole one,
 * or if reading has ended. To be called from on_messages only. */
bool cp_channel_next(cp_channel *channel, const char **message, size_t *length);

/* Takes the descriptor that came with the message that was taken last, close-on-exec; -1 if none did. */
int cp_channel_take_descriptor(cp_channel *channel);

/* Takes only the messages of which the first byte has come, and calls on_end after the last; accepts no more.
 * Returns false if there are none: then nothing is called. */
bool cp_channel_finish(cp_channel *channel);

/* Writing. */

/* Accepts a whole message, framing included, with a copy of descriptor `fd` unless that is -1, and empties its
 * buffer: see outbox.h. If it fails, nothing of it is sent; -EPIPE after cp_channel_finish. */
int cp_channel_send(cp_channel *channel, cp_buffer *message, int fd);

/* The same for a message that does not wait for the acknowledgement of a descriptor. */
int cp_channel_reply(cp_channel *channel, cp_buffer *message);

/* The other side has got the descriptor that is on its way, or has not: see outbox.h. */
void cp_channel_acknowledge(cp_channel *channel);
int cp_channel_retry(cp_channel *channel);

/* Writes at once what can be. */
void cp_channel_flush(cp_channel *channel);

/* Bytes that were accepted since the begin; how many of them have been written; and how many have not, with
 * replies. */
uint64_t cp_channel_accepted(const cp_channel *channel);
uint64_t cp_channel_written(const cp_channel *channel);
size_t cp_channel_backlog(const cp_channel *channel);

/* How many messages wait for the acknowledgement of a descriptor. */
uint64_t cp_channel_held(const cp_channel *channel);

/* Calls on_written once, when that many bytes have been. */
void cp_channel_await_written(cp_channel *channel, uint64_t total);

/* All channels of a loop. */

/* Writes what can be written at once. For those who turn the loop. */
void cp_channel_flush_all(cp_loop *loop);

/* Writes all that was accepted, waiting if need be, and closes them. For cp_loop_destroy. */
void cp_channel_close_all(cp_loop *loop);

#endif
