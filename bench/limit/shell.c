/* What a shell needs for three programs that pass bytes on: "from PIECE BYTES | cat | to".
 *
 *   from=PATH  the program that writes, called with `piece` and a number of bytes
 *   to=PATH    the program that reads its stdin to the end
 *   piece=N    bytes written at a time
 *   bytes=N    how many in all
 */
#include <stdio.h>
#include <unistd.h>

#include "limit.h"

/* Runs the line; returns GB/s. */
static double pipe_all(const char *from, const char *to, const char *piece, double bytes)
{
  char line[1024];
  snprintf(line, sizeof line, "\"%s\" %s %.0f | cat | \"%s\"", from, piece, bytes, to);
  char *argv[] = {"/bin/sh", "-c", line, NULL};
  double start = limit_now();
  limit_wait(limit_vfork(argv, (int[]){STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}));
  return bytes / (limit_now() - start) / 1e9;
}

int main(int argc, char **argv)
{
  (void)argc;
  const char *from = limit_text(argv, "from", ""), *to = limit_text(argv, "to", "");
  const char *piece = limit_text(argv, "piece", "65536");
  double bytes = limit_number(argv, "bytes", 1e9);
  pipe_all(from, to, piece, bytes / 5);
  printf("%f\n", pipe_all(from, to, piece, bytes));
  return 0;
}
