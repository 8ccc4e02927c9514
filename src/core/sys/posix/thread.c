/* The stack and the signals of a thread, and a clock. */
#include "core/sys/sys.h"

#include <signal.h>
#include <time.h>

/* POSIX does not say what the C library takes from a thread's stack, so a thread gets the usual
 * one. */
size_t cp_sys_stack_size(size_t needed)
{
  (void)needed;
  return 0;
}

void cp_sys_drop_signal(int signum)
{
  sigset_t signals;
  int received = 0;

  sigpending(&signals);
  if (sigismember(&signals, signum) == 1) {
    sigemptyset(&signals);
    sigaddset(&signals, signum);
    sigwait(&signals, &received);
  }
}

uint64_t cp_sys_coarse_time(void)
{
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
