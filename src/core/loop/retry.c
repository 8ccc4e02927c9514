/* One timer for all retries of a loop. When it fires, it calls back all that are waiting. */
#include "core/loop/retry.h"

#include "core/base/assert.h"
#include "core/loop/deferred.h"

#include <errno.h>
#include <stdlib.h>

typedef struct cp_retries {
  uv_timer_t timer; /* first, so that a pointer to it is a pointer to this */
  cp_loop *loop;
  cp_deferred deferred;
  CP_LIST(cp_retry) waiting;
  int referenced; /* number of those that keep the loop alive */
} cp_retries;

bool cp_retry_helps(int error)
{
  return error == -ENOBUFS || error == -ENOMEM;
}

static void count(cp_retries *retries, int change)
{
  retries->referenced += change;
  CP_ASSERT(retries->referenced >= 0);
  cp_loop_reference_handle((uv_handle_t *)&retries->timer, retries->referenced > 0);
}

static void on_timer(uv_timer_t *timer);

static void start_timer(cp_retries *retries)
{
  if (!uv_is_active((uv_handle_t *)&retries->timer)) {
    uv_timer_start(&retries->timer, on_timer, CP_RETRY_MS, 0);
    cp_loop_note_work(retries->loop);
  }
}

static void stop_waiting(cp_retry *retry)
{
  CP_LIST_REMOVE(retry, entry);
  if (!retry->unreferenced) {
    count(retry->loop->retries, -1);
  }
  retry->loop = NULL;
}

/* Calls back all that wait. Those that are left when the run is to end go on waiting. */
static void retry_all(void *owner)
{
  cp_retries *retries = owner;
  CP_LIST(cp_retry) due = {NULL};
  cp_retry *retry = NULL;

  uv_timer_stop(&retries->timer);
  /* A callback may start to wait again, so the list is moved away first. */
  CP_LIST_MOVE(&retries->waiting, &due, entry);
  while ((retry = CP_LIST_FIRST(&due)) != NULL) {
    if (cp_loop_is_ending(retries->loop)) {
      CP_LIST_REMOVE(retry, entry);
      CP_LIST_INSERT(&retries->waiting, retry, entry);
      start_timer(retries);
    } else {
      stop_waiting(retry);
      retry->callback(retry->owner);
    }
  }
}

static void on_timer(uv_timer_t *timer)
{
  cp_retries *retries = (cp_retries *)timer;

  if (cp_defer_if_ending(retries->loop, &retries->deferred)) {
    start_timer(retries);
  } else {
    retry_all(retries);
  }
}

int cp_retry_open(cp_loop *loop)
{
  cp_retries *retries = malloc(sizeof(*retries));

  if (retries == NULL) {
    return -ENOMEM;
  }
  uv_timer_init(loop->uv, &retries->timer);
  retries->timer.data = NULL;
  retries->loop = loop;
  retries->deferred = (cp_deferred){.callback = retry_all, .owner = retries};
  CP_LIST_INIT(&retries->waiting);
  retries->referenced = 0;
  loop->retries = retries;
  return 0;
}

void cp_retry_close(cp_loop *loop)
{
  cp_retry *retry = NULL;

  if (loop->retries == NULL) {
    return;
  }
  while ((retry = CP_LIST_FIRST(&loop->retries->waiting)) != NULL) {
    cp_retry_end(retry);
  }
  cp_deferred_remove(loop, &loop->retries->deferred);
  uv_close((uv_handle_t *)&loop->retries->timer, cp_loop_free_handle);
  loop->retries = NULL;
}

bool cp_retry_later(cp_loop *loop, cp_retry *retry, cp_retry_cb callback, void *owner)
{
  cp_retries *retries = loop->retries;

  if (cp_retry_is_waiting(retry)) {
    return true;
  }
  CP_ASSERT(retry->tries <= CP_RETRY_TRIES);
  if (retry->tries == CP_RETRY_TRIES) {
    return false;
  }
  retry->loop = loop;
  retry->callback = callback;
  retry->owner = owner;
  retry->tries++;
  CP_LIST_INSERT(&retries->waiting, retry, entry);
  count(retries, retry->unreferenced ? 0 : 1);
  start_timer(retries);
  return true;
}

void cp_retry_always(cp_loop *loop, cp_retry *retry, cp_retry_cb callback, void *owner)
{
  retry->tries = 0;
  (void)cp_retry_later(loop, retry, callback, owner);
}

void cp_retry_end(cp_retry *retry)
{
  if (cp_retry_is_waiting(retry)) {
    stop_waiting(retry);
  }
  retry->tries = 0;
}

void cp_retry_reference(cp_retry *retry, bool referenced)
{
  if (cp_retry_is_waiting(retry) && retry->unreferenced == referenced) {
    count(retry->loop->retries, referenced ? 1 : -1);
  }
  retry->unreferenced = !referenced;
}

void cp_retry_visit(const cp_loop *loop, void (*visit)(void *argument, void *owner), void *argument)
{
  cp_retry *retry = NULL;

  CP_LIST_FOREACH(retry, &loop->retries->waiting, entry)
  {
    if (!retry->unreferenced) {
      visit(argument, retry->owner);
    }
  }
}

const uv_handle_t *cp_retry_handle(const cp_loop *loop)
{
  return (const uv_handle_t *)&loop->retries->timer;
}
