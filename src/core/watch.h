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

typedef struct cp_watch cp_watch;

/* `events` has those of the watched events that are true. When the descriptor is in an error state
 * all of them are set, the watch stops by itself, and the next system call on the descriptor tells
 * the error. The callback may close the watch. */
typedef void (*cp_watch_cb)(void *owner, int events);

/* Makes a watch that does nothing yet. The descriptor's blocking mode stays as it is. */
int cp_watch_open(cp_loop *loop, int fd, cp_watch_cb callback, void *owner, cp_watch **out);

/* Watches for `events`, none to pause. An unreferenced watch does not keep the loop alive. */
int cp_watch_set(cp_watch *watch, int events, bool referenced);

/* Ends the watch; the callback is not called again and the descriptor may be closed at once.
 * Accepts NULL, returns NULL. */
cp_watch *cp_watch_close(cp_watch *watch);

#endif
