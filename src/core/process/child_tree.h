/* The tree of a child, which may outlive it. While something may be left of the tree of a child
 * that has ended, it is in a queue of the loop.
 *
 * A group is known by its number, which can be used again when the group has gone. So where the
 * system can signal a group through the pidfd of its leader, that pidfd stays open as long as the
 * group may be needed. After SIGKILL it is not: nothing can join the group any more, and the
 * processes that have to end are remembered one by one. */
#ifndef CP_CHILD_TREE_H
#define CP_CHILD_TREE_H

#include "core/base/list.h"
#include "core/process/spawner.h"
#include "core/process/tree.h"

/* The trees of children that have ended. */
typedef struct cp_left_trees {
  CP_QUEUE(cp_child_tree) entries;
} cp_left_trees;

typedef struct cp_child_tree {
  CP_QUEUE_ENTRY(cp_child_tree) link;
  cp_left_trees *queue;     /* it is in this one; NULL: in none */
  cp_tree tree;             /* its pidfd is the child's own until the child was reaped */
  cp_tree_known remembered; /* in use if tree.known points to it */
  unsigned checks;          /* how often it was checked in the queue */
  bool is_killed;           /* SIGKILL was sent to all of it */
} cp_child_tree;

void cp_left_trees_init(cp_left_trees *queue);

/* Forgets trees of which nothing is left, a few at a time, as there may be many others. Nothing
 * reports that the last process of a tree has ended. */
void cp_left_trees_check(cp_left_trees *queue, cp_spawner *spawner);

/* In a forked process: forgets all of them, which the original signals. */
void cp_left_trees_give_up(cp_left_trees *queue);

/* For a child that was started, whose pidfd may be -1. The structure must not move afterwards:
 * tree.known may point into it. */
void cp_child_tree_init(cp_child_tree *self, pid_t pid, int pidfd, bool leads_group);

/* Sends a signal as cp_tree_signal does. */
int cp_child_tree_signal(cp_child_tree *self, cp_spawner *spawner, int signum);

/* Sets whether the processes that signals find are remembered, so that later ones reach those that
 * have left the group and whose parents have ended. After SIGKILL they always are. */
void cp_child_tree_remember(cp_child_tree *self, bool on);

/* Call it when the child was reaped. Returns whether the pidfd belongs to the tree from now on. */
bool cp_child_tree_outlive(cp_child_tree *self, cp_left_trees *queue);

/* Whether the child was reaped, and something may be left of its tree. */
bool cp_child_tree_is_left(const cp_child_tree *self);

/* Forgets the tree: no signal reaches it any more. May be called twice. */
void cp_child_tree_forget(cp_child_tree *self);

#endif
