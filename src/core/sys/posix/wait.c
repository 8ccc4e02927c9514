/* Waits for each child by its process id. */
#include "core/sys/process.h"

#include "core/sys/posix/usage.h"

#include <errno.h>
#include <sys/wait.h>

bool cp_sys_has_pidfd(void)
{
  return false;
}

int cp_sys_signal(int pidfd, pid_t pid, int signum)
{
  (void)pidfd;
  return kill(pid, signum) == -1 ? -errno : 0;
}

int cp_sys_signal_group(int pidfd, int signum)
{
  (void)pidfd;
  (void)signum;
  return -ENOSYS;
}

int cp_sys_wait(int pidfd, pid_t pid, bool block, cp_exit_status *status)
{
  struct rusage usage;
  int code = 0;
  pid_t waited = 0;

  (void)pidfd;
  do {
    waited = wait4(pid, &code, block ? 0 : WNOHANG, &usage);
  } while (waited == -1 && errno == EINTR);
  if (waited == 0) {
    return 0;
  }
  if (waited == -1) {
    *status = (cp_exit_status){.code = -errno};
  } else {
    *status = WIFSIGNALED(code) ? (cp_exit_status){.code = -1, .signum = WTERMSIG(code)}
                                : (cp_exit_status){.code = WEXITSTATUS(code)};
    status->usage = cp_usage_from_library(&usage);
  }
  return 1;
}

bool cp_sys_is_stopped(pid_t pid)
{
  siginfo_t info = {0};

  return waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}
