/* A message channel: a Unix stream socket on which messages go both ways, in order.
 *
 * What a message says is not looked at here, only where it ends. What is sent is gathered and written
 * before the loop waits again, so that the messages of one turn leave together. Everything that was
 * accepted is written, also when the channel, its loop or the process ends right after; if need be that
 * waits for the other side to read. */
#ifndef CP_CHANNEL_H
#define CP_CHANNEL_H

#include "buffer.h"
#include "loop.h"
#include "watch.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/queue.h>

typedef struct cp_channel cp_channel;

typedef enum cp_framing {
  CP_FRAMING_LINES,  /* each message ends with a newline and has none within */
  CP_FRAMING_LENGTH, /* before each message is its length in four bytes, the highest first */
} cp_framing;

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
  cp_framing framing;
  size_t max_message; /* bytes of one that comes; may be set */

  const char *window; /* what has come and was not taken: in `in` or in the loop's read buffer */
  size_t window_length;
  size_t searched; /* so much of it has no end of a message */
  cp_buffer in;

  cp_buffer out;
  size_t written;          /* so much of it was */
  uint64_t accepted_total; /* bytes, since the begin */
  uint64_t awaited_total;  /* 0: nothing */
  int write_error;

  bool reading;
  bool referenced;
  bool awaiting_room;
  bool finishing; /* no more messages are taken than begin within the next `last_bytes` */
  size_t last_bytes;
  bool active; /* a callback is running: memory has to stay */
  bool closed;

  TAILQ_ENTRY(cp_channel) due; /* those that the next turn of the loop has something to do for */
  unsigned due_turn;
  bool is_due;

  LIST_ENTRY(cp_channel) all; /* of all loops, for the end of the process */
  pthread_t thread;
  pid_t process;
};

/* Makes a channel on `fd`, which it closes, unless there is no memory: then NULL. */
cp_channel *cp_channel_new(cp_loop *loop, int fd, cp_framing framing,
                           const cp_channel_callbacks *callbacks, void *owner);

/* Reads from now on, or no more. */
int cp_channel_read(cp_channel *channel, bool on);

/* Whether reading keeps the loop alive; it does at first. What has to be written does anyhow. */
int cp_channel_reference(cp_channel *channel, bool referenced);

/* Takes the next message, which stays valid until the callback returns. Returns 1; 0 if there is no whole
 * one; -EMSGSIZE if it will be longer than max_message. To be called from on_messages only. */
int cp_channel_next(cp_channel *channel, const char **message, size_t *length);

/* Accepts a whole message, framing included. Fails only for want of memory, and then nothing of it is
 * sent. */
int cp_channel_send(cp_channel *channel, const char *bytes, size_t length);

/* Writes at once what can be. */
void cp_channel_flush(cp_channel *channel);

/* How many bytes have been accepted and not been written. */
size_t cp_channel_backlog(const cp_channel *channel);

/* How many bytes have been written since the begin. */
uint64_t cp_channel_written(const cp_channel *channel);

/* Calls on_written once, when that many have been. */
void cp_channel_await_written(cp_channel *channel, uint64_t total);

/* Takes only the messages of which the first byte has come, and calls on_end after the last. Returns false
 * if there are none: then nothing is called. */
bool cp_channel_finish(cp_channel *channel);

/* Ends the channel: no callback comes after, and what was accepted is still written, with the loop kept
 * alive for it. Accepts NULL, returns NULL. */
cp_channel *cp_channel_close(cp_channel *channel);

/* Reads `size` bytes from a channel's descriptor before it becomes one, and waits for them. */
int cp_channel_receive_first(int fd, char *bytes, size_t size);

/* Writes what can be written at once on all channels of a loop. For those who turn the loop. */
void cp_channel_flush_all(cp_loop *loop);

/* Writes all that was accepted, waiting if need be, and closes all channels. For cp_loop_destroy. */
void cp_channel_close_all(cp_loop *loop);

#endif
