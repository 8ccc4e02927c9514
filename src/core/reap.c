#include "reap.h"

#include "orphans.h"
#include "pipe.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* How often children are asked about besides SIGCHLD, whose handler the host may replace. */
enum { SWEEP_MS = 250 };

static cp_exit_status from_wait_status(int status)
{
  return WIFSIGNALED(status) ? (cp_exit_status){-1, WTERMSIG(status)}
                             : (cp_exit_status){WEXITSTATUS(status), 0};
}

/* What the kernel still knows of a child that somebody else has reaped (Linux 6.15 and later). */
static cp_exit_status status_of_reaped(int pidfd)
{
#ifdef __linux__
  struct {
    uint64_t mask, cgroup_id;
    uint32_t ids[11];
    int32_t exit_status;
  } info = {.mask = UINT64_C(1) << 3};
  unsigned long get_info = _IOWR(0xFF, 11, info);

  if (ioctl(pidfd, get_info, &info) == 0 && (info.mask & UINT64_C(1) << 3) != 0) {
    return from_wait_status(info.exit_status);
  }
#else
  (void)pidfd;
#endif
  return (cp_exit_status){-ECHILD, 0};
}

/* Takes the child's status if it has ended. */
static bool reap(const cp_child *child, cp_exit_status *status)
{
  siginfo_t info = {0};
  int r = 0;

  do {
    r = child->pidfd == -1
            ? waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG)
            : waitid((idtype_t)P_PIDFD, (id_t)child->pidfd, &info, WEXITED | WNOHANG);
  } while (r == -1 && errno == EINTR);

  if (r == -1 && errno != ECHILD) {
    return false;
  }
  if (r == -1) {
    *status = child->pidfd == -1 ? (cp_exit_status){-ECHILD, 0} : status_of_reaped(child->pidfd);
    return true;
  }
  if (info.si_pid == 0) {
    return false;
  }
  *status = info.si_code == CLD_EXITED ? (cp_exit_status){info.si_status, 0}
                                       : (cp_exit_status){-1, info.si_status};
  return true;
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

static void close_and_free(uv_handle_t *handle)
{
  free(handle);
}

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
  if (referenced) {
    uv_ref((uv_handle_t *)loop->sigchld);
  } else {
    uv_unref((uv_handle_t *)loop->sigchld);
  }
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
    uv_close((uv_handle_t *)loop->sweep, close_and_free);
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
    uv_close((uv_handle_t *)loop->sigchld, close_and_free);
    uv_close((uv_handle_t *)loop->sweep, close_and_free);
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
  if (!loop->use_pidfd) {
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
  int r = 0;

  if (!child->running) {
    return UV_ESRCH;
  }
#ifdef __linux__
  if (child->pidfd != -1) {
    r = (int)syscall(SYS_pidfd_send_signal, child->pidfd, signum, NULL, 0);
    return r == -1 ? -errno : 0;
  }
#endif
  r = kill(child->pid, signum);
  return r == -1 ? -errno : 0;
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
