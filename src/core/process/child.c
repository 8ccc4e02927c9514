/* Starts children, notices that they have ended, and reaps them. */
#include "core/process/child.h"

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/base/owned.h"
#include "core/process/guard.h"
#include "core/process/orphans.h"
#include "core/process/terminal_signals.h"

#include <errno.h>

static void enlist(cp_child *child, bool is_foreign)
{
  CP_ASSERT(!child->is_listed);
  if (is_foreign) {
    CP_LIST_INSERT(&child->children->foreign, child, link);
  } else {
    CP_LIST_INSERT(&child->children->running, child, link);
  }
  child->is_foreign = is_foreign;
  child->is_listed = true;
}

static void unlist(cp_child *child)
{
  if (child->is_listed) {
    CP_LIST_REMOVE(child, link);
    child->is_listed = false;
  }
}

/* Handles SIGCHLD only while a child has no pidfd. The handler keeps the loop alive if one of those
 * children does. */
static void update_sigchld(cp_children *children)
{
  const cp_child *child = NULL;
  bool needed = false;
  bool referenced = false;

  if (!cp_sigchld_is_started(&children->sigchld)) {
    return;
  }
  CP_LIST_FOREACH(child, &children->running, link)
  {
    if (child->pidfd == -1) {
      needed = true;
      referenced = referenced || child->referenced;
    }
  }
  if (needed) {
    cp_sigchld_reference(&children->sigchld, referenced);
  } else {
    cp_sigchld_stop(&children->sigchld);
  }
}

static void stop_watching(cp_child *child)
{
  CP_ASSERT(child->running && child->is_listed);
  cp_orphans_reap();
  child->running = false;
  unlist(child);
  cp_watch_close(&child->watch);
  child->pidfd = cp_fd_close(child->pidfd);
  update_sigchld(child->children);
}

static void stop_terminal_signals(const cp_child *child)
{
  if (child->tree.tree.leads_group) {
    cp_terminal_signals_remove(child->pid);
  }
}

/* The child was reaped. The pidfd may still stand for its group. */
static void leave_tree(cp_child *child)
{
  stop_terminal_signals(child);
  cp_left_trees_check(&child->children->trees, child->children->spawner);
  if (cp_child_tree_outlive(&child->tree, &child->children->trees)) {
    child->pidfd = -1;
  }
}

/* Reaps the child if it has ended, and reports that.
 *
 * The exit cannot be missed. A pidfd becomes readable when the child turns into a zombie, and stays
 * readable. The poller is level-triggered, so the child may end before the watch is opened. Without
 * a pidfd, the handler of SIGCHLD is set before the child is made. libuv's handler only records the
 * signal, and the callback runs in a later iteration, when the child is in the list. Signals of
 * children that end together may merge into one, so the callback checks every child.
 *
 * Other code's children stay unreaped, since this waits for one child only. A child keeps its
 * process id until it is reaped. Only this function and orphans.c reap it, and cp_child_kill sends
 * no signal afterwards, since the child is no longer `running`. If other code waits for any child
 * and is faster, a pidfd still refers to the ended child, and a signal fails with ESRCH. Only
 * without a pidfd could a signal reach a process that has the same id by now. */
static bool reap(cp_child *child)
{
  cp_exit_status status;

  if (cp_sys_wait(child->pidfd, child->pid, false, &status) == 0) {
    return false;
  }
  cp_guard_child_ended(child->pid);
  leave_tree(child);
  stop_watching(child);
  child->on_exit(child->owner, status);
  return true;
}

static void on_readable(void *owner, int events)
{
  (void)events;
  (void)reap(owner);
}

static void on_sigchld(void *owner)
{
  cp_children *children = owner;
  cp_child *child = CP_LIST_FIRST(&children->running);

  while (child != NULL) {
    if (cp_defer_if_ending(children->loop, &children->deferred)) {
      cp_sigchld_repeat(&children->sigchld);
      return;
    }
    /* A callback may start or release any child, so the walk starts again. */
    child = child->pidfd == -1 && reap(child) ? CP_LIST_FIRST(&children->running)
                                              : CP_LIST_NEXT(child, link);
  }
}

void cp_children_init(cp_children *children, cp_loop *loop, cp_spawner *spawner)
{
  *children = (cp_children){
      .loop = loop,
      .spawner = spawner,
      .deferred = {.callback = on_sigchld, .owner = children},
  };
  CP_LIST_INIT(&children->running);
  CP_LIST_INIT(&children->foreign);
  cp_left_trees_init(&children->trees);
  cp_sigchld_init(&children->sigchld, loop, on_sigchld, children);
}

void cp_children_close(cp_children *children)
{
  CP_ASSERT(CP_LIST_IS_EMPTY(&children->running) && CP_QUEUE_IS_EMPTY(&children->trees.entries));
  cp_deferred_remove(children->loop, &children->deferred);
  cp_sigchld_stop(&children->sigchld);
}

void cp_children_give_up(cp_children *children)
{
  cp_child *child = NULL;

  while ((child = CP_LIST_FIRST(&children->running)) != NULL) {
    stop_watching(child);
    cp_child_tree_forget(&child->tree);
    enlist(child, true);
  }
  cp_left_trees_give_up(&children->trees);
}

