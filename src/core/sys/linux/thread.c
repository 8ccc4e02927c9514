/* The stack and the signals of a thread, and a clock that costs little. */
#include "core/sys/sys.h"

#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

enum { LEAST_STACK = 16 * 1024 }; /* if the system does not name one */

static int add_thread_local(struct dl_phdr_info *info, size_t size, void *total)
{
  (void)size;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    if (info->dlpi_phdr[i].p_type == PT_TLS) {
      *(size_t *)total += info->dlpi_phdr[i].p_memsz + info->dlpi_phdr[i].p_align;
    }
  }
  return 0;
}

/* glibc and musl take their own data, and all thread-local data, from the requested stack. Data of
 * libraries that were loaded later lies elsewhere, so this may be more than needed. It is counted
 * once, early: glibc's lock for that stays locked in a forked process if another thread held it. */
static size_t overhead(void)
{
  static atomic_size_t counted;
  size_t total = atomic_load_explicit(&counted, memory_order_relaxed);

  if (total == 0) {
    long least = sysconf(_SC_THREAD_STACK_MIN);

    total = least > 0 ? (size_t)least : LEAST_STACK;
    dl_iterate_phdr(add_thread_local, &total);
    atomic_store_explicit(&counted, total, memory_order_relaxed);
  }
  return total;
}

size_t cp_sys_stack_size(size_t needed)
{
  size_t page = (size_t)sysconf(_SC_PAGESIZE);

  return (needed + overhead() + page - 1) / page * page;
}

void cp_sys_drop_signal(int signum)
{
  static const struct timespec no_time = {0, 0};
  sigset_t signals;

  sigemptyset(&signals);
  sigaddset(&signals, signum);
  while (sigtimedwait(&signals, NULL, &no_time) == -1 && errno == EINTR) {
  }
}

uint64_t cp_sys_coarse_time(void)
{
  struct timespec now;

  /* The time of the kernel's last tick costs a quarter of the exact one. */
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
