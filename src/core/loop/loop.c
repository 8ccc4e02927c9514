/* Makes and closes the libuv loop, keeps it alive, and renews it in a forked process. */
#include "core/loop/loop.h"

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/base/owned.h"
#include "core/loop/uv_fork.h"

#include <errno.h>
#include <stdlib.h>

enum { ITERATIONS_TO_CLOSE = 8 };

static void close_leftover(uv_handle_t *handle, void *unused)
{
  (void)unused;
  /* A handle that is closing already has a callback of its own that frees it. */
  if (!uv_is_closing(handle)) {
    uv_close(handle, NULL);
  }
}

static void correct_signal_counts(cp_loop *loop)
{
  if (loop->is_copied) {
    loop->is_copied = false;
    cp_uv_fork_correct_signal_counts(loop->uv);
  }
}

/* A check handle, which libuv calls in each iteration, also when a host runs the loop. It is
 * referenced while `holds` is above 0. */
struct cp_keeper {
  uv_check_t check; /* first, so that a pointer to it is a pointer to the keeper */
  cp_loop *loop;
};

/* No callback of a signal is running here. */
static void on_check(uv_check_t *check)
{
  correct_signal_counts(((struct cp_keeper *)check)->loop);
}

static int open_keeper(cp_loop *loop)
{
  loop->keeper = malloc(sizeof(*loop->keeper));
  if (loop->keeper == NULL) {
    return -ENOMEM;
  }
  loop->keeper->loop = loop;
  uv_check_init(loop->uv, &loop->keeper->check);
  loop->keeper->check.data = NULL;
  uv_check_start(&loop->keeper->check, on_check);
  uv_unref((uv_handle_t *)&loop->keeper->check);
  return 0;
}

int cp_loop_init(cp_loop *loop, uv_loop_t *host, cp_loop_copied_cb on_copied, void *owner)
{
  int r = 0;

  *loop = (cp_loop){
      .uv = host,
      .owned = host == NULL,
      .on_copied = on_copied,
      .owner = owner,
      .fork_depth = cp_fork_depth,
  };
  CP_LIST_INIT(&loop->interests);
  CP_QUEUE_INIT(&loop->deferred);
  if (loop->owned) {
    r = uv_loop_init(&loop->own);
    if (r < 0) {
      return r;
    }
    loop->uv = &loop->own;
    cp_owned_add(uv_backend_fd(loop->uv));
  }
  cp_fork_add(&loop->fork_entry, loop->uv);

  loop->read_buffer = malloc(CP_READ_SIZE);
  r = loop->read_buffer == NULL ? -ENOMEM : open_keeper(loop);
  if (r < 0) {
    cp_loop_destroy(loop);
    return r;
  }
  cp_loop_note_change(loop);
  return 0;
}

void cp_loop_destroy(cp_loop *loop)
{
  cp_loop_claim(loop);
  CP_ASSERT(loop->poller == NULL && loop->due == NULL && loop->retries == NULL &&
            loop->alarm == NULL && CP_QUEUE_IS_EMPTY(&loop->deferred));
  cp_fork_remove(&loop->fork_entry);
  if (loop->keeper != NULL) {
    uv_close((uv_handle_t *)&loop->keeper->check, cp_loop_free_handle);
    loop->keeper = NULL;
  }

  if (loop->owned) {
    if (!loop->in_uv_run) {
      correct_signal_counts(loop);
    }
    cp_owned_remove(uv_backend_fd(loop->uv));
    uv_walk(loop->uv, close_leftover, NULL);
    /* A few iterations close everything, unless a callback of the loop is ending the program: the
     * handle of that callback cannot be closed. */
    for (int i = 0; i < ITERATIONS_TO_CLOSE && uv_loop_close(loop->uv) == UV_EBUSY; i++) {
      uv_run(loop->uv, UV_RUN_NOWAIT);
    }
  }
  free(loop->read_buffer);
  loop->read_buffer = NULL;
}

void cp_loop_renew(cp_loop *loop)
{
  loop->fork_depth = cp_fork_depth; /* first, since the calls below claim the loop */
  cp_loop_handle_work(loop, NULL);
  loop->interrupted = true;
  loop->is_copied = true;
  loop->error = cp_uv_fork_renew(loop->uv);
  cp_loop_note_change(loop);
}

void cp_loop_fail(cp_loop *loop, int error)
{
  loop->error = loop->error < 0 ? loop->error : error;
}

void cp_loop_interrupt(cp_loop *loop)
{
  loop->interrupted = true;
  loop->stopped = true;
  if (!loop->owned || loop->in_uv_run) {
    uv_stop(loop->uv);
  }
}

/* While libuv's loop runs on a loop of our own, iteration.c holds it. */
bool cp_loop_is_alive(cp_loop *loop)
{
  bool held = loop->owned && loop->in_uv_run;
  bool alive = false;

  if (held) {
    cp_loop_release(loop);
  }
  alive = uv_loop_alive(loop->uv) != 0;
  if (held) {
    cp_loop_hold(loop);
  }
  return alive;
}

void cp_loop_hold(cp_loop *loop)
{
  loop->holds++;
  if (loop->holds == 1) {
    uv_ref((uv_handle_t *)&loop->keeper->check);
  }
}

void cp_loop_release(cp_loop *loop)
{
  CP_ASSERT(loop->holds > 0);
  loop->holds--;
  if (loop->holds == 0) {
    uv_unref((uv_handle_t *)&loop->keeper->check);
  }
}

void cp_loop_reference_handle(uv_handle_t *handle, bool referenced)
{
  if (referenced) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void cp_loop_free_handle(uv_handle_t *handle)
{
  free(handle);
}
