/* The pipes of a synchronous run, and its terminal: what goes into the program and what comes out
 * of it. */
#ifndef CP_SYNC_PIPES_H
#define CP_SYNC_PIPES_H

#include "core/process/sync_options.h"

#include <poll.h>

typedef struct cp_sync_pipes {
  const cp_sync_options *options;
  cp_sync_output *outputs;
  struct pollfd *polled; /* our ends of the pipes, -1 once closed; then an entry for the caller */
  int *child_fds;        /* for each of these ends, the child's descriptor, as that of its output */
  int count;
  int terminal; /* the index of the terminal among them, or -1 */
  int open;     /* number of those that are not closed */
  int error;    /* the first one of a pipe, a negative errno; 0: none */
  size_t written;
} cp_sync_pipes;

/* Makes the tables. Returns 0 or -ENOMEM. */
int cp_sync_pipes_init(cp_sync_pipes *pipes, const cp_sync_options *options,
                       cp_sync_output *outputs);

/* Fills the list of polled descriptors, and writes as much of the input as fits. Call it when the
 * program was started. */
void cp_sync_pipes_begin(cp_sync_pipes *pipes);

/* Reads and writes after poll(2). Returns 0, or a failure that ends the run: -ENOBUFS, if there is
 * more output than allowed, or -ENOMEM. */
int cp_sync_pipes_exchange(cp_sync_pipes *pipes);

/* Lets the output of the terminal end, because the program has ended. Returns as
 * cp_sync_pipes_exchange does. May be called again. */
int cp_sync_pipes_let_end(cp_sync_pipes *pipes);

/* Closes the pipes, although other processes hold them, after what has arrived. Marks the outputs
 * that were not at their end. Returns as cp_sync_pipes_exchange does. */
int cp_sync_pipes_cut(cp_sync_pipes *pipes);

/* Closes our ends, so that a child which writes on does not block. */
void cp_sync_pipes_close(cp_sync_pipes *pipes);

void cp_sync_pipes_free(cp_sync_pipes *pipes);

#endif
