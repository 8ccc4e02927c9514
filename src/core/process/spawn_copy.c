/* Reads the child's report from a pipe. The pipe is close-on-exec, so its end means success. */
#include "core/process/spawn_copy.h"

#include "core/base/assert.h"
#include "core/process/spawn_child.h"
#include "core/sys/process.h"
#include "core/sys/sys.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* How long we wait for a silent child before we check whether it was stopped. */
enum { LOOK_AFTER_MS = 10 };

/* Waits for a failure, or for the end of the pipe. */
static void read_report(int fd, pid_t pid, cp_spawn_failure *failure)
{
  struct pollfd polled = {fd, POLLIN, 0};
  cp_spawn_failure reported;
  ssize_t n = 0;

  while (poll(&polled, 1, LOOK_AFTER_MS) <= 0) {
    if (cp_sys_is_stopped(pid)) {
      return;
    }
  }
  do {
    n = read(fd, &reported, sizeof(reported));
  } while (n == -1 && errno == EINTR);
  if (n == (ssize_t)sizeof(reported)) {
    CP_ASSERT(reported.error < 0);
    *failure = reported;
  }
}

/* Puts the child into its process group, as the child itself does: if it was stopped before that,
 * our caller may send a signal to the group already. Failures are the child's to report. */
static void change_group(const cp_spawn_options *options, pid_t pid)
{
  if (options->set_process_group && !options->detached) {
    (void)setpgid(pid, options->process_group);
  }
}

int cp_spawn_copy(bool with_pidfd, cp_spawn_plan *plan, pid_t *pid, int *pidfd)
{
  int report[2];
  int r = cp_sys_pipe(report);

  if (r < 0) {
    return r;
  }
  plan->report_fd = report[1];
  *pid = cp_sys_start_copying(with_pidfd, pidfd);
  if (*pid == 0) {
    cp_spawn_child(plan, false);
  }
  close(report[1]);
  if (*pid > 0) {
    change_group(plan->options, *pid);
    read_report(report[0], *pid, &plan->failure);
  }
  close(report[0]);
  return *pid < 0 ? *pid : 0;
}
