/* Waits for children by pidfds where the kernel has them, and by process ids. */
#include "core/sys/process.h"

#include "core/sys/linux/usage.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* Old kernels and some sandboxes have pidfds but cannot wait for them. We are not our own child, so
 * ECHILD means that it works. */
bool cp_sys_has_pidfd(void)
{
  siginfo_t info;
  int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
  bool waits = fd != -1 && waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG) == -1 &&
               errno == ECHILD;

  if (fd != -1) {
    close(fd);
  }
  return waits;
}

int cp_sys_signal(int pidfd, pid_t pid, int signum)
{
  int r =
      pidfd == -1 ? kill(pid, signum) : (int)syscall(SYS_pidfd_send_signal, pidfd, signum, NULL, 0);

  return r == -1 ? -errno : 0;
}

/* Linux 6.9 and later. Older kernels accept no flags. */
int cp_sys_signal_group(int pidfd, int signum)
{
  static const unsigned process_group = 1U << 2;

  if (pidfd == -1) {
    return -ENOSYS;
  }
  if (syscall(SYS_pidfd_send_signal, pidfd, signum, NULL, process_group) == 0) {
    return 0;
  }
  return errno == EINVAL ? -ENOSYS : -errno;
}

static cp_exit_status from_wait_status(int status)
{
  return WIFSIGNALED(status) ? (cp_exit_status){.code = -1, .signum = WTERMSIG(status)}
                             : (cp_exit_status){.code = WEXITSTATUS(status)};
}

/* Returns what the kernel still knows of a child that other code has reaped (Linux 6.15 and
 * later). */
static cp_exit_status status_of_reaped(int pidfd)
{
  struct {
    uint64_t mask, cgroup_id;
    uint32_t ids[11];
    int32_t exit_status;
  } info = {.mask = UINT64_C(1) << 3};
  unsigned long get_info = _IOWR(0xFF, 11, info);

  /* The type of the C library's parameter differs between glibc and musl. */
  if (pidfd != -1 && syscall(SYS_ioctl, pidfd, get_info, &info) == 0 &&
      (info.mask & UINT64_C(1) << 3) != 0) {
    return from_wait_status(info.exit_status);
  }
  return (cp_exit_status){.code = -ECHILD};
}

/* What one call reports. */
typedef struct report {
  siginfo_t info;
  kernel_usage usage;
} report;

/* The system call itself, since the C library's waitid has no parameter for the usage. */
static int wait_once(idtype_t type, id_t id, int options, report *r)
{
  int result = 0;

  do {
    result = (int)syscall(SYS_waitid, type, id, &r->info, options, &r->usage);
  } while (result == -1 && errno == EINTR);
  return result;
}

int cp_sys_wait(int pidfd, pid_t pid, bool block, cp_exit_status *status)
{
  report reported = {.usage = KERNEL_USAGE_UNKNOWN};
  const siginfo_t *info = &reported.info;
  /* A child that was killed before it executed a program is still a clone to the kernel
   * (__WALL). */
  int options = WEXITED | __WALL | (block ? 0 : WNOHANG);
  int r = pidfd == -1 ? wait_once(P_PID, (id_t)pid, options, &reported)
                      : wait_once((idtype_t)P_PIDFD, (id_t)pidfd, options, &reported);

  /* A pidfd that libuv polls is non-blocking, so waiting by it returns EAGAIN. */
  while (r == -1 && errno == EAGAIN && block) {
    struct pollfd polled = {pidfd, POLLIN, 0};

    r = poll(&polled, 1, -1);
    if (r != -1 || errno == EINTR) {
      r = wait_once((idtype_t)P_PIDFD, (id_t)pidfd, options, &reported);
    }
  }
  /* If waiting by the pidfd fails, wait by the id, which belongs to the child until it is
   * reaped. */
  if (r == -1 && errno != ECHILD) {
    r = wait_once(P_PID, (id_t)pid, options, &reported);
  }
  if (r == -1) {
    *status = errno == ECHILD ? status_of_reaped(pidfd) : (cp_exit_status){.code = -errno};
    return 1;
  }
  if (info->si_pid == 0) {
    return 0;
  }
  *status = info->si_code == CLD_EXITED ? (cp_exit_status){.code = info->si_status}
                                        : (cp_exit_status){.code = -1, .signum = info->si_status};
  status->usage = cp_usage_from_kernel(&reported.usage);
  return 1;
}

bool cp_sys_is_stopped(pid_t pid)
{
  siginfo_t info = {0};

  return waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG | WNOWAIT | __WALL) == 0 &&
         info.si_pid == pid;
}
