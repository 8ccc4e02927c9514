#include "reap.h"

#include "orphans.h"
#include "pipe.h"

#include <signal.h>
#include <stdlib.h>

/* How often children are asked about besides SIGCHLD, whose handler the host may replace. */
enum { SWEEP_MS = 250 };

/* Takes the child's status if it has ended. */
static bool reap(const cp_child *child, cp_exit_status *status)
{
  return cp_pidfd_wait(child->pidfd, child->pid, false, status) == 1;
}

static void stop_watching(cp_child *child);

static void on_maybe_ended(void *argument, int events)
{
  cp_child *child = argument;
  cp_exit_status status;

  (void)events;
  if (reap(child, &status)) {
    stop_watching(child);
    child->on_exit(child->owner, status);
  }
}

/* Without pidfds. */

static void ask_all(cp_loop *loop)
{
  /* A callback may start or release any child, so the list is walked from its start again. */
  for (cp_child *child = loop->children; child != NULL;) {
    cp_exit_status status;

    if (child->pidfd == -1 && reap(child, &status)) {
      stop_watching(child);
      child->on_exit(child->owner, status);
      child = loop->children;
    } else {
      child = child->next;
    }
  }
}

static void on_sigchld(uv_signal_t *handle, int signum)
{
  (void)signum;
  ask_all(handle->data);
}

static void on_sweep(uv_timer_t *handle)
{
  ask_all(handle->data);
}

/* The two handles keep the loop alive while there is a referenced child that they wait for. */
static void update_fallback_reference(cp_loop *loop)
{
  bool referenced = false;

  if (loop->sigchld == NULL) {
    return;
  }
  for (const cp_child *child = loop->children; child != NULL; child = child->next) {
    referenced = referenced || (child->pidfd == -1 && child->referenced);
  }
  cp_loop_reference_handle((uv_handle_t *)loop->sigchld, referenced);
}

static int start_fallback(cp_loop *loop)
{
  int r = 0;

  if (loop->sigchld != NULL) {
    return 0;
  }
  loop->sigchld = malloc(sizeof(*loop->sigchld));
  loop->sweep = malloc(sizeof(*loop->sweep));
  if (loop->sigchld == NULL || loop->sweep == NULL) {
    free(loop->sigchld);
    free(loop->sweep);
    loop->sigchld = NULL;
    return UV_ENOMEM;
  }
  uv_timer_init(loop->uv, loop->sweep);
  uv_unref((uv_handle_t *)loop->sweep);
  loop->sweep->data = loop;
  uv_timer_start(loop->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
  r = uv_signal_init(loop->uv, loop->sigchld);
  if (r < 0) {
    uv_close((uv_handle_t *)loop->sweep, cp_loop_free_handle);
    free(loop->sigchld);
    loop->sigchld = NULL;
    return r;
  }
  loop->sigchld->data = loop;
  return uv_signal_start(loop->sigchld, on_sigchld, SIGCHLD);
}

void cp_reap_close(cp_loop *loop)
{
  if (loop->sigchld != NULL) {
    uv_close((uv_handle_t *)loop->sigchld, cp_loop_free_handle);
    uv_close((uv_handle_t *)loop->sweep, cp_loop_free_handle);
    loop->sigchld = NULL;
    loop->sweep = NULL;
  }
}

/* Both ways. */

static void stop_watching(cp_child *child)
{
  cp_loop *loop = child->loop;

  child->running = false;
  if (child->previous != NULL) {
    child->previous->next = child->next;
  } else {
    loop->children = child->next;
  }
  if (child->next != NULL) {
    child->next->previous = child->previous;
  }
  if (cp_watch_is_open(&child->watch)) {
    cp_watch_close(&child->watch);
  } else if (loop->children == NULL) {
    cp_reap_close(loop);
  } else {
    update_fallback_reference(loop);
  }
  child->pidfd = cp_pipe_close(child->pidfd);
}

int cp_child_start(cp_child *child, cp_loop *loop, const cp_spawn_options *options,
                   cp_child_exit_cb on_exit, void *owner)
{
  int r = 0;

  *child =
      (cp_child){.loop = loop, .on_exit = on_exit, .owner = owner, .pidfd = -1, .referenced = true};
  if (!cp_spawner_has_pidfd(loop->spawner)) {
    /* Before the child can end. */
    r = start_fallback(loop);
  }
  if (r == 0) {
    r = cp_spawn(loop->spawner, options, &child->pid, &child->pidfd);
  }
  if (r < 0) {
    if (loop->children == NULL) {
      cp_reap_close(loop);
    }
    return r;
  }

  if (child->pidfd != -1) {
    cp_watch_open(&child->watch, loop, child->pidfd, false, on_maybe_ended, child);
  }
  if (child->pidfd == -1 || cp_watch_set(&child->watch, CP_WATCH_READ, true) < 0) {
    /* It runs already, so from here on there is no failing. */
    cp_watch_close(&child->watch);
    child->pidfd = cp_pipe_close(child->pidfd);
    start_fallback(loop);
  }
  child->running = true;
  child->next = loop->children;
  if (child->next != NULL) {
    child->next->previous = child;
  }
  loop->children = child;
  update_fallback_reference(loop);
  return 0;
}

int cp_child_kill(cp_child *child, int signum)
{
  return child->running ? cp_pidfd_signal(child->pidfd, child->pid, signum) : UV_ESRCH;
}

void cp_child_reference(cp_child *child, bool referenced)
{
  child->referenced = referenced;
  if (cp_watch_is_open(&child->watch)) {
    cp_watch_set(&child->watch, CP_WATCH_READ, referenced);
  } else if (child->running) {
    update_fallback_reference(child->loop);
  }
}

void cp_child_release(cp_child *child)
{
  int pidfd = child->pidfd;

  if (!child->running) {
    return;
  }
  child->pidfd = -1;
  stop_watching(child);
  cp_orphans_adopt(child->pid, pidfd);
}
