/* Waits in detached threads with small stacks. */
#include "core/process/orphans.h"

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/base/thread.h"
#include "core/process/guard.h"
#include "core/sys/process.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

enum {
  STACK_SIZE = 64 * 1024,
  MOST_ATTEMPTS = 3, /* to wait, if the system call fails */
};

typedef struct orphan orphan;

struct orphan {
  orphan *next;
  pid_t pid;
  int pidfd;
};

/* Orphans without a thread. A thread takes the whole list at once, so the list needs no lock. (In a
 * forked process a lock could stay locked forever.) */
static _Atomic(orphan *) waiting;

/* Packs a child into a thread's argument, which saves an allocation that could fail: its pidfd (as
 * an odd number) if it has one, otherwise its process id. */
static void *pack(pid_t pid, int pidfd)
{
  return (void *)((intptr_t)(pidfd != -1 ? pidfd : pid) * 2 + (pidfd != -1));
}

static void *wait_for(void *packed)
{
  intptr_t number = (intptr_t)packed / 2;
  bool has_pidfd = (intptr_t)packed % 2 == 1;
  int pidfd = has_pidfd ? (int)number : -1;
  cp_exit_status status;

  for (int attempts = 0; attempts < MOST_ATTEMPTS; attempts++) {
    cp_sys_wait(pidfd, has_pidfd ? -1 : (pid_t)number, true, &status);
    if (status.signum != 0 || status.code >= 0 || status.code == -ECHILD) {
      break;
    }
  }
  if (has_pidfd) {
    cp_guard_orphan_ended(pidfd);
  } else {
    cp_guard_child_ended((pid_t)number);
  }
  cp_fd_close(pidfd);
  return NULL;
}

static void put(orphan *child)
{
  child->next = atomic_load(&waiting);
  while (!atomic_compare_exchange_weak(&waiting, &child->next, child)) {
  }
}

void cp_orphans_adopt(pid_t pid, int pidfd)
{
  cp_exit_status status;
  orphan *child = NULL;

  CP_ASSERT(pid > 0);
  cp_orphans_reap();
  cp_guard_child_released(pid, pidfd);
  if (cp_thread_start(wait_for, pack(pid, pidfd), STACK_SIZE) == 0) {
    return;
  }
  if (cp_sys_wait(pidfd, pid, false, &status) == 1) {
    cp_guard_child_ended(pid);
  } else {
    child = malloc(sizeof(*child));
  }
  if (child != NULL) {
    *child = (orphan){.pid = pid, .pidfd = pidfd};
    put(child);
  } else {
    cp_fd_close(pidfd);
  }
}

void cp_orphans_reap(void)
{
  orphan *next = NULL;
  cp_exit_status status;
  bool tries_threads = true;

  if (atomic_load_explicit(&waiting, memory_order_relaxed) == NULL) {
    return;
  }
  for (orphan *child = atomic_exchange(&waiting, NULL); child != NULL; child = next) {
    next = child->next;
    if (cp_sys_wait(child->pidfd, child->pid, false, &status) == 1) {
      cp_guard_child_ended(child->pid);
      cp_fd_close(child->pidfd);
      free(child);
      continue;
    }
    tries_threads =
        tries_threads && cp_thread_start(wait_for, pack(child->pid, child->pidfd), STACK_SIZE) == 0;
    if (tries_threads) {
      free(child);
    } else {
      put(child);
    }
  }
}
