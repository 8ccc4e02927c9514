/* The least that writing to a child can take: one write loop into a pipe of 256 KiB.
 *
 *   program=PATH  the child, which reads its stdin to the end
 *   piece=N       bytes written at a time
 *   bytes=N       how many in all
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "limit.h"

/* Writes `bytes` bytes and waits until the child has read them; returns GB/s. */
static double write_all(char *program, const char *piece, size_t size, double bytes)
{
  char *argv[] = {program, NULL};
  int in[2];
  limit_pipe(in);
  limit_enlarge(in[1]);
  int stdio[3] = {in[0], STDOUT_FILENO, STDERR_FILENO};
  double start = limit_now(), count = 0;
  pid_t pid = limit_vfork(argv, stdio);
  close(in[0]);
  while (count < bytes) {
    ssize_t written = write(in[1], piece, size);
    if (written < 0) limit_fail("write");
    count += (double)written;
  }
  close(in[1]);
  limit_wait(pid);
  return count / (limit_now() - start) / 1e9;
}

int main(int argc, char **argv)
{
  (void)argc;
  char *program = limit_text(argv, "program", "");
  size_t size = (size_t)limit_number(argv, "piece", 65536);
  double bytes = limit_number(argv, "bytes", 1e9);
  char *piece = malloc(size);
  if (!piece) limit_fail("malloc");
  memset(piece, 'x', size);
  write_all(program, piece, size, bytes / 8);
  printf("%f\n", write_all(program, piece, size, bytes));
  free(piece);
  return 0;
}