void *cp_children_take_foreign(cp_children *children)
{
  cp_child *child = CP_LIST_FIRST(&children->foreign);

  if (child == NULL) {
    return NULL;
  }
  unlist(child);
  return child->owner;
}

void cp_children_visit_unwatched(const cp_children *children,
                                 void (*visit)(void *argument, void *owner), void *argument)
{
  const cp_child *child = NULL;

  CP_LIST_FOREACH(child, &children->running, link)
  {
    if (child->pidfd == -1 && child->referenced) {
      visit(argument, child->owner);
    }
  }
}

static int watch(cp_child *child)
{
  cp_owned_add(child->pidfd);
  cp_watch_open(&child->watch, child->children->loop, child->pidfd, false, on_readable, child);
  return cp_watch_set(&child->watch, CP_WATCH_READ, true);
}

int cp_child_start(cp_child *child, cp_children *children, const cp_spawn_options *options,
                   cp_child_exit_cb on_exit, void *owner, cp_spawn_failure *failure)
{
  int r = 0;

  *child = (cp_child){
      .children = children,
      .on_exit = on_exit,
      .owner = owner,
      .pidfd = -1,
      .referenced = true,
  };
  cp_left_trees_check(&children->trees, children->spawner);
  if (!cp_spawner_has_pidfd(children->spawner)) {
    /* Before the child can end. */
    r = cp_sigchld_start(&children->sigchld);
    *failure = (cp_spawn_failure){.error = r, .fd = -1};
  }
  if (r == 0) {
    r = cp_spawn(children->spawner, options, &child->pid, &child->pidfd, failure);
  }
  if (r < 0) {
    update_sigchld(children);
    return r;
  }
  if (child->pidfd != -1 && watch(child) < 0) {
    cp_watch_close(&child->watch);
    child->pidfd = cp_fd_close(child->pidfd);
  }
  if (child->pidfd == -1) {
    /* The program is running already, so a failure here must not end the start. */
    (void)cp_sigchld_start(&children->sigchld);
  }
  child->running = true;
  cp_child_tree_init(&child->tree, child->pid, child->pidfd, cp_spawn_leads_group(options));
  enlist(child, false);
  update_sigchld(children);
  return 0;
}

bool cp_child_was_started(const cp_child *child)
{
  return child->children != NULL;
}

pid_t cp_child_pid(const cp_child *child)
{
  return child->pid;
}

/* The result of a signal. 0 only asks whether anything is left, and what refuses it is left. */
static int signalled(int signum, int r)
{
  return signum == 0 && r == -EPERM ? 0 : r;
}

int cp_child_kill(cp_child *child, int signum)
{
  return child->running && !cp_child_is_foreign(child)
             ? signalled(signum, cp_sys_signal(child->pidfd, child->pid, signum))
             : -ESRCH;
}

static bool has_tree(cp_child *child)
{
  return cp_child_was_started(child) && !cp_child_is_foreign(child) &&
         (child->running || cp_child_tree_is_left(&child->tree));
}

int cp_child_kill_tree(cp_child *child, int signum)
{
  if (!has_tree(child)) {
    return -ESRCH;
  }
  return signalled(signum, cp_child_tree_signal(&child->tree, child->children->spawner, signum));
}

void cp_child_remember_tree(cp_child *child, bool on)
{
  if (has_tree(child)) {
    cp_child_tree_remember(&child->tree, on);
  }
}

static int read_stats(const cp_child *child, bool whole, cp_stats *stats)
{
  return whole ? cp_stats_read_tree(&child->tree.tree, stats) : cp_stats_read(child->pid, stats);
}

int cp_child_stats(cp_child *child, bool tree, cp_stats *stats)
{
  cp_spawner *spawner = NULL;
  int r = 0;

  if (!child->running || cp_child_is_foreign(child)) {
    return -ESRCH;
  }
  spawner = child->children->spawner;
  r = read_stats(child, tree, stats);
  if ((r == -EMFILE || r == -ENFILE) && cp_spawner_lend(spawner)) {
    r = read_stats(child, tree, stats);
    cp_spawner_take_back(spawner);
  }
  /* The system may hide processes of other users. */
  if (r == -ENOSYS || (r == -ESRCH && cp_child_kill(child, 0) != -ESRCH)) {
    return -ENOTSUP;
  }
  return r;
}

void cp_child_reference(cp_child *child, bool referenced)
{
  if (child->running && cp_child_is_foreign(child)) {
    return;
  }
  child->referenced = referenced;
  if (cp_watch_is_open(&child->watch)) {
    cp_watch_set(&child->watch, CP_WATCH_READ, referenced);
  } else if (child->running) {
    update_sigchld(child->children);
  }
}

void cp_child_release(cp_child *child)
{
  int pidfd = -1;

  if (!cp_child_was_started(child)) {
    return;
  }
  if (cp_child_is_foreign(child)) {
    unlist(child);
  }
  if (!child->running) {
    cp_child_tree_forget(&child->tree);
    return;
  }
  pidfd = child->pidfd;
  child->pidfd = -1;
  stop_watching(child);
  stop_terminal_signals(child);
  cp_child_tree_forget(&child->tree);
  cp_orphans_adopt(child->pid, pidfd);
}

bool cp_child_is_foreign(cp_child *child)
{
  cp_loop_claim(child->children->loop);
  return child->is_foreign;
}
