/* Accepts waiting connections, and pauses while the resources for one more are missing. */
#include "core/net/listener.h"

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/base/owned.h"
#include "core/net/socket.h"
#include "core/sys/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* The most connections that one listener accepts in an iteration of the loop. */
enum { ACCEPTS_PER_ITERATION = 16 };

cp_listener *cp_listener_new(cp_loop *loop, int fd, const cp_address *bound,
                             cp_listener_cb callback, void *owner)
{
  cp_listener *listener = calloc(1, sizeof(*listener));

  if (listener == NULL) {
    return NULL;
  }
  listener->loop = loop;
  listener->callback = callback;
  listener->owner = owner;
  listener->fd = fd;
  listener->referenced = true;
  cp_owned_add(fd);
  listener->fork_depth = cp_fork_depth;
  if (bound != NULL) {
    listener->bound = *bound;
  }
  return listener;
}

cp_listener *cp_listener_close(cp_listener *listener)
{
  if (listener == NULL || listener->closed) {
    return NULL;
  }
  listener->closed = true;
  listener->listening = false;
  cp_watch_close(&listener->watch);
  cp_retry_end(&listener->retry);
  listener->fd = cp_fd_close(listener->fd);
  if (!listener->active) {
    free(listener);
  }
  return NULL;
}

void cp_listener_remove_path(const cp_listener *listener)
{
  const cp_address *bound = &listener->bound;

  if (listener->fork_depth == cp_fork_depth && bound->length > 0 &&
      bound->as.any.sa_family == AF_UNIX && bound->as.local.sun_path[0] != '\0') {
    unlink(bound->as.local.sun_path);
  }
}

static void pause_accepting(cp_listener *listener);

static void on_retry(void *owner)
{
  cp_listener *listener = owner;

  if (cp_watch_set(&listener->watch, CP_WATCH_READ, listener->referenced) < 0) {
    pause_accepting(listener);
  }
}

/* Stops watching for a while, as the waiting connections would wake the loop again at once. */
static void pause_accepting(cp_listener *listener)
{
  cp_watch_set(&listener->watch, 0, false);
  cp_retry_always(listener->loop, &listener->retry, on_retry, listener);
}

/* Whether the resources for one more connection are missing. */
static bool is_shortage(int error)
{
  return error == -EMFILE || error == -ENFILE || error == -ENOBUFS || error == -ENOMEM;
}

/* Whether the listening socket itself has failed. Other errors belong to a connection that failed
 * before it was accepted. */
static bool is_fatal(int error)
{
  return error == -EBADF || error == -EINVAL || error == -ENOTSOCK;
}

/* Accepts one connection. The blocking mode belongs to the open file, not to the descriptor, so a
 * child, or a process that received the server in a message, may have made the socket blocking. */
static int accept_one(cp_listener *listener)
{
  listener->shared = listener->shared || cp_socket_is_blocking(listener->fd);
  return listener->shared ? cp_socket_accept_shared(listener->fd) : cp_sys_accept(listener->fd);
}

static void accept_some(cp_listener *listener)
{
  for (int i = 0;
       i < ACCEPTS_PER_ITERATION && listener->listening && !cp_loop_is_interrupted(listener->loop);
       i++) {
    int fd = accept_one(listener);

    if (fd == -EAGAIN) {
      return;
    }
    if (is_shortage(fd)) {
      pause_accepting(listener);
      return;
    }
    if (is_fatal(fd)) {
      listener->listening = false;
      cp_watch_set(&listener->watch, 0, false);
    }
    if (fd >= 0 || is_fatal(fd)) {
      listener->callback(listener->owner, fd);
    }
  }
}

static void on_ready(void *owner, int events)
{
  cp_listener *listener = owner;

  (void)events;
  CP_ASSERT(!listener->active && !listener->closed);
  listener->active = true;
  accept_some(listener);
  listener->active = false;
  if (listener->closed) {
    free(listener);
  }
}

void cp_listener_share(cp_listener *listener)
{
  listener->shared = true;
}

int cp_listener_start(cp_listener *listener, int backlog)
{
  int r = cp_socket_listen(listener->fd, backlog);

  if (r == 0 && !listener->listening) {
    if (!cp_watch_is_open(&listener->watch)) {
      cp_watch_open(&listener->watch, listener->loop, listener->fd, false, on_ready, listener);
    }
    r = cp_watch_set(&listener->watch, CP_WATCH_READ, listener->referenced);
    listener->listening = r == 0;
  }
  return r;
}

bool cp_listener_is_listening(const cp_listener *listener)
{
  return listener->listening;
}

int cp_listener_descriptor(const cp_listener *listener)
{
  return listener->fd;
}

int cp_listener_reference(cp_listener *listener, bool referenced)
{
  listener->referenced = referenced;
  cp_retry_reference(&listener->retry, referenced);
  return listener->listening ? cp_watch_reference(&listener->watch, referenced) : 0;
}
