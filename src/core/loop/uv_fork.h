/* Repairs a libuv loop in a copy of the process, which fork(2) has made.
 *
 * The copy shares the epoll set and the signal pipe behind such a loop with the original. libuv's
 * uv_loop_fork makes new ones, but with other descriptor numbers, and it loses signals. */
#ifndef CP_UV_FORK_H
#define CP_UV_FORK_H

#include <uv.h>

/* Gives the loop another signal pipe with the same descriptor numbers, so that the original does
 * not read the signals that the copy receives. Call it in the copy before fork(2) returns. */
void cp_uv_fork_replace_signal_pipe(const uv_loop_t *uv);

/* Gives the loop an epoll set, a wakeup and a signal pipe of its own. Its backend descriptor keeps
 * its number, since a host may poll that. Signals that the copy has received are kept. Returns 0 or
 * a negative errno; after an error the loop must not be run. */
int cp_uv_fork_renew(uv_loop_t *uv);

/* Corrects libuv's counts of caught signals: those that the original has caught but not delivered
 * never reach the copy, and libuv would wait for them before it closes a signal handle. Must not be
 * called in the callback of a signal. */
void cp_uv_fork_correct_signal_counts(uv_loop_t *uv);

#endif
