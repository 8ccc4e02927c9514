/* Child processes, from the start until they are reaped.
 *
 * The loop watches a child through a pidfd. So it needs no signal handler, leaves other code's
 * children alone, and never sends a signal to another process that has the same id by now. On
 * systems without pidfds it handles SIGCHLD, and checks each child by its id. */
#ifndef CP_CHILD_H
#define CP_CHILD_H

#include "core/base/list.h"
#include "core/loop/deferred.h"
#include "core/loop/loop.h"
#include "core/loop/watch.h"
#include "core/process/child_tree.h"
#include "core/process/sigchld.h"
#include "core/process/spawn.h"
#include "core/process/stats.h"
#include "core/sys/process.h"

/* The children of a loop. */
typedef struct cp_children {
  cp_loop *loop;
  cp_spawner *spawner;
  cp_sigchld sigchld;   /* started while there is a running child without a pidfd */
  cp_deferred deferred; /* to check those that the last run has not checked */
  CP_LIST(cp_child) running;
  CP_LIST(cp_child) foreign; /* in a forked process: running children of the original */
  cp_left_trees trees;       /* of children that have ended */
} cp_children;

void cp_children_init(cp_children *children, cp_loop *loop, cp_spawner *spawner);

/* Call it before the loop is destroyed, after all children are released. */
void cp_children_close(cp_children *children);

/* In a forked process: marks all children as foreign, since the original started them. */
void cp_children_give_up(cp_children *children);

/* Removes a foreign child from the list and returns its owner, or NULL if none is left. */
void *cp_children_take_foreign(cp_children *children);

/* Calls `visit` with the owner of each running child that keeps the loop alive although no watch
 * does: those without a pidfd, for which the handler of SIGCHLD stands. */
void cp_children_visit_unwatched(const cp_children *children,
                                 void (*visit)(void *argument, void *owner), void *argument);

/* Called once, when the child has ended and was reaped. */
typedef void (*cp_child_exit_cb)(void *owner, cp_exit_status status);

typedef struct cp_child {
  cp_children *children;        /* NULL until it is started */
  CP_LIST_ENTRY(cp_child) link; /* in one of the lists of `children`, or in none */
  cp_watch watch;
  cp_child_exit_cb on_exit;
  void *owner;
  pid_t pid;
  int pidfd; /* -1 after the child has ended, and if it has none */
  cp_child_tree tree;
  bool running;
  bool referenced;
  bool is_foreign; /* the process from which this one was forked started it */
  bool is_listed;
} cp_child;

/* Starts a program as cp_spawn does and watches it. On failure returns a negative errno and fills
 * `failure`. */
int cp_child_start(cp_child *child, cp_children *children, const cp_spawn_options *options,
                   cp_child_exit_cb on_exit, void *owner, cp_spawn_failure *failure);

/* Whether cp_child_start was called. Returns false for a child that is all zeros. */
bool cp_child_was_started(const cp_child *child);

pid_t cp_child_pid(const cp_child *child);

/* Sends a signal, 0 to probe, which succeeds for processes that we may not signal, too. Returns
 * -ESRCH after the child has ended, and for a foreign child. */
int cp_child_kill(cp_child *child, int signum);

/* The same for the tree of the child (tree.h), which may outlive the child. */
int cp_child_kill_tree(cp_child *child, int signum);

/* Sets whether cp_child_kill_tree remembers the processes that it has reached (child_tree.h). */
void cp_child_remember_tree(cp_child *child, bool on);

/* Reads what the running child uses, or its whole tree. Returns -ESRCH after the child has ended,
 * and for a foreign child; -ENOTSUP if the system does not report it. */
int cp_child_stats(cp_child *child, bool tree, cp_stats *stats);

/* Sets whether the running child keeps the loop alive. It does by default. */
void cp_child_reference(cp_child *child, bool referenced);

/* Stops watching a child. If it is running, it keeps running, and is reaped when it ends. May be
 * called twice. */
void cp_child_release(cp_child *child);

/* Whether the process from which this one was forked started the child. */
bool cp_child_is_foreign(cp_child *child);

#endif
