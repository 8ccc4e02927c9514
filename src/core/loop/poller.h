/* Reports which descriptors are ready. watch.h builds on it.
 *
 * On Linux it uses an epoll set of its own: a descriptor costs two system calls, to add and to
 * remove it, and nothing of it is left afterwards. A loop that we own waits in this set, which
 * contains the descriptor of libuv's backend; a host's loop polls the set. On other systems each
 * descriptor has a uv_poll_t, which takes six or seven system calls, and 25 us more for a child
 * with three pipes. The Makefile compiles one of the two (SYS). */
#ifndef CP_POLLER_H
#define CP_POLLER_H

#include "core/loop/loop.h"

enum {
  CP_POLLER_READ = UV_READABLE,
  CP_POLLER_WRITE = UV_WRITABLE,
  /* On the write end of a pipe: nobody can read from it any more. */
  CP_POLLER_HANGUP = UV_DISCONNECT,
};

/* `events` are those events of the interest that have occurred. */
typedef void (*cp_interest_cb)(void *owner, int events);

/* The events of a descriptor that its owner waits for. */
typedef struct cp_interest {
  cp_loop *loop;
  int fd;
  int events;
  bool referenced; /* the interest keeps the loop alive while it has events */
  bool borrowed;   /* the descriptor keeps its blocking mode; others may be made non-blocking */
  bool refused;    /* the system does not poll this descriptor */
  cp_interest_cb callback;
  void *owner;
  CP_LIST_ENTRY(cp_interest) entry; /* of the loop's interests */
  /* For the poller only. */
  int known;    /* the events that the system reports at present */
  bool counted; /* among the loop's holds */
  void *handle;
} cp_interest;

typedef struct cp_poller cp_poller;

int cp_poller_open(cp_loop *loop);
void cp_poller_close(cp_loop *loop);

/* In a forked process: makes a new set without interests. Returns 0, or a negative errno, after
 * which the poller reports nothing. cp_poller_restore then adds all interests of the loop. */
int cp_poller_renew(cp_loop *loop);
void cp_poller_restore(cp_loop *loop);

/* On a loop that we own: waits for `timeout` milliseconds at most, -1 for no limit, and calls back
 * for the events that have occurred. Returns their number, or -EINTR if a signal handler ran before
 * an event occurred. Sets `loop->uv_ready` if libuv's loop has something to do. */
int cp_poller_wait(cp_loop *loop, int timeout);

/* Returns a descriptor that is readable when there is an event. */
int cp_poller_descriptor(const cp_loop *loop);

/* Starts an interest without events. It must not move until cp_poller_forget. */
static inline void cp_poller_add(cp_interest *interest)
{
  CP_LIST_INSERT(&interest->loop->interests, interest, entry);
}

/* Applies the interest's `events` and `referenced`. Returns 0 or a negative errno: -EPERM if the
 * descriptor cannot be polled, which only sets `refused`. */
int cp_poller_update(cp_interest *interest);

/* Passes all interests to the system at once, for a host that waits for the descriptor above. The
 * loop must be our own, and must not be running. May call back for what has happened. */
void cp_poller_settle(cp_loop *loop);

/* Ends an interest: its callback is not called any more, and its descriptor may be closed. */
void cp_poller_forget(cp_interest *interest);

#endif
