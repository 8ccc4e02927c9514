/* The clock by which Linux tells in /proc when processes were started. The build for POSIX needs
 * it, too, for the guard reads /proc where there is one. */
#include "core/sys/processes.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

enum { NANOSECONDS = 1000000000 }; /* in a second */

uint64_t cp_process_clock(void)
{
#ifdef CLOCK_BOOTTIME
  uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);
  struct timespec now;

  clock_gettime(CLOCK_BOOTTIME, &now);
  return (uint64_t)now.tv_sec * ticks + (uint64_t)now.tv_nsec / (NANOSECONDS / ticks);
#else
  return 0;
#endif
}

bool cp_process_clock_is_shared(void)
{
  char own[64];
  char of_children[64];
  ssize_t length = readlink("/proc/self/ns/time", own, sizeof(own));

  return length == readlink("/proc/self/ns/time_for_children", of_children, sizeof(of_children)) &&
         (length == -1 || memcmp(own, of_children, (size_t)length) == 0);
}
