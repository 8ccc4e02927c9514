/* Pipes, one-way and two-way, that connect this process to a child. */
#ifndef CP_PIPE_H
#define CP_PIPE_H

#include <stdbool.h>

/* Makes a one-way pipe. Both ends are close-on-exec; `ours` is non-blocking, `theirs` blocking. If
 * `writing` is set, we write and the child reads; otherwise the reverse. Returns 0 or a negative
 * errno. */
int cp_pipe_open(bool writing, int *ours, int *theirs);

/* Makes a two-way pipe (a pair of Unix stream sockets), with the same properties. */
int cp_pipe_open_duplex(int *ours, int *theirs);

/* Replaces the file of `fd` by a socket whose other end is closed: reading finds end-of-file, and
 * writing fails with EPIPE. Returns `fd`; or closes it and returns -1 if the system has no
 * descriptor left. */
int cp_pipe_break(int fd);

/* Enlarges a pipe that moves much data. Does nothing if the system refuses. */
void cp_pipe_enlarge(int fd);

#endif
