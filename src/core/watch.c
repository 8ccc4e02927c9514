#include "watch.h"

#include <fcntl.h>
#include <stdlib.h>

struct cp_watch {
  /* First, so that a pointer to it is a pointer to the watch. */
  union {
    uv_handle_t handle;
    uv_poll_t poll;
    uv_idle_t always;
  };
  cp_loop *loop;
  cp_watch_cb callback;
  void *owner;
  int events;
  bool is_poll;
};

static void on_poll(uv_poll_t *poll, int status, int events)
{
  cp_watch *watch = (cp_watch *)poll;

  if (status < 0) {
    events = watch->events;
    watch->events = 0;
  }
  watch->callback(watch->owner, events & (CP_WATCH_READ | CP_WATCH_WRITE | CP_WATCH_HANGUP));
}

static void on_always(uv_idle_t *always)
{
  cp_watch *watch = (cp_watch *)always;

  watch->callback(watch->owner, watch->events & (CP_WATCH_READ | CP_WATCH_WRITE));
}

static void on_close(uv_handle_t *handle)
{
  free(handle);
}

int cp_watch_open(cp_loop *loop, int fd, cp_watch_cb callback, void *owner, cp_watch **out)
{
  cp_watch *watch = malloc(sizeof(*watch));
  int flags = fcntl(fd, F_GETFL);
  int r = 0;

  if (watch == NULL) {
    return UV_ENOMEM;
  }
  *watch = (cp_watch){.loop = loop, .callback = callback, .owner = owner, .is_poll = true};

  r = uv_poll_init(loop->uv, &watch->poll, fd);
  if (r == UV_EPERM) {
    watch->is_poll = false;
    r = uv_idle_init(loop->uv, &watch->always);
  } else if (r == 0 && flags != -1 && !(flags & O_NONBLOCK)) {
    /* libuv has made it non-blocking, which those we share the descriptor with do not expect. */
    fcntl(fd, F_SETFL, flags);
  }
  if (r < 0) {
    free(watch);
    return r;
  }
  watch->handle.data = NULL;
  *out = watch;
  return 0;
}

static int watch_start(cp_watch *watch, int events)
{
  watch->loop->changed = true;
  if (watch->is_poll) {
    return events == 0 ? uv_poll_stop(&watch->poll) : uv_poll_start(&watch->poll, events, on_poll);
  }
  return (events & (CP_WATCH_READ | CP_WATCH_WRITE)) == 0 ? uv_idle_stop(&watch->always)
                                                          : uv_idle_start(&watch->always, on_always);
}

int cp_watch_set(cp_watch *watch, int events, bool referenced)
{
  if (referenced) {
    uv_ref(&watch->handle);
  } else {
    uv_unref(&watch->handle);
  }
  if (watch->events == events) {
    return 0;
  }
  watch->events = events;
  return watch_start(watch, events);
}

cp_watch *cp_watch_close(cp_watch *watch)
{
  if (watch != NULL) {
    /* Stops at once, which takes the descriptor out of the kernel's set before anybody closes it. */
    uv_close(&watch->handle, on_close);
  }
  return NULL;
}
