#include "pidfd.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

int cp_pidfd_open(pid_t pid)
{
  return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* Old kernels and some sandboxes have pidfds but cannot wait for them. We are no child of our own, so
 * where it works that is the answer. */
bool cp_pidfd_works(void)
{
  siginfo_t info;
  int fd = cp_pidfd_open(getpid());
  bool waits = fd != -1 && waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG) == -1 &&
               errno == ECHILD;

  if (fd != -1) {
    close(fd);
  }
  return waits;
}

int cp_pidfd_signal(int pidfd, pid_t pid, int signum)
{
  int r =
      pidfd == -1 ? kill(pid, signum) : (int)syscall(SYS_pidfd_send_signal, pidfd, signum, NULL, 0);

  return r == -1 ? -errno : 0;
}

static cp_exit_status from_wait_status(int status)
{
  return WIFSIGNALED(status) ? (cp_exit_status){-1, WTERMSIG(status)}
                             : (cp_exit_status){WEXITSTATUS(status), 0};
}

/* What the kernel still knows of a child that somebody else has reaped (Linux 6.15 and later). */
static cp_exit_status status_of_reaped(int pidfd)
{
  struct {
    uint64_t mask, cgroup_id;
    uint32_t ids[11];
    int32_t exit_status;
  } info = {.mask = UINT64_C(1) << 3};
  unsigned long get_info = _IOWR(0xFF, 11, info);

  if (pidfd != -1 && ioctl(pidfd, get_info, &info) == 0 && (info.mask & UINT64_C(1) << 3) != 0) {
    return from_wait_status(info.exit_status);
  }
  return (cp_exit_status){-ECHILD, 0};
}

int cp_pidfd_wait(int pidfd, pid_t pid, bool block, cp_exit_status *status)
{
  siginfo_t info = {0};
  /* A child that was killed before it executed anything counts as a clone. */
  int options = WEXITED | __WALL | (block ? 0 : WNOHANG);
  int r = 0;

  do {
    r = pidfd == -1 ? waitid(P_PID, (id_t)pid, &info, options)
                    : waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, options);
  } while (r == -1 && errno == EINTR);

  if (r == -1) {
    *status = errno == ECHILD ? status_of_reaped(pidfd) : (cp_exit_status){-errno, 0};
    return 1;
  }
  if (info.si_pid == 0) {
    return 0;
  }
  *status = info.si_code == CLD_EXITED ? (cp_exit_status){info.si_status, 0}
                                       : (cp_exit_status){-1, info.si_status};
  return 1;
}
