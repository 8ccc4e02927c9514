#include "watch.h"

#include "poller.h"

#include <stdlib.h>

void cp_watch_open(cp_watch *watch, cp_loop *loop, int fd, bool borrowed, cp_watch_cb callback,
                   void *owner)
{
  *watch = (cp_watch){.loop = loop,
                      .fd = fd,
                      .borrowed = borrowed,
                      .callback = callback,
                      .owner = owner,
                      .next = loop->watches};
  if (watch->next != NULL) {
    watch->next->previous = watch;
  }
  loop->watches = watch;
}

bool cp_watch_is_open(const cp_watch *watch)
{
  return watch->loop != NULL;
}

static void on_always(uv_idle_t *always)
{
  cp_watch *watch = always->data;

  watch->loop->interrupted = false;
  watch->callback(watch->owner, watch->events & (CP_WATCH_READ | CP_WATCH_WRITE));
}

static int update_always(const cp_watch *watch)
{
  cp_loop_reference_handle((uv_handle_t *)watch->always, watch->referenced);
  return (watch->events & (CP_WATCH_READ | CP_WATCH_WRITE)) == 0
             ? uv_idle_stop(watch->always)
             : uv_idle_start(watch->always, on_always);
}

static int make_always(cp_watch *watch)
{
  watch->always = malloc(sizeof(*watch->always));
  if (watch->always == NULL) {
    return UV_ENOMEM;
  }
  uv_idle_init(watch->loop->uv, watch->always);
  watch->always->data = watch;
  return update_always(watch);
}

int cp_watch_set(cp_watch *watch, int events, bool referenced)
{
  int r = 0;

  watch->events = events;
  watch->referenced = referenced;
  if (watch->always != NULL) {
    return update_always(watch);
  }
  r = cp_poller_update(watch);
  return r == UV_EPERM ? make_always(watch) : r;
}

void cp_watch_close(cp_watch *watch)
{
  if (!cp_watch_is_open(watch)) {
    return;
  }
  cp_poller_forget(watch);
  if (watch->always != NULL) {
    uv_close((uv_handle_t *)watch->always, cp_loop_free_handle);
  }
  if (watch->previous != NULL) {
    watch->previous->next = watch->next;
  } else {
    watch->loop->watches = watch->next;
  }
  if (watch->next != NULL) {
    watch->next->previous = watch->previous;
  }
  watch->loop = NULL;
}
