/* The tree of a child: the child itself, the members of the process group that it leads (if it
 * does), and all descendants of these. A process that has left the group and whose parent has ended
 * is out of reach, as nothing connects it with the child any more, unless it is known from an
 * earlier search. On systems that do not list processes the tree is the child and its group,
 * or the child alone if it leads none. */
#ifndef CP_TREE_H
#define CP_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The members that an earlier search has found (tree_members.h). All zeros: none. */
typedef struct cp_tree_known {
  struct cp_tree_member *list;
  size_t count;
} cp_tree_known;

typedef struct cp_tree {
  pid_t pid;            /* of the child */
  int pidfd;            /* of the child, also after it was reaped; -1: none */
  bool uses_pidfds;     /* for the other processes, too */
  bool leads_group;     /* the child was started as the leader of a group, whose id is `pid` */
  bool is_reaped;       /* its id may belong to another process */
  cp_tree_known *known; /* of the tree, too; NULL: no member is to be remembered */
} cp_tree;

#endif
