/* The least that reading what a child prints at a terminal can take: one read loop, into one
 * buffer.
 *
 *   program=PATH  the child, called with `piece` and a number of bytes
 *   piece=N       bytes that the child writes at a time
 *   bytes=N       how many in all
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "limit.h"

enum { READ_BYTES = 64 * 1024 };

/* Starts the child with the terminal at `path` as its controlling terminal; returns its pid. */
static pid_t start(char *const argv[], const char *path)
{
  pid_t pid = fork();
  if (pid < 0) limit_fail("fork");
  if (pid == 0) {
    int theirs = setsid() < 0 ? -1 : open(path, O_RDWR);
    if (theirs < 0) _exit(127);
    for (int fd = 0; fd < 3; fd++) dup2(theirs, fd);
    execv(argv[0], argv);
    _exit(127);
  }
  return pid;
}

/* Reads all that the child prints; returns GB/s. */
static double read_all(char *program, char *piece, double bytes)
{
  static char buffer[READ_BYTES];
  char total[32];
  snprintf(total, sizeof total, "%.0f", bytes);
  char *argv[] = {program, piece, total, NULL};
  double began = limit_now();
  int ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  char path[64];
  if (ours < 0 || unlockpt(ours) || ptsname_r(ours, path, sizeof path)) limit_fail("openpt");
  /* Open here, too, until the child has opened it: reading would fail before that. */
  int theirs = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (theirs < 0) limit_fail("open");
  pid_t pid = start(argv, path);
  size_t count = 0;
  ssize_t got;
  while ((got = read(ours, buffer, sizeof buffer)) > 0) {
    count += (size_t)got;
    if (theirs >= 0) theirs = close(theirs) - 1;
  }
  double seconds = limit_now() - began;
  if ((got < 0 && errno != EIO) || (double)count < bytes) limit_fail("read");
  close(ours);
  limit_wait(pid);
  return (double)count / seconds / 1e9;
}

int main(int argc, char **argv)
{
  (void)argc;
  char *program = limit_text(argv, "program", "");
  char *piece = limit_text(argv, "piece", "65536");
  double bytes = limit_number(argv, "bytes", 1e9);
  read_all(program, piece, bytes / 8);
  printf("%f\n", read_all(program, piece, bytes));
  return 0;
}
