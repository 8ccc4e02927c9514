/* Calls back when a child may have ended, for systems without pidfds: at SIGCHLD, unless the host
 * handles that, and by a timer. */
#ifndef CP_SIGCHLD_H
#define CP_SIGCHLD_H

#include "core/loop/loop.h"

typedef void (*cp_sigchld_cb)(void *owner);

typedef struct cp_sigchld {
  cp_loop *loop;
  cp_sigchld_cb callback;
  void *owner;
  uv_signal_t *signal; /* NULL while stopped, and while the host handles SIGCHLD */
  uv_timer_t *timer;   /* NULL while stopped */
} cp_sigchld;

/* Initializes it; it is stopped. */
void cp_sigchld_init(cp_sigchld *sigchld, cp_loop *loop, cp_sigchld_cb callback, void *owner);

/* Starts calling `callback` whenever a child may have ended. Does nothing if it is already started.
 * Returns 0 or a negative errno. Keeps the loop alive. */
int cp_sigchld_start(cp_sigchld *sigchld);
void cp_sigchld_stop(cp_sigchld *sigchld);

/* Calls back once more soon, if it is started. */
void cp_sigchld_repeat(const cp_sigchld *sigchld);

bool cp_sigchld_is_started(const cp_sigchld *sigchld);

/* Sets whether it keeps the loop alive while it is started. */
void cp_sigchld_reference(cp_sigchld *sigchld, bool referenced);

#endif
