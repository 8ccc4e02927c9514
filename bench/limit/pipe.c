/* The least that bytes can take from one child to another: both hold an end of one pipe of 256 KiB.
 *
 *   from=PATH  the child that writes, called with `piece` and a number of bytes
 *   to=PATH    the child that reads its stdin to the end
 *   piece=N    bytes written at a time
 *   bytes=N    how many in all
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "limit.h"

/* Runs both to their end; returns GB/s. */
static double pipe_all(char *from, char *to, char *piece, double bytes)
{
  char total[32];
  snprintf(total, sizeof total, "%.0f", bytes);
  char *from_argv[] = {from, piece, total, NULL};
  char *to_argv[] = {to, NULL};
  int ends[2];
  limit_pipe(ends);
  limit_enlarge(ends[1]);
  double start = limit_now();
  limit_vfork(from_argv, (int[]){STDIN_FILENO, ends[1], STDERR_FILENO});
  limit_vfork(to_argv, (int[]){ends[0], STDOUT_FILENO, STDERR_FILENO});
  close(ends[0]);
  close(ends[1]);
  limit_wait(-1);
  limit_wait(-1);
  return bytes / (limit_now() - start) / 1e9;
}

int main(int argc, char **argv)
{
  (void)argc;
  char *from = limit_text(argv, "from", ""), *to = limit_text(argv, "to", "");
  char *piece = limit_text(argv, "piece", "65536");
  double bytes = limit_number(argv, "bytes", 1e9);
  pipe_all(from, to, piece, bytes / 8);
  printf("%f\n", pipe_all(from, to, piece, bytes));
  return 0;
}
