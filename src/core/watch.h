/* Readiness of one descriptor.
 *
 * A watch tells when its descriptor can be read or written, or when the reader at the other end of
 * a pipe has gone. It never closes the descriptor. Descriptors that are always ready (regular
 * files, /dev/null), which the kernel refuses to poll, report ready once in each turn of the loop. */
#ifndef CP_WATCH_H
#define CP_WATCH_H

#include "loop.h"

enum {
  CP_WATCH_READ = UV_READABLE,
  CP_WATCH_WRITE = UV_WRITABLE,
  /* On the write end of a pipe: nobody can read from it any more. */
  CP_WATCH_HANGUP = UV_DISCONNECT,
};

/* `events` has those of the watched events that are true. When the other end has gone or the
 * descriptor is in an error state all of them are, and the next system call on the descriptor tells
 * more. The callback may close the watch. */
typedef void (*cp_watch_cb)(void *owner, int events);

typedef struct cp_watch {
  cp_loop *loop;
  int fd;
  int events; /* what is watched for */
  bool referenced;
  bool borrowed;
  /* May be set between opening it and its first use: libuv polls the descriptor itself, which costs more
   * system calls to begin and to end and one less for each event. */
  bool busy;
  cp_watch_cb callback;
  void *owner;
  struct cp_watch *next; /* all watches of the loop */
  struct cp_watch *previous;
  uv_idle_t *always; /* where the descriptor cannot be polled */
  /* The poller's. */
  int known; /* the events that the kernel has been told */
  bool counted;
  void *handle;
} cp_watch;

/* Starts a watch that does nothing yet; it must not move until it is closed. A `borrowed` descriptor
 * keeps its blocking mode; others may be made non-blocking. An all-zero watch is a closed one. */
void cp_watch_open(cp_watch *watch, cp_loop *loop, int fd, bool borrowed, cp_watch_cb callback,
                   void *owner);
bool cp_watch_is_open(const cp_watch *watch);

/* Watches for `events`, none to pause. An unreferenced watch does not keep the loop alive. */
int cp_watch_set(cp_watch *watch, int events, bool referenced);

/* Ends the watch; the callback is not called again and the descriptor may be closed at once. May be
 * called again. */
void cp_watch_close(cp_watch *watch);

#endif
