/* Running a program to its end.
 *
 * The calling thread waits; no loop is turned and no callback called meanwhile. */
#ifndef CP_SYNC_H
#define CP_SYNC_H

#include "buffer.h"
#include "pidfd.h"
#include "spawn.h"

#include <stddef.h>
#include <stdint.h>

typedef struct cp_sync_options {
  cp_spawn_options spawn;
  int *ours;         /* for each of spawn.fds our end if it is a new pipe, else -1; see pipe.h */
  const char *input; /* goes into the pipe at fd 0, which is closed then */
  size_t input_length;
  size_t max_buffer; /* bytes that each other pipe may bring */
  int64_t timeout;   /* milliseconds; 0: any time */
  int kill_signal;   /* sent when one of these is exceeded */
} cp_sync_options;

typedef struct cp_sync_result {
  pid_t pid;
  cp_exit_status status; /* a negative code if nobody knows it */
  /* 0, or what went wrong: -ETIMEDOUT, -ENOBUFS (more output than allowed) or -ENOMEM, which end the
   * waiting; else -EPIPE (the child did not take all of its input) or -ECHILD (the status was lost). */
  int error;
} cp_sync_result;

/* Starts a program, and returns when it has ended and all its pipes are closed at the other end: its
 * own descriptors and those of its descendants. When a limit is exceeded our ends are closed at once,
 * and only the program itself is waited for. `outputs` has an empty buffer for each of spawn.fds, which
 * get what the pipes bring; the caller frees them. Both ends of all pipes are closed at the return.
 * Returns a negative errno if the program could not be started. */
int cp_sync_run(cp_spawner *spawner, const cp_sync_options *options, cp_buffer *outputs,
                cp_sync_result *result);

#endif
