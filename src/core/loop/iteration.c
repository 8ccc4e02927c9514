/* An iteration handles what the last run has deferred, then events from the poller, then due
 * entries, and then runs libuv's loop if that has something to do. */
#include "core/loop/iteration.h"

#include "core/base/assert.h"
#include "core/loop/deferred.h"
#include "core/loop/due.h"
#include "core/loop/poller.h"

/* On a loop of our own: libuv ignores timers and descriptors while nothing keeps its loop alive, so
 * we hold the loop meanwhile. */
static void run_uv(cp_loop *loop, uv_run_mode mode)
{
  CP_ASSERT(!loop->in_uv_run);
  loop->changed = false;
  loop->uv_ready = false;
  loop->in_uv_run = true;
  if (loop->owned) {
    cp_loop_hold(loop);
  }
  uv_run(loop->uv, mode);
  if (loop->owned) {
    cp_loop_release(loop);
  }
  loop->in_uv_run = false;
}

/* Returns the milliseconds until libuv has something to do apart from its descriptors, by its
 * clock. */
static int uv_timeout(cp_loop *loop)
{
  int timeout = 0;

  if (!loop->changed) {
    cp_loop_hold(loop);
    timeout = uv_backend_timeout(loop->uv);
    cp_loop_release(loop);
  }
  return timeout;
}

/* Lets libuv work. Returns false if it has nothing to do, or if the iteration was interrupted. */
static bool iterate_uv(cp_loop *loop)
{
  loop->uv_was_skipped = cp_loop_is_interrupted(loop);
  if (loop->uv_was_skipped || !(loop->uv_ready || uv_timeout(loop) == 0)) {
    return false;
  }
  run_uv(loop, UV_RUN_NOWAIT);
  return true;
}

int cp_loop_iterate(cp_loop *loop, bool wait)
{
  bool done = false;
  int events = 0;

  cp_loop_begin_iteration(loop);
  wait = !cp_deferred_serve(loop) && wait;
  if (cp_loop_is_interrupted(loop)) {
    return 0;
  }
  if (!loop->owned) {
    run_uv(loop, wait ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    return 0;
  }
  /* Without this, descriptors whose callbacks interrupt each iteration would keep libuv from
   * running. */
  done = loop->uv_was_skipped && iterate_uv(loop);
  while (!done) {
    events = cp_poller_wait(loop, wait ? cp_loop_timeout(loop) : 0);
    if (events < 0) {
      return events;
    }
    if (!cp_loop_is_interrupted(loop) && cp_due_serve(loop)) {
      events++;
    }
    done = iterate_uv(loop) || !wait || events > 0 || cp_loop_is_interrupted(loop);
  }
  return 0;
}

int cp_loop_descriptor(const cp_loop *loop)
{
  return loop->owned ? cp_poller_descriptor(loop) : uv_backend_fd(loop->uv);
}

int cp_loop_timeout(cp_loop *loop)
{
  uv_update_time(loop->uv);
  return CP_QUEUE_IS_EMPTY(&loop->deferred) ? uv_timeout(loop) : 0;
}
