/* Raw system calls, see child.c: their limits have 64 bits on all processors. */
#include "core/sys/limits.h"

#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct limit64 {
  uint64_t soft, hard;
} limit64;

int cp_sys_set_limit(int resource, uint64_t soft, uint64_t hard)
{
  const limit64 limit = {soft, hard};

  return syscall(SYS_prlimit64, 0, resource, &limit, NULL) == -1 ? -errno : 0;
}

int cp_sys_get_limit(int resource, uint64_t *soft, uint64_t *hard)
{
  limit64 limit = {0, 0};
  int r = syscall(SYS_prlimit64, 0, resource, NULL, &limit) == -1 ? -errno : 0;

  *soft = limit.soft;
  *hard = limit.hard;
  return r;
}
