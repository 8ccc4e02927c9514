/* A descriptor that is read and written when it is ready: a pipe, a socket, a terminal, a file.
 *
 * Nothing is queued here. Reading goes through the loop's shared buffer straight to the callback;
 * writing takes what the kernel takes, and the caller keeps the rest until the stream is writable. */
#ifndef CP_STREAM_H
#define CP_STREAM_H

#include "loop.h"
#include "watch.h"

#include <sys/types.h>
#include <sys/uio.h>

typedef struct cp_stream cp_stream;

typedef struct cp_stream_callbacks {
  /* `n` bytes at `data`; 0 is the end of the stream, a negative errno an error, and after both
   * reading has stopped. */
  void (*on_read)(cp_stream *stream, const char *data, ssize_t n);
  /* There is room for more; comes once for each cp_stream_await_room. */
  void (*on_room)(cp_stream *stream);
  /* Nobody can read any more what is written. Only for streams that are not read themselves. */
  void (*on_hangup)(cp_stream *stream);
} cp_stream_callbacks;

enum {
  CP_STREAM_READABLE = 1,
  CP_STREAM_WRITABLE = 2,
  /* The descriptor belongs to somebody else: it is neither closed nor made non-blocking. */
  CP_STREAM_BORROWED = 4,
  /* Another program has the descriptor too, and may have made it blocking. */
  CP_STREAM_SHARED = 8,
};

struct cp_stream {
  cp_loop *loop;
  const cp_stream_callbacks *callbacks;
  void *owner; /* for the callbacks' use */
  cp_watch watch;
  struct cp_splice *splice; /* the transfer that this stream takes part in, see splice.h */
  int fd;
  int flags;
  bool is_socket;
  bool reading;
  bool awaiting_room;
  bool await_hangup;
  bool referenced;
  bool enlarged;
  bool active; /* a callback is running: memory has to stay */
  bool closed;
};

/* Makes a stream on `fd`, which it closes unless it is borrowed. NULL if there is no memory; then
 * the descriptor is untouched. */
cp_stream *cp_stream_new(cp_loop *loop, int fd, int flags, const cp_stream_callbacks *callbacks,
                         void *owner);

/* Ends the stream: no callback comes after. Accepts NULL, returns NULL. */
cp_stream *cp_stream_close(cp_stream *stream);

/* Reads from now on, or no more. */
int cp_stream_read(cp_stream *stream, bool on);

/* Writes what fits. Returns the number of bytes that were taken, 0 if there is no room. */
ssize_t cp_stream_write(cp_stream *stream, const struct iovec *vector, int count);

/* Calls on_room when something can be written, or when an attempt would tell an error. */
int cp_stream_await_room(cp_stream *stream);

/* Calls on_hangup when the other end is closed. Does not keep the loop alive. */
int cp_stream_await_hangup(cp_stream *stream);

/* Another program had the descriptor, which may have made it blocking, and has it no longer. */
void cp_stream_take_back(cp_stream *stream);

/* The pipe was seen full: makes it larger. Works once, and on pipes only. */
void cp_stream_enlarge(cp_stream *stream);

/* Tells the other end of a socket that nothing more will be written. */
int cp_stream_shutdown(cp_stream *stream);

/* Whether reading and awaited room keep the loop alive; they do at first. */
int cp_stream_reference(cp_stream *stream, bool referenced);

/* True while a callback can come: the owner has to stay. */
bool cp_stream_is_active(const cp_stream *stream);

/* Brings the watch in line with the fields above. For splice.c. */
int cp_stream_update(cp_stream *stream);

#endif
