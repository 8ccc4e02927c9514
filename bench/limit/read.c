/* The least that reading a child's output can take: one read loop, into one buffer.
 *
 *   program=PATH  the child, called with `piece` and a number of bytes
 *   piece=N       bytes that the child writes at a time
 *   bytes=N       how many in all
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "limit.h"

/* Reads all that the child writes; returns GB/s. */
static double read_all(char *program, char *piece, double bytes)
{
  static char buffer[64 * 1024];
  char total[32];
  snprintf(total, sizeof total, "%.0f", bytes);
  char *argv[] = {program, piece, total, NULL};
  int out[2];
  limit_pipe(out);
  int stdio[3] = {STDIN_FILENO, out[1], STDERR_FILENO};
  double start = limit_now(), count = 0;
  pid_t pid = limit_vfork(argv, stdio);
  close(out[1]);
  bool enlarged = false;
  ssize_t got;
  while ((got = read(out[0], buffer, sizeof buffer)) > 0) {
    count += (double)got;
    if (got == sizeof buffer && !enlarged) {
      limit_enlarge(out[0]);
      enlarged = true;
    }
  }
  double seconds = limit_now() - start;
  if (got < 0 || count < bytes) limit_fail("read");
  close(out[0]);
  limit_wait(pid);
  return count / seconds / 1e9;
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
