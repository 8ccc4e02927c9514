/* An event loop: its state, and the calls that everything that runs on it may make.
 *
 * There is one cp_loop for each Lua state. It owns a libuv loop, or uses the one of the host
 * program. It shares nothing with other loops, so each may run on a thread of its own. Its parts
 * (the poller, due entries, retries) each have a file of their own; iteration.h runs it.
 *
 * Throughout src/core, functions that can fail return 0 (or a count) on success and a negative
 * errno on failure. */
#ifndef CP_LOOP_H
#define CP_LOOP_H

#include "core/base/list.h"
#include "core/loop/fork.h"

#include <stdbool.h>
#include <uv.h>

struct cp_alarm;
struct cp_deferred;
struct cp_due_queue;
struct cp_interest;
struct cp_keeper;
struct cp_poller;
struct cp_retries;

typedef struct cp_loop cp_loop;

/* Called once in each forked process that uses the loop, see cp_loop_claim. Must call cp_loop_renew
 * first. */
typedef void (*cp_loop_copied_cb)(void *owner);

/* See cp_loop_handle_work. */
typedef void (*cp_loop_work_cb)(cp_loop *loop);

/* Only the files of this folder use the fields, except for the first two. */
struct cp_loop {
  uv_loop_t *uv;     /* for libuv handles of the caller's own */
  char *read_buffer; /* CP_READ_SIZE bytes (fd.h), valid until the next read on this loop */

  /* Its parts. */
  struct cp_poller *poller;
  CP_LIST(cp_interest) interests; /* see poller.h */
  struct cp_due_queue *due;
  struct cp_retries *retries;
  struct cp_keeper *keeper; /* see loop.c */
  struct cp_alarm *alarm;

  /* Its iterations. */
  CP_QUEUE(cp_deferred) deferred; /* see deferred.h */
  int holds;                      /* number of cp_loop_hold calls without a cp_loop_release */
  bool changed;        /* libuv has a descriptor or handle that its backend does not know yet */
  bool uv_ready;       /* libuv's backend has an event that has not been handled yet */
  bool uv_was_skipped; /* the last iteration was interrupted before libuv could run */
  bool interrupted;    /* the rest of this iteration is left for the next one */
  bool stopped;        /* cp_loop_interrupt was called since cp_loop_begin_run */
  bool running;        /* between cp_loop_begin_run and cp_loop_end_run */
  cp_loop_work_cb on_work;
  bool in_uv_run;
  bool owned;

  /* The process that it belongs to. */
  unsigned fork_depth; /* cp_fork_depth there */
  bool is_copied;      /* libuv still counts signals that the original has caught */
  int error;           /* of renewing the loop, see cp_loop_error */
  cp_loop_copied_cb on_copied;
  void *owner; /* of on_copied */
  cp_fork_loop fork_entry;

  uv_loop_t own;
};

/* Makes a loop without its parts. If `host` is NULL it runs a libuv loop of its own, otherwise the
 * host's, which must outlive it. A failure leaves nothing behind. */
int cp_loop_init(cp_loop *loop, uv_loop_t *host, cp_loop_copied_cb on_copied, void *owner);

/* Closes the loop without calling any callback. Close its parts before. A host's loop frees our
 * closed handles in its next iteration. */
void cp_loop_destroy(cp_loop *loop);

/* Forking. */

/* Call this before any use of the loop that may be its first in a forked process. Returns whether
 * it was the first. The loop then has epoll sets of its own. Timers, listeners, sockets and other
 * descriptors work on in both processes. Children that the original has started, with their pipes
 * and channels, belong to the original: the forked process reports nothing about them and sends
 * nothing to them. The rest of the running iteration is left for the next one. If there are no
 * descriptors for the sets, cp_loop_error returns the reason, and the loop must not be run. */
static inline bool cp_loop_claim(cp_loop *loop)
{
  if (loop->fork_depth == cp_fork_depth) {
    return false;
  }
  loop->on_copied(loop->owner);
  return true;
}

/* Makes the loop belong to this process, and renews libuv's part of it. */
void cp_loop_renew(cp_loop *loop);

/* Records an error that keeps this process from running the loop, unless there is one already. */
void cp_loop_fail(cp_loop *loop, int error);

/* Returns 0, or that negative errno. */
static inline int cp_loop_error(const cp_loop *loop)
{
  return loop->error;
}

/* Iterations. */

/* Ends the running iteration after the current callback, and makes uv_run return. Nothing is lost:
 * descriptors that are ready stay ready in the next iteration. */
void cp_loop_interrupt(cp_loop *loop);

/* Whether the rest of the running iteration is left for the next one. */
static inline bool cp_loop_is_interrupted(const cp_loop *loop)
{
  return loop->interrupted;
}

/* Starts an iteration: nothing has interrupted it yet. A callback from libuv cannot know whether
 * libuv has started another iteration, so each of them calls this. */
static inline void cp_loop_begin_iteration(cp_loop *loop)
{
  loop->interrupted = false;
}

/* Work is what no descriptor reports: a timer, or something that the next iteration has to do. Sets
 * a function that is called when work may have been added while our loop is not running, and at the
 * end of each run. NULL for none. */
static inline void cp_loop_handle_work(cp_loop *loop, cp_loop_work_cb callback)
{
  loop->on_work = callback;
}

/* Call this after adding work. */
static inline void cp_loop_note_work(cp_loop *loop)
{
  if (loop->on_work != NULL && !loop->running) {
    loop->on_work(loop);
  }
}

/* Call this before a series of iterations. Forgets earlier interrupts. */
static inline void cp_loop_begin_run(cp_loop *loop)
{
  loop->stopped = false;
  loop->running = true;
}

/* Call this after the series. */
static inline void cp_loop_end_run(cp_loop *loop)
{
  loop->running = false;
  cp_loop_note_work(loop);
}

static inline bool cp_loop_is_running(const cp_loop *loop)
{
  return loop->running;
}

/* Whether cp_loop_interrupt was called since cp_loop_begin_run. */
static inline bool cp_loop_is_stopped(const cp_loop *loop)
{
  return loop->stopped;
}

/* Whether the series is to end, while the running iteration still calls back: see deferred.h. */
static inline bool cp_loop_is_ending(const cp_loop *loop)
{
  return loop->running && loop->stopped;
}

/* Call this after starting a handle of libuv's for which libuv polls a descriptor. */
static inline void cp_loop_note_change(cp_loop *loop)
{
  loop->changed = true;
  cp_loop_note_work(loop);
}

/* Keeping the loop alive. */

bool cp_loop_is_alive(cp_loop *loop);

/* A hold keeps the loop alive until a release: there must be one release for each hold. */
void cp_loop_hold(cp_loop *loop);
void cp_loop_release(cp_loop *loop);

/* Sets whether a handle keeps the loop alive while it is active. */
void cp_loop_reference_handle(uv_handle_t *handle, bool referenced);

/* A close callback that frees the handle. */
void cp_loop_free_handle(uv_handle_t *handle);

#endif
