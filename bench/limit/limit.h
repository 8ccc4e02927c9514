/* What the limit programs share: options, the clock, and starting a program in the cheapest way
 * that the kernel has. */
#ifndef LIMIT_H
#define LIMIT_H

#include <stddef.h>
#include <sys/types.h>

/* What a pipe is enlarged to, here as in the module. */
#define LIMIT_PIPE_BYTES (256 * 1024)

/* The value of the argument `name=value`, or `fallback` if it is not given. */
char *limit_text(char **argv, const char *name, char *fallback);
double limit_number(char **argv, const char *name, double fallback);

/* Seconds on a clock that only goes forward. */
double limit_now(void);

/* Reports the failed call with errno and ends the program. */
_Noreturn void limit_fail(const char *call);

/* A close-on-exec pipe: ends[0] reads, ends[1] writes. */
void limit_pipe(int ends[2]);

/* Makes the pipe that `fd` is an end of hold LIMIT_PIPE_BYTES. */
void limit_enlarge(int fd);

/* Starts argv[0] by vfork with stdio[0..2] as its descriptors 0 to 2; returns its pid. */
pid_t limit_vfork(char *const argv[], const int stdio[3]);

/* The same without a copy of the parent's descriptors: those numbered `keep` and above are never
 * seen by the child, so what stdio names has to lie below. Cheaper than vfork when the parent has
 * many open. */
pid_t limit_vfork_few(char *const argv[], const int stdio[3], int keep);

/* Forks a process that calls `run` with one end of a socket pair and then ends; returns the other
 * end. */
int limit_fork(void (*run)(int fd));

/* Waits for `pid` (-1: any child), fails unless it succeeded or was ended by a signal. */
void limit_wait(pid_t pid);

#endif
