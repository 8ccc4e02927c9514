/* Waits through the pidfd. Without one it checks again and again, after short naps. */
#include "core/process/sync_child.h"

#include "core/base/fd.h"
#include "core/process/spawn.h"
#include "core/process/terminal_signals.h"
#include "core/process/tree_members.h"
#include "core/process/tree_signal.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <time.h>

enum {
  /* The longest time until we check again what nothing reports. */
  LONGEST_NAP_MS = 16,
  MOST_KILLS = 10,
  KILL_PAUSE_MS = 20,
};

#define NEVER INT64_MAX

/* Milliseconds of the monotonic clock. */
static int64_t now(void)
{
  struct timespec time;

  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int64_t after(int64_t begin, int64_t delay)
{
  return delay >= NEVER - begin ? NEVER : begin + delay;
}

int cp_sync_child_start(cp_sync_child *child, const cp_sync_options *options, cp_spawner *spawner,
                        cp_sync_result *result, cp_spawn_failure *failure)
{
  int r = 0;

  *child = (cp_sync_child){
      .options = options,
      .spawner = spawner,
      .result = result,
      .tree = {.pidfd = -1, .leads_group = cp_spawn_leads_group(&options->spawn)},
      .deadline = options->timeout == 0 ? NEVER : after(now(), options->timeout),
      .cut_at = NEVER,
      .nap = 1,
  };
  r = cp_spawn(spawner, &options->spawn, &result->pid, &child->tree.pidfd, failure);

  child->tree.pid = result->pid;
  child->tree.uses_pidfds = child->tree.pidfd != -1;
  return r;
}

bool cp_sync_child_is_watched(const cp_sync_child *child)
{
  return child->deadline != NEVER || child->options->wait_delay != CP_SYNC_NEVER ||
         child->options->spawn.terminal != NULL;
}

struct pollfd cp_sync_child_polled(const cp_sync_child *child)
{
  return (struct pollfd){cp_sync_child_is_watched(child) ? child->tree.pidfd : -1, POLLIN, 0};
}

static int take_nap(cp_sync_child *child, int64_t longest)
{
  int nap = child->nap;

  child->nap = nap < LONGEST_NAP_MS ? nap * 2 : LONGEST_NAP_MS;
  return longest < nap ? (int)longest : nap;
}

int cp_sync_child_time_left(cp_sync_child *child)
{
  int64_t until = child->deadline < child->cut_at ? child->deadline : child->cut_at;
  int64_t left = until == NEVER ? NEVER : until - now();

  if (left <= 0) {
    return 0;
  }
  if (cp_sync_child_is_watched(child) && child->tree.pidfd == -1 && !child->ended) {
    return take_nap(child, left);
  }
  return left == NEVER ? -1 : left > INT_MAX ? INT_MAX : (int)left;
}

/* Reaps the child if it has ended. Returns whether it was reaped. */
static bool reap(cp_sync_child *child, bool block)
{
  cp_tree *tree = &child->tree;

  if (!tree->is_reaped) {
    tree->is_reaped = cp_sys_wait(tree->pidfd, tree->pid, block, &child->result->status) == 1;
    child->ended = child->ended || tree->is_reaped;
    if (tree->is_reaped && tree->leads_group) {
      cp_terminal_signals_remove(tree->pid);
    }
  }
  return tree->is_reaped;
}

void cp_sync_child_check(cp_sync_child *child, struct pollfd *polled)
{
  int64_t delay = child->options->wait_delay;

  if (child->ended || !cp_sync_child_is_watched(child)) {
    return;
  }
  if (child->tree.pidfd == -1) {
    reap(child, false);
  } else if (polled->revents != 0) {
    child->ended = true;
    polled->fd = -1;
  }
  if (child->ended && delay != CP_SYNC_NEVER) {
    child->cut_at = after(now(), delay);
  }
}

bool cp_sync_child_is_late(const cp_sync_child *child)
{
  return child->deadline != NEVER && now() >= child->deadline;
}

bool cp_sync_child_is_to_cut(const cp_sync_child *child)
{
  return child->cut_at != NEVER && now() >= child->cut_at;
}

/* Returns what cp_tree_signal returns. */
static int signal_child(cp_sync_child *child, int signum)
{
  if (child->options->spawn.tree) {
    return cp_tree_signal(&child->tree, child->spawner, signum);
  }
  return child->ended ? -ESRCH : cp_sys_signal(child->tree.pidfd, child->tree.pid, signum);
}

/* Sends a signal that is to end the child, and notes if it was refused. Returns whether it was sent
 * to at least one process, or may have been. */
static bool end_child(cp_sync_child *child, int signum)
{
  int r = signal_child(child, signum);

  if (r == -EPERM && reap(child, false)) {
    r = signal_child(child, signum); /* the child had ended, only others can refuse it */
  }
  if (r == -EPERM) {
    child->result->refused = signum;
  } else if (r != -ESRCH) {
    child->result->refused = 0;
  }
  return r != -EPERM && r != -ESRCH;
}

/* Whether SIGKILL may have to follow the signal of the options. */
static bool may_force(const cp_sync_child *child)
{
  return child->options->force_kill_after != CP_SYNC_NEVER &&
         child->options->kill_signal != SIGKILL;
}

void cp_sync_child_kill(cp_sync_child *child)
{
  child->tree.known = may_force(child) ? &child->remembered : NULL;
  if (child->tree.pidfd == -1) {
    /* Another part of the program may have reaped the child, and its id may belong to another
     * process. */
    reap(child, false);
  }
  (void)end_child(child, child->options->kill_signal);
}

static bool has_gone(cp_sync_child *child)
{
  return reap(child, false) && (!child->options->spawn.tree || signal_child(child, 0) == -ESRCH);
}

/* Waits for the end of the child, or a while if only others are left. */
static void rest(cp_sync_child *child, int64_t longest)
{
  struct pollfd polled = {child->tree.pidfd, POLLIN, 0};
  bool reports = !child->tree.is_reaped && polled.fd != -1;

  poll(&polled, reports ? 1 : 0,
       reports && longest < INT_MAX ? (int)longest : take_nap(child, longest));
}

/* Waits until this time. Returns whether what is to end has ended before. */
static bool ends_until(cp_sync_child *child, int64_t until)
{
  int64_t left = 0;

  child->nap = 1;
  while (!has_gone(child) && (left = until - now()) > 0) {
    rest(child, left);
  }
  return left > 0 || has_gone(child);
}

void cp_sync_child_give_time(cp_sync_child *child)
{
  if (child->options->spawn.terminal != NULL) {
    (void)ends_until(child, now() + CP_TERMINAL_TIME_TO_END_MS);
  }
}

/* Sends SIGKILL more than once: meanwhile a process of the tree may have been started. What is
 * still there after that cannot be killed. */
void cp_sync_child_force(cp_sync_child *child)
{
  int64_t until = 0;

  if (!may_force(child)) {
    return;
  }
  until = after(now(), child->options->force_kill_after);
  for (int kills = 0; kills < MOST_KILLS && !ends_until(child, until); kills++) {
    child->result->forced = end_child(child, SIGKILL) || child->result->forced;
    until = now() + KILL_PAUSE_MS;
  }
}

void cp_sync_child_wait(cp_sync_child *child)
{
  reap(child, true);
}

void cp_sync_child_close(cp_sync_child *child)
{
  child->tree.pidfd = cp_fd_close(child->tree.pidfd);
  cp_tree_known_clear(&child->remembered);
}
