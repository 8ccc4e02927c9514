/* Descriptors that stand for a process, and waiting with or without them. */
#ifndef CP_PIDFD_H
#define CP_PIDFD_H

#include <stdbool.h>
#include <sys/types.h>

typedef struct cp_exit_status {
  int code;   /* exit code, -1 if a signal ended the child; or negative errno, see cp_pidfd_wait */
  int signum; /* the signal that ended it, or 0 */
} cp_exit_status;

/* Whether the system has pidfds and can wait for them. */
bool cp_pidfd_works(void);

/* Makes one for a process, or returns -1. */
int cp_pidfd_open(pid_t pid);

/* Sends a signal through the pidfd, or to the process id where that is -1. */
int cp_pidfd_signal(int pidfd, pid_t pid, int signum);

/* Takes the status of exactly this child, and returns 1 then; 0 if it still runs, which cannot be
 * with `block`. If another part of the program has taken the status, which only newer kernels tell
 * nevertheless, its code is -ECHILD; or another negative errno if the child cannot be waited for. The pidfd may be -1. */
int cp_pidfd_wait(int pidfd, pid_t pid, bool block, cp_exit_status *status);

#endif
