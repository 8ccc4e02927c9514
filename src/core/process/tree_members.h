/* The processes of a tree that were found (tree_search.h), and signals to each of them. */
#ifndef CP_TREE_MEMBERS_H
#define CP_TREE_MEMBERS_H

#include "core/process/tree.h"
#include "core/sys/processes.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct cp_tree_member {
  pid_t pid;
  uint64_t start; /* tells it from a later process with the same id */
  bool is_held;   /* we have stopped it */
  bool goes_on;   /* but it runs until it does not block the signal any more */
  bool waits;     /* it blocks the signal while it waits for something */
  bool stands_still;
  bool is_done; /* it stood still before its children were listed */
} cp_tree_member;

typedef struct cp_tree_members {
  const cp_tree *tree;
  int signum;       /* the signal that they are stopped for; 0: they are not stopped */
  bool has_zombies; /* members that have ended, which the list leaves out, have yet to be reaped */
  cp_tree_member *list; /* each after its parent */
  size_t count;
  size_t capacity;
  size_t held; /* number of those that we have stopped */
} cp_tree_members;

/* Adds a process, and stops it if the members are to be stopped and it is not. `pidfd` may be -1.
 * Returns 0 or -ENOMEM. */
int cp_tree_members_add(cp_tree_members *members, const cp_process_info *info, int pidfd);

/* Returns the member with this id, or NULL. */
const cp_tree_member *cp_tree_members_get(const cp_tree_members *members, pid_t pid);

/* Leaves the list to what is known of the tree, if members are to be remembered. After a search
 * that failed, keeps the former list unless the new one is longer. */
void cp_tree_members_remember(cp_tree_members *members, bool is_complete);

/* Frees the list, unless it was left to the tree. */
void cp_tree_members_free(cp_tree_members *members);

/* Whether the process is still listed, and is not a later one with the same id. */
bool cp_tree_member_is_listed(const cp_tree_member *member);

/* Whether the member is in the group that the child leads. */
bool cp_tree_member_is_in_group(const cp_tree_members *members, const cp_tree_member *member);

/* Sends a signal to a member, but to no later process with the same id. */
int cp_tree_member_signal(const cp_tree_members *members, const cp_tree_member *member, int signum);

/* Opens a pidfd of a process, or stores -1 if pidfds are not to be used, and then reads about the
 * process. In this order: if the process ended in between, and another one got its id, the pidfd
 * would not signal that one. The caller closes the pidfd. */
int cp_tree_members_open(const cp_tree_members *members, pid_t pid, int *pidfd,
                         cp_process_info *info);

/* Whether one of them has not ended. */
bool cp_tree_known_is_alive(const cp_tree_known *known);

/* Forgets them. */
void cp_tree_known_clear(cp_tree_known *known);

#endif
