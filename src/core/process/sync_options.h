/* The program to run to its end, its limits, and what came of it. */
#ifndef CP_SYNC_OPTIONS_H
#define CP_SYNC_OPTIONS_H

#include "core/base/buffer.h"
#include "core/process/spawn_options.h"
#include "core/sys/process.h"

#include <stddef.h>
#include <stdint.h>

#define CP_SYNC_NEVER (-1)

typedef struct cp_sync_options {
  cp_spawn_options spawn; /* the pipes in its stdio, and the terminal, are not open yet */
  const char *input;      /* written to the pipe at 0, which is then closed */
  size_t input_length;
  size_t max_buffer; /* the most bytes to read from each of the other pipes */
  int64_t timeout;   /* milliseconds; 0: no limit */
  int kill_signal;   /* sent when a limit is exceeded; with `spawn.tree` to the tree (tree.h) */
  /* Milliseconds after kill_signal until SIGKILL follows, unless the program (with `spawn.tree`,
   * all of the tree) has ended; or CP_SYNC_NEVER. */
  int64_t force_kill_after;
  /* Milliseconds after the end of the program until pipes are closed that others hold; or
   * CP_SYNC_NEVER. */
  int64_t wait_delay;
} cp_sync_options;

/* Returns the child's descriptor as whose output the bytes of its terminal count: standard output,
 * or standard error if that is a pipe, or 0, whose output is dropped, if both are. Returns -1
 * if there is no terminal, or if that of another child is used. */
int cp_sync_terminal_output(const cp_sync_options *options);

/* What was read from a pipe. */
typedef struct cp_sync_output {
  cp_buffer bytes;
  bool cut; /* it was closed because of wait_delay */
} cp_sync_output;

typedef struct cp_sync_result {
  pid_t pid;             /* -1 if it could not be started */
  cp_exit_status status; /* see sys/process.h */
  /* 0 or a negative errno. -ETIMEDOUT, -ENOBUFS (more output than allowed) and -ENOMEM end the
   * run; -ECHILD means that the status was lost; others come from poll(2), read(2) or write(2). It
   * is not an error if the child does not read all of its input. */
  int error;
  bool forced; /* SIGKILL had to follow */
  /* The last signal that was to end the program, if we may signal none of those it was for
   * (EPERM); or 0. */
  int refused;
} cp_sync_result;

#endif
