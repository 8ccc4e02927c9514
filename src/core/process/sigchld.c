/* Uses a signal handle of libuv's, and a timer in case that misses signals.
 *
 * libuv replaces a handler that the host has set, does not call it, and does not put it back. So
 * while the host has one, only the timer calls back, more often. */
#include "core/process/sigchld.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
  /* The host may set a handler at any time; then libuv's signal handle calls back no more. */
  SWEEP_MS = 250,
  SWEEP_ALONE_MS = 50,
  SOON_MS = 1,
};

typedef void (*signal_handler)(int signum);

/* libuv's handler, once it was set. */
static _Atomic(signal_handler) libuv_handler;

void cp_sigchld_init(cp_sigchld *sigchld, cp_loop *loop, cp_sigchld_cb callback, void *owner)
{
  *sigchld = (cp_sigchld){.loop = loop, .callback = callback, .owner = owner};
}

static void notify(const cp_sigchld *sigchld)
{
  /* In a forked process the children belong to the original. */
  if (!cp_loop_claim(sigchld->loop)) {
    sigchld->callback(sigchld->owner);
  }
}

static void on_signal(uv_signal_t *handle, int signum)
{
  (void)signum;
  notify(handle->data);
}

static void on_timer(uv_timer_t *handle)
{
  notify(handle->data);
}

/* Whether the host handles SIGCHLD. If so, stores how. */
static bool host_handles(struct sigaction *action)
{
  return sigaction(SIGCHLD, NULL, action) == 0 && action->sa_handler != SIG_DFL &&
         action->sa_handler != SIG_IGN && action->sa_handler != atomic_load(&libuv_handler);
}

static int start_timer(cp_sigchld *sigchld, uint64_t ms)
{
  sigchld->timer = malloc(sizeof(*sigchld->timer));
  if (sigchld->timer == NULL) {
    return -ENOMEM;
  }
  uv_timer_init(sigchld->loop->uv, sigchld->timer);
  sigchld->timer->data = sigchld;
  return uv_timer_start(sigchld->timer, on_timer, ms, ms);
}

static int start_signal(cp_sigchld *sigchld)
{
  uv_signal_t *signal = malloc(sizeof(*signal));
  struct sigaction action;
  int r = signal == NULL ? -ENOMEM : uv_signal_init(sigchld->loop->uv, signal);

  if (r < 0) {
    free(signal);
    return r;
  }
  sigchld->signal = signal;
  signal->data = sigchld;
  uv_unref((uv_handle_t *)signal);
  r = uv_signal_start(signal, on_signal, SIGCHLD);
  cp_loop_note_change(sigchld->loop);
  if (r == 0 && sigaction(SIGCHLD, NULL, &action) == 0) {
    atomic_store(&libuv_handler, action.sa_handler);
  }
  return r;
}

int cp_sigchld_start(cp_sigchld *sigchld)
{
  struct sigaction action;
  bool alone = host_handles(&action);
  int r = 0;

  if (cp_sigchld_is_started(sigchld)) {
    return 0;
  }
  r = start_timer(sigchld, alone ? SWEEP_ALONE_MS : SWEEP_MS);
  if (r == 0 && !alone) {
    r = start_signal(sigchld);
  }
  if (r < 0) {
    cp_sigchld_stop(sigchld);
  }
  return r;
}

/* The host may have set a handler since the start. */
static void close_signal(uv_signal_t *signal)
{
  struct sigaction action;
  bool is_host = host_handles(&action);

  uv_close((uv_handle_t *)signal, cp_loop_free_handle);
  if (is_host) {
    (void)sigaction(SIGCHLD, &action, NULL);
  }
}

void cp_sigchld_stop(cp_sigchld *sigchld)
{
  if (sigchld->signal != NULL) {
    close_signal(sigchld->signal);
    sigchld->signal = NULL;
  }
  if (sigchld->timer != NULL) {
    uv_close((uv_handle_t *)sigchld->timer, cp_loop_free_handle);
    sigchld->timer = NULL;
  }
}

void cp_sigchld_repeat(const cp_sigchld *sigchld)
{
  if (sigchld->timer != NULL) {
    uv_timer_start(sigchld->timer, on_timer, SOON_MS, uv_timer_get_repeat(sigchld->timer));
  }
}

bool cp_sigchld_is_started(const cp_sigchld *sigchld)
{
  return sigchld->timer != NULL;
}

void cp_sigchld_reference(cp_sigchld *sigchld, bool referenced)
{
  if (sigchld->timer != NULL) {
    cp_loop_reference_handle((uv_handle_t *)sigchld->timer, referenced);
  }
}
