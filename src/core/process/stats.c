/* Reads what the system records about each process. */
#include "core/process/stats.h"

#include "core/process/tree_search.h"
#include "core/sys/processes.h"

/* Stores the stats of a process, with the processor time of descendants that it has waited for if
 * `waited` is set. */
static int read_stats(pid_t pid, bool waited, cp_stats *stats)
{
  cp_process_info info;
  int64_t time = cp_process_processor_time(pid);
  int r = time < 0 ? (int)time : cp_process_read(pid, &info);

  if (r == 0) {
    *stats = (cp_stats){
        .processor_time = time + (waited ? info.waited_time : 0),
        .resident = info.resident,
        .threads = info.threads,
        .processes = 1,
        .state = info.state,
    };
  }
  return r;
}

int cp_stats_read(pid_t pid, cp_stats *stats)
{
  return read_stats(pid, false, stats);
}

static void add(cp_stats *sum, const cp_stats *stats)
{
  sum->processor_time += stats->processor_time;
  sum->resident += stats->resident;
  sum->threads += stats->threads;
  sum->processes += stats->processes;
}

int cp_stats_read_tree(const cp_tree *tree, cp_stats *stats)
{
  cp_tree_members members;
  cp_stats other;
  int r = read_stats(tree->pid, true, stats);

  if (r < 0) {
    return r;
  }
  r = cp_tree_search(&members, tree, 0);
  for (size_t i = 0; i < members.count && r == 0; i++) {
    pid_t pid = members.list[i].pid;

    if (pid != tree->pid && read_stats(pid, true, &other) == 0) {
      add(stats, &other);
    }
  }
  cp_tree_members_free(&members);
  return r;
}
