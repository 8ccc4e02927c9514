/* Converts what the kernel reports, and asks for that of this process. */
#include "core/sys/linux/usage.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MICROSECONDS = 1000000 }; /* in a second */

cp_usage cp_usage_from_kernel(const kernel_usage *usage)
{
  return (cp_usage){
      .is_known = usage->peak != -1,
      .user_time = (int64_t)usage->user_seconds * MICROSECONDS + usage->user_microseconds,
      .system_time = (int64_t)usage->system_seconds * MICROSECONDS + usage->system_microseconds,
      .peak = usage->peak,
      .minor_faults = usage->minor_faults,
      .major_faults = usage->major_faults,
      .blocks_read = usage->blocks_read,
      .blocks_written = usage->blocks_written,
      .voluntary_switches = usage->voluntary_switches,
      .involuntary_switches = usage->involuntary_switches,
  };
}

cp_usage cp_sys_own_usage(void)
{
  kernel_usage usage = KERNEL_USAGE_UNKNOWN;

  syscall(SYS_getrusage, RUSAGE_SELF, &usage);
  return cp_usage_from_kernel(&usage);
}

/* Reads a number of /proc/self/status. */
static int64_t read_status(const char *format)
{
  FILE *file = fopen("/proc/self/status", "re");
  char line[256];
  long long number = -ENOTSUP;

  while (file != NULL && fgets(line, sizeof(line), file) != NULL &&
         sscanf(line, format, &number) != 1) {
  }
  if (file != NULL) {
    fclose(file);
  }
  return number;
}

/* The kernel keeps this peak with the memory, which a program has for itself. */
int64_t cp_sys_own_peak(void)
{
  return read_status("VmHWM: %lld");
}

/* The kernel counts three kinds of pages, and adds up each kind only now and then: when a thread
 * has changed it by 64 pages (before 6.2), or a processor by 32 or by twice the number of
 * processors. */
int64_t cp_sys_own_peak_bound(void)
{
  enum { KINDS = 3, FOR_THREAD = 64, FOR_PROCESSOR = 32 };
  int64_t peak = cp_sys_own_peak();
  int64_t threads = read_status("Threads: %lld");
  int64_t processors = sysconf(_SC_NPROCESSORS_CONF);
  int64_t for_processor = processors * 2 > FOR_PROCESSOR ? processors * 2 : FOR_PROCESSOR;
  int64_t pages = threads * FOR_THREAD > processors * for_processor ? threads * FOR_THREAD
                                                                    : processors * for_processor;

  return peak < 0 || threads < 0 ? -ENOTSUP : peak + KINDS * pages * (sysconf(_SC_PAGESIZE) / 1024);
}
