/* What a child does before it executes a program, with raw system calls: the child may share the
 * parent's memory, and the C library's functions do more than the call. setuid(2) and the like
 * change all threads of the process, and musl's sigaction takes a lock. */
#include "core/sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/close_range.h>

#ifdef SYS_setgroups32
enum { NR_SETGROUPS = SYS_setgroups32, NR_SETGID = SYS_setgid32, NR_SETUID = SYS_setuid32 };
#else
enum { NR_SETGROUPS = SYS_setgroups, NR_SETGID = SYS_setgid, NR_SETUID = SYS_setuid };
#endif

static int negative_errno(long result)
{
  return result == -1 ? -errno : (int)result;
}

/* What the child may use. */

enum { WORD_BITS = 8 * sizeof(unsigned long), CPU_WORDS = CP_SYS_MOST_CPUS / WORD_BITS };

/* The kernel ignores CPUs that do not exist or that our cpuset excludes, unless none is left. So
 * this asks for the result. */
int cp_sys_set_affinity(const int *cpus, int count, int *position)
{
  unsigned long mask[CPU_WORDS] = {0};
  int r = 0;

  for (int i = 0; i < count; i++) {
    mask[cpus[i] / WORD_BITS] |= 1UL << cpus[i] % WORD_BITS;
  }
  *position = 0;
  r = negative_errno(syscall(SYS_sched_setaffinity, 0, sizeof(mask), mask));
  if (r < 0) {
    return r;
  }
  memset(mask, 0, sizeof(mask));
  r = negative_errno(syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask));
  for (int i = 0; i < count && r >= 0; i++) {
    if ((mask[cpus[i] / WORD_BITS] & 1UL << cpus[i] % WORD_BITS) == 0) {
      *position = i;
      r = -EINVAL;
    }
  }
  return r < 0 ? r : 0;
}

int cp_sys_refuse_privileges(void)
{
  return negative_errno(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

bool cp_sys_has_death_signal(void)
{
  return syscall(SYS_gettid) == getpid();
}

int cp_sys_set_death_signal(void)
{
  return negative_errno(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
}

/* Who it is. */

int cp_sys_set_groups(int count, const gid_t *groups)
{
  return negative_errno(syscall(NR_SETGROUPS, count, groups));
}

int cp_sys_set_group(gid_t gid)
{
  return negative_errno(syscall(NR_SETGID, gid));
}

int cp_sys_set_user(uid_t uid)
{
  return negative_errno(syscall(NR_SETUID, uid));
}

/* Descriptors, and the end. The thread sanitizer records what the C library's functions do to
 * descriptors, and reports errors at the end of a process: here, both in the parent's memory. */

static int open_directory(const char *path)
{
  return (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int cp_sys_child_dup(int from, int to)
{
  return negative_errno(syscall(SYS_dup3, from, to, 0));
}

int cp_sys_child_take_terminal(int fd)
{
  return negative_errno(syscall(SYS_ioctl, fd, TIOCSCTTY, 0));
}

ssize_t cp_sys_child_write(int fd, const void *data, size_t size)
{
  long n = 0;

  do {
    n = syscall(SYS_write, fd, data, size);
  } while (n == -1 && errno == EINTR);
  return n == -1 ? -errno : n;
}

void cp_sys_child_exit(int code)
{
  syscall(SYS_exit_group, code);
  __builtin_unreachable();
}

struct directory_entry {
  uint64_t inode;
  int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

/* Makes the open descriptors from `first` on close-on-exec, by listing /proc/self/fd. Returns false
 * without /proc. */
static bool close_on_exec_listed(int first)
{
  _Alignas(struct directory_entry) char buffer[2048];
  int dir = open_directory("/proc/self/fd");
  long n = 0;

  if (dir == -1) {
    return false;
  }
  while ((n = syscall(SYS_getdents64, dir, buffer, sizeof(buffer))) > 0) {
    for (long at = 0; at < n;) {
      const struct directory_entry *entry = (const struct directory_entry *)(void *)(buffer + at);
      int fd = 0;
      const char *digit = entry->name;

      for (; *digit >= '0' && *digit <= '9'; digit++) {
        fd = fd * 10 + (*digit - '0');
      }
      if (digit != entry->name && fd >= first) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
      }
      at += entry->length;
    }
  }
  syscall(SYS_close, dir);
  return n == 0;
}

void cp_sys_close_rest_on_exec(int first)
{
  struct rlimit limit;

  if (syscall(SYS_close_range, (unsigned)first, ~0U, CLOSE_RANGE_CLOEXEC) == 0 ||
      close_on_exec_listed(first)) {
    return;
  }
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    for (int fd = first; (rlim_t)fd < limit.rlim_cur; fd++) {
      fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
  }
}

/* Signals. */

static void set_mask(const sigset_t *mask, sigset_t *before)
{
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask, before, (size_t)_NSIG / 8);
}

void cp_sys_block_signals(sigset_t *before)
{
  sigset_t all;

  memset(&all, 0xff, sizeof(all));
  set_mask(&all, before);
}

void cp_sys_restore_signals(const sigset_t *before)
{
  set_mask(before, NULL);
}

/* At least as large as the kernel's struct, which starts with these fields. */
typedef struct kernel_action {
#ifdef __mips__
  unsigned flags;
  void (*handler)(int);
  unsigned long rest[8];
#else
  void (*handler)(int);
  unsigned long flags;
  unsigned long rest[8];
#endif
} kernel_action;

static int signal_action(int signum, const kernel_action *action, kernel_action *before)
{
  return (int)syscall(SYS_rt_sigaction, signum, action, before, (size_t)_NSIG / 8);
}

/* Handlers are the parent's code, and the program would inherit ignored signals. Each signal costs
 * a system call, so if there are no handlers we skip the real-time signals, which stay ignored in
 * either case. */
enum { LAST_STANDARD_SIGNAL = 31 };

void cp_sys_reset_signals(bool has_no_handlers)
{
  static const kernel_action default_action;
  int last = has_no_handlers ? LAST_STANDARD_SIGNAL : _NSIG - 1;
  kernel_action action;
  sigset_t none;

  for (int signum = 1; signum <= last; signum++) {
    if (signum != SIGKILL && signum != SIGSTOP && signal_action(signum, NULL, &action) == 0 &&
        action.handler != SIG_DFL &&
        (signum <= LAST_STANDARD_SIGNAL || action.handler != SIG_IGN)) {
      signal_action(signum, &default_action, NULL);
    }
  }
  memset(&none, 0, sizeof(none));
  set_mask(&none, NULL);
}
