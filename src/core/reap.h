/* One child, from its start to its status.
 *
 * A child is watched through a pidfd, so that no signal handler is needed, nobody else's children
 * are touched, and a signal can never reach another process that got the same id. Where the system
 * has no pidfds, SIGCHLD is handled and each child asked about by its own id. */
#ifndef CP_REAP_H
#define CP_REAP_H

#include "loop.h"
#include "pidfd.h"
#include "spawn.h"
#include "watch.h"

typedef struct cp_child cp_child;

/* Called once, when the child has ended and was reaped. */
typedef void (*cp_child_exit_cb)(void *owner, cp_exit_status status);

struct cp_child {
  cp_loop *loop;
  cp_child *next;
  cp_child *previous;
  cp_watch watch;
  cp_child_exit_cb on_exit;
  void *owner;
  pid_t pid;
  int pidfd;
  bool running;
  bool referenced;
};

/* Starts a program as cp_spawn does and watches it. */
int cp_child_start(cp_child *child, cp_loop *loop, const cp_spawn_options *options,
                   cp_child_exit_cb on_exit, void *owner);

/* Sends a signal, 0 to probe. -ESRCH after the child has ended. */
int cp_child_kill(cp_child *child, int signum);

/* Whether the child's running keeps the loop alive; it does at first. */
void cp_child_reference(cp_child *child, bool referenced);

/* Forgets a child. One that still runs goes on, and is reaped when it ends. May be called twice. */
void cp_child_release(cp_child *child);

/* Ends what the fallback without pidfds keeps on the loop. For cp_loop_destroy. */
void cp_reap_close(cp_loop *loop);

#endif
