/* What processes use while they run. */
#ifndef CP_STATS_H
#define CP_STATS_H

#include "core/process/tree.h"

#include <stdint.h>
#include <sys/types.h>

typedef struct cp_stats {
  int64_t processor_time; /* microseconds, of all threads since the start */
  int64_t resident;       /* KiB of memory */
  int threads;
  int processes;
  char state; /* see cp_process_info */
} cp_stats;

/* Reads the stats of a process. Returns -ESRCH if there is none, or -ENOSYS on systems that do not
 * list processes. */
int cp_stats_read(pid_t pid, cp_stats *stats);

/* Reads the stats of a running child, and adds those of the other processes of its tree, with the
 * processor time of descendants that these and the child have waited for. The state is that of the
 * child. */
int cp_stats_read_tree(const cp_tree *tree, cp_stats *stats);

#endif
