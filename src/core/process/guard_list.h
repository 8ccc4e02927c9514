/* What the guard has to end. Each child has a place, which does not change.
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
  pid_t pid; /* 0 for a free place, -1 for one that is reserved */
  cp_guard_kind kind;
  int pidfd;      /* of an orphan, else -1 */
  bool has_ended; /* the child was reaped, but its group may have members */
} cp_guarded;

/* A list that is all zeros is empty. */
typedef struct cp_guard_list {
  cp_guarded *entries;
  atomic_size_t count; /* of the children */
  size_t taken;        /* places with children, and those that are reserved */
  size_t end;          /* all places from this one on are free */
  size_t capacity;
} cp_guard_list;

/* Reserves a place, so that cp_guard_list_add cannot fail. Returns 0 or -ENOMEM. */
int cp_guard_list_reserve(cp_guard_list *list, size_t *place);

/* Adds a child in a reserved place. */
void cp_guard_list_add(cp_guard_list *list, size_t place, pid_t pid, cp_guard_kind kind);

/* Gives up a reserved place, or takes off the child in it. */
void cp_guard_list_remove(cp_guard_list *list, size_t place);

/* Store the place of the child with this id, or this pidfd, and return true; or return false. */
bool cp_guard_list_find(const cp_guard_list *list, pid_t pid, size_t *place);
bool cp_guard_list_find_orphan(const cp_guard_list *list, int pidfd, size_t *place);

/* Takes off all children, and gives up all places. */
void cp_guard_list_clear(cp_guard_list *list);

/* Whether nothing is left to be ended: the child was reaped, and its group has no members. */
bool cp_guarded_is_over(const cp_guarded *entry);

#endif
