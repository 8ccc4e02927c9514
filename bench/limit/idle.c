/* The least memory that an idle interpreter takes: one without a module that waits for input.
 *
 *   program=PATH  the interpreter
 *   alive=N       how many (up to 100) there are at the same time
 */
#include <stdio.h>
#include <unistd.h>

#include "limit.h"

enum { MAX_ALIVE = 100 };

/* The KiB of memory of a process; of what others use, too, its share. */
static double proportional_kib(pid_t pid)
{
  char path[64], line[256];
  long kib = -1;
  snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", (long)pid);
  FILE *file = fopen(path, "r");
  if (!file) limit_fail(path);
  while (kib < 0 && fgets(line, sizeof line, file)) sscanf(line, "Pss: %ld", &kib);
  fclose(file);
  if (kib < 0) limit_fail(path);
  return (double)kib;
}

int main(int argc, char **argv)
{
  (void)argc;
  char *program = limit_text(argv, "program", "");
  int alive = (int)limit_number(argv, "alive", 20);
  char *interpreter[] = {program, "-e", "print() io.stdout:flush() io.read()", NULL};
  pid_t pids[MAX_ALIVE];
  int in[2], out[2];
  char byte;
  if (alive < 1 || alive > MAX_ALIVE) return 2;
  limit_pipe(in);
  limit_pipe(out);
  for (int i = 0; i < alive; i++) {
    pids[i] = limit_vfork(interpreter, (int[]){in[0], out[1], STDERR_FILENO});
  }
  for (int i = 0; i < alive; i++) {
    if (read(out[0], &byte, 1) != 1) limit_fail("read");
  }
  double kib = 0;
  for (int i = 0; i < alive; i++) kib += proportional_kib(pids[i]);
  close(in[1]);
  for (int i = 0; i < alive; i++) limit_wait(pids[i]);
  printf("%f\n", kib / alive);
  return 0;
}
