/* Converts what getrusage(2) reports, and asks for that of this process. */
#include "core/sys/posix/usage.h"

#include <errno.h>

enum { MICROSECONDS = 1000000 }; /* in a second */

#ifdef __APPLE__
enum { PEAK_UNITS = 1024 }; /* in a KiB */
#else
enum { PEAK_UNITS = 1 };
#endif

static int64_t microseconds(const struct timeval *time)
{
  return (int64_t)time->tv_sec * MICROSECONDS + time->tv_usec;
}

cp_usage cp_usage_from_library(const struct rusage *usage)
{
  return (cp_usage){
      .is_known = true,
      .user_time = microseconds(&usage->ru_utime),
      .system_time = microseconds(&usage->ru_stime),
      .peak = usage->ru_maxrss / PEAK_UNITS,
      .minor_faults = usage->ru_minflt,
      .major_faults = usage->ru_majflt,
      .blocks_read = usage->ru_inblock,
      .blocks_written = usage->ru_oublock,
      .voluntary_switches = usage->ru_nvcsw,
      .involuntary_switches = usage->ru_nivcsw,
  };
}

cp_usage cp_sys_own_usage(void)
{
  struct rusage usage;

  return getrusage(RUSAGE_SELF, &usage) == 0 ? cp_usage_from_library(&usage) : (cp_usage){0};
}

int64_t cp_sys_own_peak(void)
{
  return -ENOTSUP;
}

int64_t cp_sys_own_peak_bound(void)
{
  return -ENOTSUP;
}
