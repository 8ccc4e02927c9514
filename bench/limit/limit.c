/* Options, the clock, pipes and processes for the limit programs. */
#define _GNU_SOURCE
#include "limit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

char *limit_text(char **argv, const char *name, char *fallback)
{
  size_t length = strlen(name);
  for (; *argv; argv++) {
    if (strncmp(*argv, name, length) == 0 && (*argv)[length] == '=') return *argv + length + 1;
  }
  return fallback;
}

double limit_number(char **argv, const char *name, double fallback)
{
  const char *text = limit_text(argv, name, NULL);
  return text ? strtod(text, NULL) : fallback;
}

double limit_now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void limit_fail(const char *call)
{
  fprintf(stderr, "%s: %s\n", call, strerror(errno));
  exit(1);
}

void limit_pipe(int ends[2])
{
  if (pipe2(ends, O_CLOEXEC)) limit_fail("pipe2");
}

void limit_enlarge(int fd)
{
  if (fcntl(fd, F_SETPIPE_SZ, LIMIT_PIPE_BYTES) < 0) limit_fail("F_SETPIPE_SZ");
}

/* What both ways of starting do in the child. */
static _Noreturn void become(char *const argv[], const int stdio[3])
{
  for (int fd = 0; fd < 3; fd++) {
    if (dup2(stdio[fd], fd) < 0) _exit(127);
  }
  execve(argv[0], argv, environ);
  _exit(127);
}

pid_t limit_vfork(char *const argv[], const int stdio[3])
{
  pid_t pid = vfork();
  if (pid < 0) limit_fail("vfork");
  if (pid == 0) become(argv, stdio);
  return pid;
}

struct start {
  char *const *argv;
  const int *stdio;
  int keep;
};

static int child_of_clone(void *argument)
{
  const struct start *start = argument;
  if (close_range((unsigned)start->keep, ~0U, CLOSE_RANGE_UNSHARE)) _exit(127);
  become(start->argv, start->stdio);
}

pid_t limit_vfork_few(char *const argv[], const int stdio[3], int keep)
{
  static _Alignas(16) char stack[64 * 1024];
  struct start start = {argv, stdio, keep};
  int flags = CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD;
  pid_t pid = clone(child_of_clone, stack + sizeof stack, flags, &start);
  if (pid < 0) limit_fail("clone");
  return pid;
}

int limit_fork(void (*run)(int fd))
{
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) limit_fail("socketpair");
  pid_t pid = fork();
  if (pid < 0) limit_fail("fork");
  if (pid == 0) {
    close(ends[0]);
    run(ends[1]);
    _exit(0);
  }
  close(ends[1]);
  return ends[0];
}

void limit_wait(pid_t pid)
{
  int status;
  if (waitpid(pid, &status, 0) < 0) limit_fail("waitpid");
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
    fprintf(stderr, "a child exited with %d\n", WEXITSTATUS(status));
    exit(1);
  }
}
