/* What a child does before it executes a program. It has a copy of the parent's memory and only
 * this thread, so it may use the C library's functions. */
#include "core/sys/process.h"

#include "core/sys/posix/open_descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int negative_errno(int result)
{
  return result == -1 ? -errno : result;
}

int cp_sys_set_affinity(const int *cpus, int count, int *position)
{
  (void)cpus;
  (void)count;
  *position = 0;
  return -ENOTSUP;
}

int cp_sys_refuse_privileges(void)
{
  return -ENOTSUP;
}

bool cp_sys_has_death_signal(void)
{
  return false;
}

int cp_sys_set_death_signal(void)
{
  return -ENOTSUP;
}

/* What setgroups(2) takes: macOS and the BSDs have another type than Linux. */
#ifdef __linux__
typedef size_t group_count;
#else
typedef int group_count;
#endif

int cp_sys_set_groups(int count, const gid_t *groups)
{
  return negative_errno(setgroups((group_count)count, groups));
}

int cp_sys_set_group(gid_t gid)
{
  return negative_errno(setgid(gid));
}

int cp_sys_set_user(uid_t uid)
{
  return negative_errno(setuid(uid));
}

int cp_sys_child_dup(int from, int to)
{
  return negative_errno(dup2(from, to));
}

int cp_sys_child_take_terminal(int fd)
{
  return negative_errno(ioctl(fd, TIOCSCTTY, 0));
}

ssize_t cp_sys_child_write(int fd, const void *data, size_t size)
{
  ssize_t n = 0;

  do {
    n = write(fd, data, size);
  } while (n == -1 && errno == EINTR);
  return n == -1 ? -errno : n;
}

void cp_sys_child_exit(int code)
{
  _exit(code);
}

void cp_sys_close_rest_on_exec(int first)
{
  int end = cp_open_descriptors_end();

  for (int fd = first; fd < end; fd++) {
    fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
}

/* Signals. */

void cp_sys_block_signals(sigset_t *before)
{
  sigset_t all;

  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, before);
}

void cp_sys_restore_signals(const sigset_t *before)
{
  pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* Handlers are the parent's code, and the program would inherit ignored signals. Real-time signals
 * follow the standard ones; if they are ignored they are left alone. */
enum { LAST_STANDARD_SIGNAL = 31 };

void cp_sys_reset_signals(bool has_no_handlers)
{
  struct sigaction default_action = {.sa_handler = SIG_DFL};
  struct sigaction action;
  sigset_t none;

  (void)has_no_handlers;
  for (int signum = 1; signum < NSIG; signum++) {
    if (signum != SIGKILL && signum != SIGSTOP && sigaction(signum, NULL, &action) == 0 &&
        action.sa_handler != SIG_DFL &&
        (signum <= LAST_STANDARD_SIGNAL || action.sa_handler != SIG_IGN)) {
      sigaction(signum, &default_action, NULL);
    }
  }
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, NULL);
}
