/* The steps, in the order in which the child takes them. */
#include "core/process/spawn_attributes.h"

#include "core/sys/limits.h"
#include "core/sys/process.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

int cp_spawn_set_limits(const cp_spawn_attributes *attributes, int *position)
{
  int r = 0;

  for (int i = 0; i < attributes->limit_count && r == 0; i++) {
    const cp_spawn_limit *limit = &attributes->limits[i];

    r = cp_sys_set_limit(limit->resource, limit->soft, limit->hard);
    *position = i;
  }
  return r;
}

int cp_spawn_set_nice(const cp_spawn_attributes *attributes)
{
  return attributes->set_nice && setpriority(PRIO_PROCESS, 0, attributes->nice) == -1 ? -errno : 0;
}

int cp_spawn_set_affinity(const cp_spawn_attributes *attributes, int *position)
{
  return attributes->cpu_count > 0
             ? cp_sys_set_affinity(attributes->cpus, attributes->cpu_count, position)
             : 0;
}

void cp_spawn_set_umask(const cp_spawn_attributes *attributes)
{
  if (attributes->set_umask) {
    umask(attributes->umask);
  }
}

/* It is no failure if there are no groups to drop. */
int cp_spawn_set_groups(const cp_spawn_attributes *attributes)
{
  int r =
      attributes->set_groups ? cp_sys_set_groups(attributes->group_count, attributes->groups) : 0;

  return r < 0 && attributes->group_count == 0 && getgroups(0, NULL) == 0 ? 0 : r;
}

int cp_spawn_set_no_new_privileges(const cp_spawn_attributes *attributes)
{
  return attributes->no_new_privileges ? cp_sys_refuse_privileges() : 0;
}
