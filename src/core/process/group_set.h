/* A set of process groups that a signal handler can walk while threads change it.
 *
 * The handler takes no lock and nothing is freed, so it always finds a consistent set. The callers
 * of all functions but cp_group_set_signal hold a lock of their own. */
#ifndef CP_GROUP_SET_H
#define CP_GROUP_SET_H

#include <stdatomic.h>
#include <sys/types.h>

enum { CP_GROUP_SET_CHUNK = 64 };

typedef struct cp_group_chunk {
  _Atomic(pid_t) groups[CP_GROUP_SET_CHUNK]; /* 0: free, -1: reserved */
  _Atomic(struct cp_group_chunk *) next;
} cp_group_chunk;

/* A set that is all zeros is empty. */
typedef struct cp_group_set {
  cp_group_chunk first;
  int count; /* with the reserved places */
} cp_group_set;

/* Reserves a place, so that cp_group_set_add cannot fail. Returns 0 or -ENOMEM. */
int cp_group_set_reserve(cp_group_set *set);

/* Gives up a reserved place. */
void cp_group_set_cancel(cp_group_set *set);

/* Adds a group, in a reserved place. */
void cp_group_set_add(cp_group_set *set, pid_t group);

/* Removes a group, if it is in the set. */
void cp_group_set_remove(cp_group_set *set, pid_t group);

/* Removes all groups and reservations. */
void cp_group_set_clear(cp_group_set *set);

/* Sends a signal to all groups. Safe in signal handlers. */
void cp_group_set_signal(const cp_group_set *set, int signum);

#endif
