#include "listener.h"

#include "pipe.h"
#include "socket.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
  /* How many connections one listener may accept before others get their turn. */
  ACCEPTS_PER_TURN = 16,
  /* Until accepting is tried again when it was not possible. */
  RETRY_MS = 50,
};

cp_listener *cp_listener_new(cp_loop *loop, int fd, const cp_address *bound,
                             cp_listener_cb callback, void *owner)
{
  cp_listener *listener = calloc(1, sizeof(*listener));
  uv_timer_t *retry = malloc(sizeof(*retry));

  if (listener == NULL || retry == NULL) {
    free(listener);
    free(retry);
    return NULL;
  }
  uv_timer_init(loop->uv, retry);
  retry->data = listener;
  listener->loop = loop;
  listener->callback = callback;
  listener->owner = owner;
  listener->retry = retry;
  listener->fd = fd;
  listener->referenced = true;
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
  uv_close((uv_handle_t *)listener->retry, cp_loop_free_handle);
  listener->fd = cp_pipe_close(listener->fd);
  if (!listener->active) {
    free(listener);
  }
  return NULL;
}

void cp_listener_remove_path(const cp_listener *listener)
{
  const cp_address *bound = &listener->bound;

  if (bound->length > 0 && bound->as.any.sa_family == AF_UNIX &&
      bound->as.local.sun_path[0] != '\0') {
    unlink(bound->as.local.sun_path);
  }
}

static void pause_for_a_while(cp_listener *listener);

static void on_retry(uv_timer_t *timer)
{
  cp_listener *listener = timer->data;

  if (cp_watch_set(&listener->watch, CP_WATCH_READ, listener->referenced) < 0) {
    pause_for_a_while(listener);
  }
}

/* The connections that wait would wake us again at once. */
static void pause_for_a_while(cp_listener *listener)
{
  cp_watch_set(&listener->watch, 0, false);
  uv_timer_start(listener->retry, on_retry, RETRY_MS, 0);
}

/* There was no room for one more. */
static bool is_shortage(int error)
{
  return error == -EMFILE || error == -ENFILE || error == -ENOBUFS || error == -ENOMEM;
}

/* Something is wrong with the socket itself. All else is about the connection, which has failed
 * before it was accepted. */
static bool is_fatal(int error)
{
  return error == -EBADF || error == -EINVAL || error == -ENOTSOCK;
}

static void accept_some(cp_listener *listener)
{
  for (int i = 0; i < ACCEPTS_PER_TURN && listener->listening && !listener->loop->interrupted;
       i++) {
    int fd = cp_socket_accept(listener->fd);

    if (fd == -EAGAIN) {
      return;
    }
    if (is_shortage(fd)) {
      pause_for_a_while(listener);
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
  listener->active = true;
  accept_some(listener);
  listener->active = false;
  if (listener->closed) {
    free(listener);
  }
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

int cp_listener_reference(cp_listener *listener, bool referenced)
{
  listener->referenced = referenced;
  cp_loop_reference_handle((uv_handle_t *)listener->retry, referenced);
  return listener->listening ? cp_watch_set(&listener->watch, listener->watch.events, referenced)
                             : 0;
}
