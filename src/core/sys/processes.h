/* Other processes, as the system lists them. See sys.h.
 *
 * On systems that have no common way to list processes, all functions return -ENOSYS. */
#ifndef CP_SYS_PROCESSES_H
#define CP_SYS_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct cp_process_info {
  pid_t pid;
  pid_t parent;
  pid_t group;
  char state;          /* a letter as ps prints it: 'R' runs, 'T' is stopped, 'Z' has ended, ... */
  int threads;         /* their number */
  int64_t resident;    /* KiB of memory */
  int64_t waited_time; /* microseconds of processor time of descendants that were waited for */
  uint64_t start;      /* when it was started; tells it from an earlier process with the same id */
  uint64_t blocked;    /* the signals that its first thread blocks, the lowest bit for signal 1 */
} cp_process_info;

/* Reads what the system records about a process. Returns -ESRCH if there is none. */
int cp_process_read(pid_t pid, cp_process_info *info);

/* The time now, as cp_process_info.start counts it. Returns 0 if that is not known. */
uint64_t cp_process_clock(void);

/* Returns false if our children will get a time namespace of their own, in which the system reports
 * other times. */
bool cp_process_clock_is_shared(void);

/* Whether a process has ended, and only has to be reaped. */
bool cp_process_has_ended(const cp_process_info *info);

/* Returns the microseconds of processor time that all threads of a process have used, or -ESRCH if
 * there is none. */
int64_t cp_process_processor_time(pid_t pid);

/* Whether all threads of a process are stopped by a signal, or have ended. With `blocked` those
 * count, too, that wait for a debugger, or inside the kernel where signals do not interrupt. */
bool cp_process_is_stopped(const cp_process_info *info, bool blocked);

/* Whether this process becomes the parent of descendants whose parents have ended. */
bool cp_process_adopts_orphans(void);

/* Process ids. The processes may have ended by now, and others may have the same ids. A list that
 * is all zeros is empty. */
typedef struct cp_process_ids {
  pid_t *list;
  size_t count;
  size_t capacity;
} cp_process_ids;

/* Frees the memory of a list. */
void cp_process_ids_free(cp_process_ids *ids);

/* Lists the children of a process, those of all its threads. Children that start or end meanwhile
 * may be missing. Returns -ENOTSUP if the system does not list the children of a process; then the
 * parents of all processes tell the same. */
int cp_process_children(const cp_process_info *parent, cp_process_ids *ids);

/* Lists all processes. */
int cp_process_list_all(cp_process_ids *ids);

/* Returns a pidfd of a process, close-on-exec. */
int cp_process_open(pid_t pid);

#endif
