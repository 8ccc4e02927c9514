/* What a process has used, as getrusage(2) counts it. See sys.h. */
#ifndef CP_USAGE_H
#define CP_USAGE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct cp_usage {
  bool is_known;     /* the other fields are valid */
  int64_t user_time; /* microseconds of processor time */
  int64_t system_time;
  int64_t peak;         /* KiB of memory that were resident at the same time */
  int64_t minor_faults; /* page faults that needed no input, and that did */
  int64_t major_faults;
  int64_t blocks_read; /* inputs and outputs of file systems, in blocks of 512 bytes */
  int64_t blocks_written;
  int64_t voluntary_switches; /* the process waited for something, or others had their turn */
  int64_t involuntary_switches;
} cp_usage;

/* Returns the usage of this process, all of its threads included. The peak may be that of the
 * process which started this one: see core/process/peak.h. */
cp_usage cp_sys_own_usage(void);

/* Returns the peak of this program alone, in KiB, or -ENOTSUP if the system does not report it. */
int64_t cp_sys_own_peak(void);

/* The same, with as much added as the system may have been wrong when it noted a peak. */
int64_t cp_sys_own_peak_bound(void);

#endif
