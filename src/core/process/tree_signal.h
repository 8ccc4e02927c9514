/* Signals to a child and everything that it has started. */
#ifndef CP_TREE_SIGNAL_H
#define CP_TREE_SIGNAL_H

#include "core/process/spawner.h"
#include "core/process/tree.h"

#include <stdbool.h>

/* Sends a signal to all processes of the tree that have not ended, once to each, and remembers them
 * if `tree->known` is set. Clears `tree->leads_group` if the group has gone. 0 only asks whether
 * there are any. Returns 0 if at least one got it; -ESRCH if none is left; -EPERM if we may signal
 * none of them. When out of memory or of descriptors, signals the group, the child, and those that
 * were found, and returns that error.
 *
 * Processes are stopped for a moment, so that none can start another one unseen or lose its parent,
 * unless the signal itself stops or continues processes. */
int cp_tree_signal(cp_tree *tree, cp_spawner *spawner, int signum);

/* Whether the group that a reaped child has led has members. Ended processes count until their
 * parents reap them. Once it has none, it is gone for good, and its id may be used again. */
bool cp_tree_has_group(const cp_tree *tree);

/* Whether something may be left of the tree of a reaped child: members of its group, or processes
 * that are known of it. Clears `tree->leads_group` if the group has gone. */
bool cp_tree_is_left(cp_tree *tree);

/* Whether the pidfd is of use after the child was reaped: the system can signal a group by it. */
bool cp_tree_needs_pidfd(const cp_tree *tree);

#endif
