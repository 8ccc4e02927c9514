/* A listening socket on the loop: tells of each connection that it has accepted.
 *
 * Where the system has no descriptor or no memory for another connection, nothing is refused: the
 * connections wait in the kernel, and accepting goes on a little later. */
#ifndef CP_LISTENER_H
#define CP_LISTENER_H

#include "address.h"
#include "loop.h"
#include "watch.h"

/* The descriptor of a connection, which is the callback's from now on; or a negative errno after
 * which nothing more comes. */
typedef void (*cp_listener_cb)(void *owner, int fd);

typedef struct cp_listener {
  cp_loop *loop;
  cp_listener_cb callback;
  void *owner; /* for the callback's use */
  cp_watch watch;
  uv_timer_t *retry; /* memory of its own, which goes after it was closed */
  cp_address bound;  /* length 0 if it was not bound here */
  int fd;
  bool listening;
  bool referenced;
  bool active; /* the callback is running: memory has to stay */
  bool closed;
} cp_listener;

/* Makes a listener on a socket, which it closes; it does not listen yet. `bound` is what the socket was
 * bound to, NULL if somebody else has done that. NULL if there is no memory; then the descriptor is
 * untouched. */
cp_listener *cp_listener_new(cp_loop *loop, int fd, const cp_address *bound,
                             cp_listener_cb callback, void *owner);

/* Ends it: the callback is not called again. Accepts NULL, returns NULL. */
cp_listener *cp_listener_close(cp_listener *listener);

/* If the socket was bound here to a path, removes the file: to be called before closing a server for
 * good. */
void cp_listener_remove_path(const cp_listener *listener);

/* Listens and accepts from now on. */
int cp_listener_start(cp_listener *listener, int backlog);

/* Whether it keeps the loop alive while it listens; it does at first. */
int cp_listener_reference(cp_listener *listener, bool referenced);

#endif
