#include "spawn_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/close_range.h>

enum { EXIT_NOT_STARTED = 127 };

/* The C library's versions of these make every thread of the process follow, and the threads would
 * be the parent's. */
#ifdef SYS_setgroups32
enum { NR_SETGROUPS = SYS_setgroups32, NR_SETGID = SYS_setgid32, NR_SETUID = SYS_setuid32 };
#else
enum { NR_SETGROUPS = SYS_setgroups, NR_SETGID = SYS_setgid, NR_SETUID = SYS_setuid };
#endif
static int set_groups_none(void)
{
  return (int)syscall(NR_SETGROUPS, 0, NULL);
}
static int set_gid(gid_t gid)
{
  return (int)syscall(NR_SETGID, gid);
}
static int set_uid(uid_t uid)
{
  return (int)syscall(NR_SETUID, uid);
}

static int close_on_exec_range(unsigned first, unsigned last, unsigned flags)
{
  return (int)syscall(SYS_close_range, first, last, flags);
}

struct directory_entry {
  uint64_t inode;
  int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

/* Marks what is open from `first` on by listing /proc/self/fd. Returns false without /proc. */
static bool close_on_exec_listed(int first)
{
  _Alignas(struct directory_entry) char buffer[2048];
  int dir = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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
  close(dir);
  return n == 0;
}
CP_ON_CHILD_STACK static _Noreturn void give_up(cp_spawn_plan *plan, int error)
{
  plan->error = error;
  if (plan->report_fd != -1) {
    while (write(plan->report_fd, &error, sizeof(error)) == -1 && errno == EINTR) {
    }
  }
  _exit(EXIT_NOT_STARTED);
}

static void close_rest_on_exec(int first)
{
  struct rlimit limit;

  if (close_on_exec_range((unsigned)first, ~0U, CLOSE_RANGE_CLOEXEC) == 0 ||
      close_on_exec_listed(first)) {
    return;
  }
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    for (int fd = first; (rlim_t)fd < limit.rlim_cur; fd++) {
      fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
  }
}

static int set_blocking(int fd)
{
  int flags = fcntl(fd, F_GETFL);

  if (flags == -1) {
    return -1;
  }
  return flags & O_NONBLOCK ? fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) : 0;
}

static bool is_target(const cp_spawn_plan *plan, int fd)
{
  return fd >= 0 && fd < plan->options->fd_count && plan->fds[fd] != -1;
}

CP_ON_CHILD_STACK static void arrange_descriptors(cp_spawn_plan *plan)
{
  const cp_spawn_options *options = plan->options;
  int count = options->fd_count;

  /* What is about to be overwritten is moved out of the way first. */
  for (int i = 0; i < count; i++) {
    if (plan->fds[i] != i && is_target(plan, plan->fds[i])) {
      plan->fds[i] = fcntl(plan->fds[i], F_DUPFD_CLOEXEC, count);
      if (plan->fds[i] == -1) {
        give_up(plan, -errno);
      }
    }
  }
  if (is_target(plan, plan->report_fd)) {
    int moved = fcntl(plan->report_fd, F_DUPFD_CLOEXEC, count);

    if (moved == -1) {
      give_up(plan, -errno); /* through the old one, which is still there */
    }
    plan->report_fd = moved;
  }

  for (int i = 0; i < count; i++) {
    int fd = plan->fds[i];
    int r = 0;

    if (fd == -1) {
      fcntl(i, F_SETFD, FD_CLOEXEC);
      continue;
    }
    r = fd == i ? fcntl(i, F_SETFD, 0) : dup2(fd, i);
    if (r == -1 || (options->set_blocking[i] && set_blocking(i) == -1)) {
      give_up(plan, -errno);
    }
  }
  close_rest_on_exec(count);
}

CP_ON_CHILD_STACK static void drop_privileges(cp_spawn_plan *plan)
{
  const cp_spawn_options *options = plan->options;

  if (options->set_uid || options->set_gid) {
    /* Only root may, and only root has to: without the right to it, the next steps fail or change
     * nothing. */
    set_groups_none();
  }
  if ((options->set_gid && set_gid(options->gid) == -1) ||
      (options->set_uid && set_uid(options->uid) == -1)) {
    give_up(plan, -errno);
  }
}

/* Handlers are the parent's code, and the program would inherit what is ignored. Asking about a
 * signal costs a system call, and real-time signals are not ignored in practice, so these are left
 * out. */
enum { LAST_STANDARD_SIGNAL = 31 };

static void reset_signals(void)
{
  struct sigaction action;
  sigset_t none;

  for (int signum = 1; signum <= LAST_STANDARD_SIGNAL; signum++) {
    if (signum != SIGKILL && signum != SIGSTOP && sigaction(signum, NULL, &action) == 0 &&
        action.sa_handler != SIG_DFL) {
      action.sa_handler = SIG_DFL;
      action.sa_flags = 0;
      sigaction(signum, &action, NULL);
    }
  }
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static void execute_script(cp_spawn_plan *plan, char *path)
{
  char *const *args = plan->options->args;
  int n = 0;

  plan->shell_args[n++] = "/bin/sh";
  plan->shell_args[n++] = path;
  for (int i = 1; args[0] != NULL && args[i] != NULL; i++) {
    plan->shell_args[n++] = args[i];
  }
  plan->shell_args[n] = NULL;
  execve("/bin/sh", plan->shell_args, plan->env);
}

CP_ON_CHILD_STACK static _Noreturn void execute(cp_spawn_plan *plan)
{
  int error = ENOENT;

  for (char **candidate = plan->candidates; *candidate != NULL; candidate++) {
    execve(*candidate, plan->options->args, plan->env);
    if (errno == ENOEXEC) {
      execute_script(plan, *candidate);
    }
    if (errno == EACCES) {
      error = EACCES;
    } else if (errno != ENOENT && errno != ENOTDIR) {
      give_up(plan, -errno);
    } else if (plan->candidates[1] == NULL) {
      error = errno;
    }
  }
  give_up(plan, -error);
}

int cp_spawn_child(void *argument)
{
  cp_spawn_plan *plan = argument;
  const cp_spawn_options *options = plan->options;

  if (plan->keep_below != 0 &&
      close_on_exec_range((unsigned)plan->keep_below, ~0U, CLOSE_RANGE_UNSHARE) == -1) {
    plan->cannot_unshare = true;
    _exit(EXIT_NOT_STARTED);
  }
  if (options->detached) {
    setsid();
  }
  arrange_descriptors(plan);
  if (options->cwd != NULL && chdir(options->cwd) == -1) {
    give_up(plan, -errno);
  }
  drop_privileges(plan);
  reset_signals();
  execute(plan);
}
