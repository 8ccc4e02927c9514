/* The least that reading a child's output can take: one read loop, into one buffer.
 *
 *   program=PATH  the child, called with `piece` and a number of bytes
 *   piece=N       bytes that the child writes at a time
 *   bytes=N       how many in all
 *   keep=1        the buffer grows, so that in the end it holds everything
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "limit.h"

enum { READ_BYTES = 64 * 1024 };

/* Where the next READ_BYTES go in a buffer that holds `used` bytes. */
static char *room(char **buffer, size_t *size, size_t used)
{
  if (*size - used < READ_BYTES) {
    *size = *size ? *size * 2 : READ_BYTES;
    *buffer = realloc(*buffer, *size);
    if (!*buffer) limit_fail("realloc");
  }
  return *buffer + used;
}

/* Reads all that the child writes; returns GB/s. */
static double read_all(char *program, char *piece, double bytes, bool keep)
{
  char *buffer = NULL;
  size_t size = 0, count = 0;
  char total[32];
  snprintf(total, sizeof total, "%.0f", bytes);
  char *argv[] = {program, piece, total, NULL};
  int out[2];
  limit_pipe(out);
  int stdio[3] = {STDIN_FILENO, out[1], STDERR_FILENO};
  double start = limit_now();
  pid_t pid = limit_vfork(argv, stdio);
  close(out[1]);
  bool enlarged = false;
  ssize_t got;
  while ((got = read(out[0], room(&buffer, &size, keep ? count : 0), READ_BYTES)) > 0) {
    count += (size_t)got;
    if (got == READ_BYTES && !enlarged) {
      limit_enlarge(out[0]);
      enlarged = true;
    }
  }
  double seconds = limit_now() - start;
  if (got < 0 || (double)count < bytes) limit_fail("read");
  close(out[0]);
  limit_wait(pid);
  free(buffer);
  return (double)count / seconds / 1e9;
}

int main(int argc, char **argv)
{
  (void)argc;
  char *program = limit_text(argv, "program", "");
  char *piece = limit_text(argv, "piece", "65536");
  double bytes = limit_number(argv, "bytes", 1e9);
  bool keep = limit_number(argv, "keep", 0) > 0;
  read_all(program, piece, bytes / 8, keep);
  printf("%f\n", read_all(program, piece, bytes, keep));
  return 0;
}
