/* The least that starting a program and learning of its end can take: vfork, execve, waitpid.
 *
 *   work=NAME     spawn: from start to end;
 *                 sync, await, command: the same, with the child's output read to its end before;
 *                 call: only the time that the parent stands still in vfork;
 *                 alive: many at the same time, their memory, start and end
 *   program=PATH  what to start
 *   seconds=S     how long to go on
 *   pipes=1       three new pipes for each child instead of /dev/null
 *   heap=MIB      memory that the parent has in use
 *   open=N        descriptors that the parent has open
 *   atonce=N      how many are kept running
 *   alive=N       how many are alive at the same time
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "limit.h"

static int null_fd;
static bool many_open;

/* Starts `program` on /dev/null. */
static pid_t start_ignored(char *program)
{
  char *argv[] = {program, NULL};
  int stdio[3] = {null_fd, null_fd, null_fd};
  if (many_open) return limit_vfork_few(argv, stdio, null_fd + 1);
  return limit_vfork(argv, stdio);
}

/* Starts `program` on three pipes, whose other ends are put into `ends`. */
static pid_t start_with_pipes(char *program, int ends[3])
{
  char *argv[] = {program, NULL};
  int in[2], out[2], err[2];
  limit_pipe(in);
  limit_pipe(out);
  limit_pipe(err);
  int stdio[3] = {in[0], out[1], err[1]};
  pid_t pid = limit_vfork(argv, stdio);
  close(in[0]);
  close(out[1]);
  close(err[1]);
  ends[0] = in[1];
  ends[1] = out[0];
  ends[2] = err[0];
  return pid;
}

/* Starts `program` on three pipes, waits for it, and closes them. */
static void run_with_pipes(char *program)
{
  int ends[3];
  limit_wait(start_with_pipes(program, ends));
  for (int i = 0; i < 3; i++) close(ends[i]);
}

static void read_to_end(int fd)
{
  static char buffer[64 * 1024];
  ssize_t got;
  while ((got = read(fd, buffer, sizeof buffer)) > 0) {
  }
  if (got < 0) limit_fail("read");
  close(fd);
}

/* Starts `program` on three pipes, gives it no input, reads its output, and waits for it. */
static void read_and_wait(char *program)
{
  int ends[3];
  pid_t pid = start_with_pipes(program, ends);
  close(ends[0]);
  read_to_end(ends[1]);
  read_to_end(ends[2]);
  limit_wait(pid);
}

/* Runs children for `seconds`: one at a time by `run`, or `at_once` together if it is NULL. Returns
 * the microseconds that each took. */
static double spawn_for(double seconds, char *program, void (*run)(char *), int at_once)
{
  double start = limit_now();
  long ended = 0;
  int running = 0;
  do {
    if (run) {
      run(program);
    } else {
      for (; running < at_once; running++) start_ignored(program);
      limit_wait(-1);
      running--;
    }
    ended++;
  } while (limit_now() - start < seconds);
  for (; running > 0; running--, ended++) limit_wait(-1);
  return (limit_now() - start) / (double)ended * 1e6;
}

/* The microseconds that each call took by which a child was started, one child at a time. */
static double call_for(double seconds, char *program)
{
  double start = limit_now(), in_calls = 0, before;
  long count = 0;
  do {
    before = limit_now();
    pid_t pid = start_ignored(program);
    in_calls += limit_now() - before;
    limit_wait(pid);
    count++;
  } while (before - start < seconds);
  return in_calls / (double)count * 1e6;
}

static double resident_kib(void)
{
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%*d %ld", &pages) != 1) limit_fail("/proc/self/statm");
  fclose(file);
  return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1024;
}

/* Prints KiB of memory, microseconds to start, and microseconds to end, for each child. */
static void keep_alive(char *program, int count)
{
  double memory = resident_kib(), start = limit_now();
  pid_t *pids = calloc((size_t)count, sizeof *pids);
  if (!pids) limit_fail("calloc");
  for (int i = 0; i < count; i++) pids[i] = start_ignored(program);
  double started = limit_now();
  memory = resident_kib() - memory;
  double ending = limit_now();
  for (int i = 0; i < count; i++) kill(pids[i], SIGTERM);
  for (int i = 0; i < count; i++) limit_wait(pids[i]);
  double ended = limit_now();
  free(pids);
  printf("%f %f %f\n", memory / count, (started - start) / count * 1e6,
         (ended - ending) / count * 1e6);
}

/* Opens `count` more descriptors. */
static void open_many(int count)
{
  for (int i = 0; i < count; i++) {
    if (open("/dev/null", O_RDWR | O_CLOEXEC) < 0) limit_fail("/dev/null");
  }
  many_open = count > 0;
}

/* Takes `bytes` of memory, every page of it. */
static void use_memory(size_t bytes)
{
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
  if (mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED) limit_fail("mmap");
}

int main(int argc, char **argv)
{
  (void)argc;
  const char *work = limit_text(argv, "work", "spawn");
  char *program = limit_text(argv, "program", "/bin/true");
  double seconds = limit_number(argv, "seconds", 1);
  bool pipes = limit_number(argv, "pipes", 0) > 0;
  int at_once = (int)limit_number(argv, "atonce", 1);
  int alive = (int)limit_number(argv, "alive", 0);
  int open_count = (int)limit_number(argv, "open", 0);
  size_t heap = (size_t)limit_number(argv, "heap", 0) << 20;

  null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null_fd < 0) limit_fail("/dev/null");
  open_many(open_count);
  if (heap > 0) use_memory(heap);

  if (strcmp(work, "alive") == 0) {
    keep_alive(program, alive);
  } else if (strcmp(work, "call") == 0) {
    call_for(seconds / 5, program);
    printf("%f\n", call_for(seconds, program));
  } else {
    bool reads = strcmp(work, "await") == 0 || strcmp(work, "command") == 0;
    void (*with_pipes)(char *) =
        reads || strcmp(work, "sync") == 0 ? read_and_wait : run_with_pipes;
    void (*run)(char *) = pipes || reads ? with_pipes : NULL;
    spawn_for(seconds / 5, program, run, at_once);
    printf("%f\n", spawn_for(seconds, program, run, at_once));
  }
  return 0;
}
