/* Readiness of one descriptor.
 *
 * A watch reports when its descriptor can be read or written, or when the reader at the other end
 * of a pipe has closed. It never closes the descriptor. The kernel refuses to poll descriptors that
 * are always ready (regular files, /dev/null); these report ready once in each iteration of the
 * loop. */
#ifndef CP_WATCH_H
#define CP_WATCH_H

#include "core/loop/loop.h"
#include "core/loop/poller.h"

enum {
  CP_WATCH_READ = CP_POLLER_READ,
  CP_WATCH_WRITE = CP_POLLER_WRITE,
  /* On the write end of a pipe: nobody can read from it any more. */
  CP_WATCH_HANGUP = CP_POLLER_HANGUP,
};

/* `events` has the watched events that have occurred. If the other end has closed, or the
 * descriptor is in an error state, it has all of them, and the next system call on the descriptor
 * returns the reason. The callback may close the watch. */
typedef cp_interest_cb cp_watch_cb;

typedef struct cp_watch {
  cp_interest interest;
  struct cp_always *always; /* for a descriptor that cannot be polled */
} cp_watch;

/* Starts a watch that does nothing yet; it must not move until it is closed. A `borrowed`
 * descriptor keeps its blocking mode; others may be made non-blocking. An all-zero watch is a
 * closed one. */
void cp_watch_open(cp_watch *watch, cp_loop *loop, int fd, bool borrowed, cp_watch_cb callback,
                   void *owner);

static inline bool cp_watch_is_open(const cp_watch *watch)
{
  return watch->interest.loop != NULL;
}

/* Whether the system has refused to poll the descriptor. */
static inline bool cp_watch_is_always_ready(const cp_watch *watch)
{
  return watch->always != NULL;
}

/* Watches for `events`, 0 for none. An unreferenced watch does not keep the loop alive. */
int cp_watch_set(cp_watch *watch, int events, bool referenced);

/* Changes only `referenced`. */
int cp_watch_reference(cp_watch *watch, bool referenced);

/* Ends the watch. The callback is not called again, and the descriptor may be closed. Does nothing
 * to a closed watch. */
void cp_watch_close(cp_watch *watch);

#endif
