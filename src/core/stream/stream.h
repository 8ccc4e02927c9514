/* A descriptor that is read and written when it is ready: a pipe, a socket, a terminal, a file.
 *
 * A stream queues nothing. Data goes through the loop's shared buffer straight to the callback.
 * Writing takes as many bytes as the kernel does, and the caller keeps the rest until the stream is
 * writable.
 *
 * It does three things that libuv's uv_pipe_t does not: a pipe that is only written to reports when
 * its reader closes; after bytes were moved inside the kernel, the stream can be read again; and
 * reading allocates no buffers. */
#ifndef CP_STREAM_H
#define CP_STREAM_H

#include "core/loop/due.h"
#include "core/loop/loop.h"
#include "core/loop/watch.h"
#include "core/stream/input.h"

#include <sys/types.h>
#include <sys/uio.h>

typedef struct cp_stream cp_stream;

/* The streams of a loop. */
typedef struct cp_streams {
  cp_loop *loop;
  CP_LIST(cp_stream) to_children; /* those with CP_STREAM_TO_CHILD */
} cp_streams;

void cp_streams_init(cp_streams *streams, cp_loop *loop);

/* In a forked process: ends all streams to children of the original. The streams remain, each on a
 * descriptor whose other end is closed: reading finds end-of-file, and writing fails with
 * -EPIPE. */
void cp_streams_give_up(cp_streams *streams);

typedef struct cp_stream_callbacks {
  /* `n` bytes at `data` have arrived. If `n` is 0, the stream has ended; if it is a negative errno,
   * reading has failed. In both cases reading has stopped. */
  void (*on_read)(cp_stream *stream, const char *data, ssize_t n);
  /* There is room for more. Called once for each cp_stream_await_room. */
  void (*on_room)(cp_stream *stream);
  /* The reader at the other end has closed. Only for streams that are not read. */
  void (*on_hangup)(cp_stream *stream);
} cp_stream_callbacks;

enum {
  CP_STREAM_READABLE = 1,
  CP_STREAM_WRITABLE = 2,
  /* Other code owns the descriptor: the stream neither closes it nor makes it non-blocking, and
   * writing waits until everything is written. */
  CP_STREAM_BORROWED = 4,
  /* Another program shares the descriptor, and may have made it blocking. */
  CP_STREAM_SHARED = 8,
  /* Connects us to a child that this process has started, so a forked process gives the stream
   * up. */
  CP_STREAM_TO_CHILD = 16,
  /* Our end of a child's terminal. It ends when no process has the terminal open, which the system
   * reports as an error, and there is nothing to shut down. */
  CP_STREAM_TERMINAL = 32,
};

/* `events` is CP_WATCH_READ, CP_WATCH_WRITE or both. */
typedef void (*cp_stream_divert_cb)(void *owner, int events);

struct cp_stream {
  cp_loop *loop;
  const cp_stream_callbacks *callbacks;
  void *owner; /* for the callbacks */
  cp_watch watch;
  cp_stream_divert_cb diverted; /* see cp_stream_divert */
  void *diverted_owner;
  int fd;
  int flags;
  bool is_socket;
  bool reading;
  bool awaiting_room;
  bool await_hangup;
  bool referenced;
  bool enlarged;
  bool active; /* a callback is running: closing must not free the memory */
  bool closed;
  cp_input input;
  cp_due due;                           /* reads without an event */
  CP_LIST_ENTRY(cp_stream) to_children; /* with CP_STREAM_TO_CHILD */
};

/* Makes a stream on `fd`, which it owns unless the descriptor is borrowed. Returns NULL when out of
 * memory; then the caller still owns the descriptor. */
cp_stream *cp_stream_new(cp_streams *streams, int fd, int flags,
                         const cp_stream_callbacks *callbacks, void *owner);

/* Ends and frees the stream: no callback is called afterwards. Accepts NULL, returns NULL. */
cp_stream *cp_stream_close(cp_stream *stream);

/* Starts or stops reading. */
int cp_stream_set_reading(cp_stream *stream, bool on);

/* Makes the stream end after the bytes that can be read now, even if other processes keep its other
 * end open. Returns the number of these bytes, or a negative errno and changes nothing. If it
 * returns 0, on_read is not called for the end. */
ssize_t cp_stream_end_after_rest(cp_stream *stream);

/* Of a terminal: takes over `other`, its other end, and keeps that open until cp_stream_let_end is
 * called. Otherwise the stream would end whenever no process happens to have the terminal open: a
 * program may close it, and open it again. */
void cp_stream_keep_open(cp_stream *stream, int other);

/* Stops keeping it open, once everything that can be read now was read. */
void cp_stream_let_end(cp_stream *stream);

/* Returns the other end that is kept open, or -1. */
int cp_stream_kept(const cp_stream *stream);

/* Whether another process holds the other end, or this one does. */
bool cp_stream_is_held(cp_stream *stream);

/* Writes as much as fits, or everything if the descriptor is borrowed. Returns the number of bytes
 * written (0 if there is no room) or a negative errno. */
ssize_t cp_stream_write(cp_stream *stream, const struct iovec *vector, int count);

/* Calls on_room when something can be written, or when writing would return an error. */
int cp_stream_await_room(cp_stream *stream);

/* Calls on_hangup when the other end is closed. Does not keep the loop alive. */
int cp_stream_await_hangup(cp_stream *stream);

static inline int cp_stream_descriptor(const cp_stream *stream)
{
  return stream->fd;
}

/* Sets CP_STREAM_SHARED. */
void cp_stream_share(cp_stream *stream);

/* Makes the descriptor non-blocking again. Call it when no other program shares it any more. */
void cp_stream_take_back(cp_stream *stream);

/* Enlarges a pipe that was found full. Does nothing the second time, and to other descriptors. */
void cp_stream_enlarge(cp_stream *stream);

/* Shuts down the writing side of a socket: the other end reads end-of-file. */
int cp_stream_shutdown(cp_stream *stream);

/* Sets whether reading and awaiting room keep the loop alive. They do by default. */
int cp_stream_reference(cp_stream *stream, bool referenced);

/* Whether a callback may be called, so that the owner must not be freed. */
bool cp_stream_is_active(const cp_stream *stream);

/* Diverting: other code (splice.c) reads and writes the stream's descriptor itself. */

/* From now on the stream calls `callback` instead of on_read and on_room. It stops reading and
 * awaiting room, and waits only for the events of cp_stream_await. A NULL callback ends this; the
 * stream then waits for nothing. */
void cp_stream_divert(cp_stream *stream, cp_stream_divert_cb callback, void *owner);

/* On a diverted stream: waits for CP_WATCH_READ, CP_WATCH_WRITE, both, or nothing. */
int cp_stream_await(cp_stream *stream, int events);

#endif
