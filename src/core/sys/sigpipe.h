/* Keeps SIGPIPE away from a thread during a system call that may raise it and has no flag to
 * prevent that. Does not touch the disposition of the signal, which belongs to the program. */
#ifndef CP_SIGPIPE_H
#define CP_SIGPIPE_H

#include <stdbool.h>

typedef struct cp_sigpipe_guard {
  bool pending; /* the signal was pending before the guard, so it must stay so */
  bool blocked; /* the signal was blocked before the guard */
} cp_sigpipe_guard;

/* Blocks the signal in this thread. */
cp_sigpipe_guard cp_sigpipe_block(void);

/* Drops the pending signal if the call may have `raised` it, and restores the thread's mask.
 * Preserves errno. */
void cp_sigpipe_restore(cp_sigpipe_guard guard, bool raised);

#endif
