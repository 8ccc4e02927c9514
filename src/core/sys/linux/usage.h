/* The struct in which system calls of Linux report the usage of a process. */
#ifndef CP_LINUX_USAGE_H
#define CP_LINUX_USAGE_H

#include "core/sys/usage.h"

#include <linux/posix_types.h>

/* The C library's struct rusage differs from it where long has 32 bits and time_t has 64. */
typedef struct kernel_usage {
  __kernel_long_t user_seconds, user_microseconds;
  __kernel_long_t system_seconds, system_microseconds;
  __kernel_long_t peak; /* KiB */
  __kernel_long_t unused[3];
  __kernel_long_t minor_faults, major_faults, swaps;
  __kernel_long_t blocks_read, blocks_written;
  __kernel_long_t messages_sent, messages_received, signals;
  __kernel_long_t voluntary_switches, involuntary_switches;
} kernel_usage;

/* The value before a call. Some emulators and sandboxes leave the struct as it is. */
#define KERNEL_USAGE_UNKNOWN ((kernel_usage){.peak = -1})

cp_usage cp_usage_from_kernel(const kernel_usage *usage);

#endif
