/* What a child may use and who it is, beyond uid and gid: rarely used options of a start, and the
 * steps with which the child carries them out. See spawn_child.h for what they may do. */
#ifndef CP_SPAWN_ATTRIBUTES_H
#define CP_SPAWN_ATTRIBUTES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct cp_spawn_limit {
  int resource; /* RLIMIT_CPU, ... */
  uint64_t soft, hard;
} cp_spawn_limit;

typedef struct cp_spawn_attributes {
  const cp_spawn_limit *limits;
  int limit_count;
  bool set_nice, set_umask, set_groups;
  int nice; /* the niceness itself, not what to add to ours */
  mode_t umask;
  const int *cpus;     /* the numbers of those to run on, from 0 */
  int cpu_count;       /* 0: all on which we run */
  const gid_t *groups; /* the supplementary groups */
  int group_count;
  bool no_new_privileges; /* programs get no rights by set-user-id bits and the like */
} cp_spawn_attributes;

/* Each returns 0 or a negative errno, and does nothing if its option is not set. */

/* On failure stores the position of the limit. */
int cp_spawn_set_limits(const cp_spawn_attributes *attributes, int *position);
int cp_spawn_set_nice(const cp_spawn_attributes *attributes);
/* If the child may not run on one of the CPUs, returns -EINVAL and stores its position. */
int cp_spawn_set_affinity(const cp_spawn_attributes *attributes, int *position);
void cp_spawn_set_umask(const cp_spawn_attributes *attributes);
int cp_spawn_set_groups(const cp_spawn_attributes *attributes);
int cp_spawn_set_no_new_privileges(const cp_spawn_attributes *attributes);

#endif
