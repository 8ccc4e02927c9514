/* Starts threads in a process that was forked while another thread used glibc's list of libraries,
 * whose lock nobody releases there. */
#include "core/base/thread.h"

#include "check.h"

#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STACK_SIZE = 64 * 1024, PATIENCE_MS = 60000 };

static int entered[2], leave[2], started[2]; /* pipes */

static int hold(struct dl_phdr_info *info, size_t size, void *unused)
{
  char byte = 0;

  (void)info, (void)size, (void)unused;
  check(write(entered[1], "x", 1) == 1, "the thread tells that it holds the list");
  check(read(leave[0], &byte, 1) == 1, "and waits");
  return 1;
}

static void *hold_list(void *unused)
{
  dl_iterate_phdr(hold, unused);
  return NULL;
}

static void *report(void *unused)
{
  (void)write(started[1], "x", 1);
  return unused;
}

/* Whether the thread of the copy reports. */
static bool starts_in_copy(void)
{
  struct pollfd report_end = {started[0], POLLIN, 0};
  pid_t pid = fork();
  bool reports = false;

  if (pid == 0) {
    cp_thread_start(report, NULL, STACK_SIZE);
    pause();
  }
  reports = poll(&report_end, 1, PATIENCE_MS) == 1;
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  return reports;
}

int main(void)
{
  pthread_t holder;
  char byte = 0;

  check(pipe(entered) == 0 && pipe(leave) == 0 && pipe(started) == 0, "pipes");
  cp_thread_prepare();
  check(pthread_create(&holder, NULL, hold_list, NULL) == 0, "a thread");
  check(read(entered[0], &byte, 1) == 1, "it holds the list");
  check(starts_in_copy(), "a thread starts in the copy");
  check(write(leave[1], "x", 1) == 1 && pthread_join(holder, NULL) == 0, "the end");
  return failures == 0 ? 0 : 1;
}
