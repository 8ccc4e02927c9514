/* The program of a synchronous run: when it has to end, its end, and how it is brought about. */
#ifndef CP_SYNC_CHILD_H
#define CP_SYNC_CHILD_H

#include "core/process/spawner.h"
#include "core/process/sync_options.h"
#include "core/process/tree.h"

#include <poll.h>

typedef struct cp_sync_child {
  const cp_sync_options *options;
  cp_spawner *spawner;
  cp_sync_result *result;
  cp_tree tree;
  cp_tree_known remembered; /* members of the tree while SIGKILL may have to follow */
  int64_t deadline;         /* in milliseconds of a monotonic clock; INT64_MAX: never */
  int64_t cut_at;           /* the same, when the pipes are to be cut */
  int nap;                  /* milliseconds */
  bool ended;               /* we know that it has ended */
} cp_sync_child;

/* Starts the program, whose pipes are open. Returns as cp_spawn does. */
int cp_sync_child_start(cp_sync_child *child, const cp_sync_options *options, cp_spawner *spawner,
                        cp_sync_result *result, cp_spawn_failure *failure);

/* What to poll to notice the end of the program, if the time is limited or somebody has to know.
 * Otherwise the end of all pipes is enough, and then cp_sync_child_wait. */
struct pollfd cp_sync_child_polled(const cp_sync_child *child);
bool cp_sync_child_is_watched(const cp_sync_child *child);

/* The timeout for poll(2). */
int cp_sync_child_time_left(cp_sync_child *child);

/* Call it after poll(2): finds out whether the program has ended. */
void cp_sync_child_check(cp_sync_child *child, struct pollfd *polled);

bool cp_sync_child_is_late(const cp_sync_child *child);

/* Whether the program has ended, and other processes have held its pipes for too long. */
bool cp_sync_child_is_to_cut(const cp_sync_child *child);

/* Sends the signal of the options. */
void cp_sync_child_kill(cp_sync_child *child);

/* After that: waits a moment for the end of a child at a terminal: CP_TERMINAL_TIME_TO_END_MS. */
void cp_sync_child_give_time(cp_sync_child *child);

/* After that: waits until the signal has ended what it was sent to, or sends SIGKILL. */
void cp_sync_child_force(cp_sync_child *child);

/* Waits for the end, unless that was noticed, and stores the status in the result. */
void cp_sync_child_wait(cp_sync_child *child);

/* Closes the descriptor of a program that has ended, and forgets its tree. */
void cp_sync_child_close(cp_sync_child *child);

#endif
