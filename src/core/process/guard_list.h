/* What the guard has to end. The next guard gets all of it, and what has gone is taken off.
 *
 * The callers hold a lock of their own, except to compare `count` with 0. */
#ifndef CP_GUARD_LIST_H
#define CP_GUARD_LIST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What the guard ends. */
typedef enum cp_guard_kind {
  CP_GUARD_PROCESS, /* the child alone */
  CP_GUARD_TREE,    /* its descendants, too, and the process group that it may lead */
} cp_guard_kind;

typedef struct cp_guarded {
  pid_t pid;
  cp_guard_kind kind;
  int pidfd;      /* of an orphan, else -1 */
  bool has_ended; /* the child was reaped, but its group may have members */
} cp_guarded;

/* A list that is all zeros is empty. */
typedef struct cp_guard_list {
  cp_guarded *entries;
  atomic_size_t count;
  size_t capacity;
  size_t reserved; /* places for children that are being started */
} cp_guard_list;

/* Reserves a place, so that cp_guard_list_add cannot fail. Returns 0 or -ENOMEM. */
int cp_guard_list_reserve(cp_guard_list *list);

/* Gives up a reserved place. */
void cp_guard_list_cancel(cp_guard_list *list);

/* Adds a child in a reserved place. An ended child that had the same id is taken off. */
void cp_guard_list_add(cp_guard_list *list, pid_t pid, cp_guard_kind kind);

/* Return the child with this id, or this pidfd, or NULL. */
cp_guarded *cp_guard_list_find(cp_guard_list *list, pid_t pid);
cp_guarded *cp_guard_list_find_orphan(cp_guard_list *list, int pidfd);

/* Takes off a child. The others may move. */
void cp_guard_list_remove(cp_guard_list *list, cp_guarded *entry);

/* Takes off all children, and gives up all places. */
void cp_guard_list_clear(cp_guard_list *list);

/* Whether nothing is left to be ended: the child was reaped, and its group has no members. */
bool cp_guarded_is_over(const cp_guarded *entry);

#endif
