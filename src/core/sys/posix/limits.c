/* Each system has a type of its own for the values of limits. */
#include "core/sys/limits.h"

#include <errno.h>
#include <sys/resource.h>

/* The number is an int, and in glibc an enum without a sign: this type is converted to both. */
static uint8_t number_of(int resource)
{
  return (uint8_t)resource;
}

static rlim_t limit_of(uint64_t value)
{
  return value == CP_SYS_UNLIMITED ? RLIM_INFINITY : (rlim_t)value;
}

static uint64_t value_of(rlim_t limit)
{
  return limit == RLIM_INFINITY ? CP_SYS_UNLIMITED : (uint64_t)limit;
}

int cp_sys_set_limit(int resource, uint64_t soft, uint64_t hard)
{
  const struct rlimit limit = {limit_of(soft), limit_of(hard)};

  return setrlimit(number_of(resource), &limit) == -1 ? -errno : 0;
}

int cp_sys_get_limit(int resource, uint64_t *soft, uint64_t *hard)
{
  struct rlimit limit = {0, 0};
  int r = getrlimit(number_of(resource), &limit) == -1 ? -errno : 0;

  *soft = value_of(limit.rlim_cur);
  *hard = value_of(limit.rlim_max);
  return r;
}
