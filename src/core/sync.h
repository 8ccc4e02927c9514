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
  cp_spawn_options spawn; /* its field fds is not used */
  int *fds;          /* as many, in which new pipes may stand (see pipe.h); they are replaced */
  const char *input; /* goes into the pipe at fd 0, which is closed then */
  size_t input_length;
  size_t max_buffer; /* bytes that each other pipe may bring */
  int64_t timeout;   /* milliseconds; 0: no limit */
  int kill_signal;   /* sent when one of these is exceeded */
} cp_sync_options;

typedef struct cp_sync_result {
  pid_t pid;             /* -1 if it could not be started */
  cp_exit_status status; /* see pidfd.h */
  /* 0, or what went wrong: -ETIMEDOUT, -ENOBUFS (more output than allowed) or -ENOMEM, which end the
   * waiting; else -EPIPE (the child did not take all of its input), -ECHILD (the status was lost), or what
   * poll(2) and read(2) have reported. */
  int error;
} cp_sync_result;

/* Runs a program. Returns when it has ended and nobody holds the other ends of its pipes any more,
 * descendants included. When a limit is exceeded our ends are closed at once, and only the program itself
 * is waited for. `outputs` has an empty buffer for each of the descriptors, which get what the pipes
 * bring; the caller frees them. Returns a negative errno if the program could not be started. */
int cp_sync_run(cp_spawner *spawner, const cp_sync_options *options, cp_buffer *outputs,
                cp_sync_result *result);

#endif
