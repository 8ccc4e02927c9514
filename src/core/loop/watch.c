/* Uses the poller, or an idle handle for a descriptor that the system does not poll. */
#include "core/loop/watch.h"

#include "core/base/assert.h"
#include "core/loop/deferred.h"

#include <errno.h>
#include <stdlib.h>

struct cp_always {
  uv_idle_t idle; /* first, so that a pointer to it is a pointer to this */
  const cp_interest *interest;
  cp_deferred deferred;
};

void cp_watch_open(cp_watch *watch, cp_loop *loop, int fd, bool borrowed, cp_watch_cb callback,
                   void *owner)
{
  CP_ASSERT(!cp_watch_is_open(watch));
  *watch = (cp_watch){
      .interest =
          {.loop = loop, .fd = fd, .borrowed = borrowed, .callback = callback, .owner = owner},
  };
  cp_poller_add(&watch->interest);
}

static void call_back(void *owner)
{
  const cp_interest *interest = ((struct cp_always *)owner)->interest;

  interest->callback(interest->owner, interest->events & (CP_WATCH_READ | CP_WATCH_WRITE));
}

static void on_always(uv_idle_t *idle)
{
  struct cp_always *always = (struct cp_always *)idle;

  if (!cp_defer_if_ending(always->interest->loop, &always->deferred)) {
    cp_loop_begin_iteration(always->interest->loop);
    call_back(always);
  }
}

static void update_always(const cp_watch *watch)
{
  struct cp_always *always = watch->always;

  cp_loop_reference_handle((uv_handle_t *)&always->idle, watch->interest.referenced);
  if ((watch->interest.events & (CP_WATCH_READ | CP_WATCH_WRITE)) == 0) {
    uv_idle_stop(&always->idle);
    cp_deferred_remove(watch->interest.loop, &always->deferred);
  } else {
    uv_idle_start(&always->idle, on_always);
    cp_loop_note_work(watch->interest.loop);
  }
}

static int make_always(cp_watch *watch)
{
  struct cp_always *always = malloc(sizeof(*always));

  if (always == NULL) {
    return -ENOMEM;
  }
  watch->always = always;
  uv_idle_init(watch->interest.loop->uv, &always->idle);
  always->idle.data = &watch->interest;
  always->interest = &watch->interest;
  always->deferred = (cp_deferred){.callback = call_back, .owner = always};
  update_always(watch);
  return 0;
}

int cp_watch_set(cp_watch *watch, int events, bool referenced)
{
  cp_interest *interest = &watch->interest;
  int r = 0;

  CP_ASSERT(cp_watch_is_open(watch));
  cp_loop_claim(interest->loop);
  interest->events = events;
  interest->referenced = referenced;
  if (watch->always != NULL) {
    update_always(watch);
    return 0;
  }
  r = cp_poller_update(interest);
  return r == -EPERM ? make_always(watch) : r;
}

int cp_watch_reference(cp_watch *watch, bool referenced)
{
  return cp_watch_set(watch, watch->interest.events, referenced);
}

void cp_watch_close(cp_watch *watch)
{
  if (!cp_watch_is_open(watch)) {
    return;
  }
  if (cp_loop_claim(watch->interest.loop) && !cp_watch_is_open(watch)) {
    return;
  }
  cp_poller_forget(&watch->interest);
  if (watch->always != NULL) {
    cp_deferred_remove(watch->interest.loop, &watch->always->deferred);
    uv_close((uv_handle_t *)&watch->always->idle, cp_loop_free_handle);
  }
  watch->interest.loop = NULL;
}
