/* A listening socket on the loop: calls back with each connection that it accepts.
 *
 * If there is no descriptor or no memory for another connection, the connections wait in the
 * kernel, and the listener tries again a little later. */
#ifndef CP_LISTENER_H
#define CP_LISTENER_H

#include "core/loop/loop.h"
#include "core/loop/retry.h"
#include "core/loop/watch.h"
#include "core/net/address.h"

/* `fd` is the descriptor of a connection, which the callback now owns; or a negative errno, after
 * which the callback is not called again. */
typedef void (*cp_listener_cb)(void *owner, int fd);

typedef struct cp_listener {
  cp_loop *loop;
  cp_listener_cb callback;
  void *owner; /* for the callback */
  cp_watch watch;
  cp_retry retry;      /* of accepting */
  cp_address bound;    /* length 0 if other code bound the socket */
  unsigned fork_depth; /* cp_fork_depth of the process that made the listener */
  int fd;
  bool listening;
  bool shared; /* with another program */
  bool referenced;
  bool active; /* the callback is running: closing must not free the memory */
  bool closed;
} cp_listener;

/* Makes a listener that owns the socket and does not listen yet. `bound` is the address to which
 * the caller has bound the socket, or NULL. Returns NULL when out of memory; then the caller still
 * owns the descriptor. */
cp_listener *cp_listener_new(cp_loop *loop, int fd, const cp_address *bound,
                             cp_listener_cb callback, void *owner);

/* Closes the socket and frees the listener. The callback is not called again. Accepts NULL, returns
 * NULL. */
cp_listener *cp_listener_close(cp_listener *listener);

/* If this process bound the socket to a path, removes the file. Call it before closing a server for
 * good. */
void cp_listener_remove_path(const cp_listener *listener);

/* Notes that another program shares the socket and may make it blocking. Accepting never blocks
 * even then. */
void cp_listener_share(cp_listener *listener);

/* Starts to listen and accept. Returns 0 or a negative errno. */
int cp_listener_start(cp_listener *listener, int backlog);

bool cp_listener_is_listening(const cp_listener *listener);
int cp_listener_descriptor(const cp_listener *listener);

/* Sets whether the listener keeps the loop alive while it listens. It does by default. */
int cp_listener_reference(cp_listener *listener, bool referenced);

#endif
