/* Runs the loop, one iteration at a time.
 *
 * A loop of our own waits in the poller (poller.h), and runs libuv's loop only when a timer, an
 * idle handle or a descriptor of libuv's is due. For most events that saves a system call, and the
 * loop can report a signal that arrives while it waits. The host, or uv_run, runs a host's loop,
 * and libuv polls our poller. */
#ifndef CP_ITERATION_H
#define CP_ITERATION_H

#include "core/loop/loop.h"

/* Runs one iteration: calls back for everything that has happened. If `wait` is set, first waits
 * until something happens, which may be forever if nothing keeps the loop alive. Returns 0, -EINTR
 * if a signal handler ran while it waited, or another negative errno if it cannot wait; after an
 * error nothing has been called back. */
int cp_loop_iterate(cp_loop *loop, bool wait);

/* Returns a descriptor that is readable when the next iteration has something to do. */
int cp_loop_descriptor(const cp_loop *loop);

/* Returns the milliseconds after which the loop needs an iteration even without an event; -1: no
 * limit. */
int cp_loop_timeout(cp_loop *loop);

#endif
