#include "poller.h"

#include <fcntl.h>
#include <stdlib.h>

typedef struct poll_handle {
  uv_poll_t poll; /* first, so that a pointer to it is a pointer to this */
  cp_watch *watch;
} poll_handle;

static void on_poll(uv_poll_t *poll, int status, int events)
{
  cp_watch *watch = ((poll_handle *)poll)->watch;

  if (status < 0) {
    /* libuv has stopped it. The next system call tells the error. */
    events = watch->events;
    watch->known = 0;
  }
  watch->loop->interrupted = false;
  watch->callback(watch->owner, events & watch->events);
}

static int make_handle(cp_watch *watch)
{
  poll_handle *handle = malloc(sizeof(*handle));
  int flags = watch->borrowed ? fcntl(watch->fd, F_GETFL) : -1;
  int r = handle == NULL ? UV_ENOMEM : uv_poll_init(watch->loop->uv, &handle->poll, watch->fd);

  if (r < 0) {
    free(handle);
    return r;
  }
  if (flags != -1 && !(flags & O_NONBLOCK)) {
    /* libuv has made it non-blocking, which those we share it with do not expect. */
    fcntl(watch->fd, F_SETFL, flags);
  }
  handle->watch = watch;
  handle->poll.data = NULL;
  watch->handle = handle;
  return 0;
}

int cp_poller_uv_update(cp_watch *watch)
{
  poll_handle *handle = watch->handle;
  int r = 0;

  if (handle == NULL) {
    if (watch->events == 0) {
      return 0;
    }
    r = make_handle(watch);
    if (r < 0) {
      return r;
    }
    handle = watch->handle;
  }
  cp_loop_reference_handle((uv_handle_t *)&handle->poll, watch->referenced);
  if (watch->known != watch->events) {
    watch->known = watch->events;
    watch->loop->changed = true;
    r = watch->events == 0 ? uv_poll_stop(&handle->poll)
                           : uv_poll_start(&handle->poll, watch->events, on_poll);
  }
  return r;
}

void cp_poller_uv_forget(cp_watch *watch)
{
  poll_handle *handle = watch->handle;

  if (handle != NULL) {
    /* Stops at once, which takes the descriptor out of the kernel's set before anybody closes it. */
    uv_close((uv_handle_t *)&handle->poll, cp_loop_free_handle);
  }
}

#ifndef CP_POLLER_EPOLL

int cp_poller_open(cp_loop *loop)
{
  (void)loop;
  return 0;
}

void cp_poller_close(cp_loop *loop)
{
  (void)loop;
}

int cp_poller_update(cp_watch *watch)
{
  return cp_poller_uv_update(watch);
}

void cp_poller_forget(cp_watch *watch)
{
  cp_poller_uv_forget(watch);
}

#endif
