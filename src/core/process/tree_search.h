/* Finds the processes of a tree.
 *
 * The search can stop each process, parents before their children. A stopped process starts no
 * other one, and does not end, so its children keep their parent. So the search ends, even in a
 * tree that grows as fast as it can.
 *
 * What a process starts while it blocks the signal that follows would not get it: a shell blocks
 * signals while it starts a program. So such a process is stopped later, when it takes the signal,
 * or waits for something. */
#ifndef CP_TREE_SEARCH_H
#define CP_TREE_SEARCH_H

#include "core/process/tree_members.h"

/* Finds all processes of the tree that have not ended, those that are known of it (cp_tree) first,
 * and stops them if `signum`, the signal that they are to get, is not 0. Free the members
 * afterwards. Returns 0, or the error that has ended the search early: -ENOMEM, -EMFILE or -ENFILE.
 * If the system lists no processes, finds none. */
int cp_tree_search(cp_tree_members *members, const cp_tree *tree, int signum);

#endif
