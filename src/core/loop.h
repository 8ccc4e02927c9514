/* The event loop, with what everything that runs on it shares.
 *
 * There is one cp_loop for each Lua state. It turns a loop of its own, or one that the host program
 * brought along. Nothing in it is shared with other loops, so each may run on a thread of its own.
 *
 * Throughout src/core, functions that can fail return 0 (or a count) on success and a negative
 * errno on failure. */
#ifndef CP_LOOP_H
#define CP_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <uv.h>

#ifndef __linux__
#error "child_process runs on Linux"
#endif

struct cp_channel;
struct cp_child;
struct cp_lookup;
struct cp_poller;
struct cp_spawner;
struct cp_watch;

typedef struct cp_loop {
  uv_loop_t *uv;
  char *read_buffer; /* CP_READ_SIZE bytes (pipe.h), valid until the next read on this loop */
  struct cp_spawner *spawner;              /* what starting programs needs, see spawn.h */
  struct cp_poller *poller;                /* see poller.h */
  struct cp_watch *watches;                /* all there are, see watch.h */
  struct cp_child *children;               /* those that run, see reap.h */
  uv_signal_t *sigchld;                    /* only where there are no pidfds, see reap.c */
  uv_timer_t *sweep;                       /* the same */
  TAILQ_HEAD(, cp_channel) due_channels;   /* see channel.h */
  uv_idle_t *channel_idle;                 /* makes a turn for them */
  unsigned channel_round;                  /* counts these */
  TAILQ_HEAD(, cp_lookup) waiting_lookups; /* see lookup.h */
  int lookups;                             /* that are being answered */
  bool changed;     /* since the last turn in a way that the backend does not know of yet */
  bool interrupted; /* the rest of this turn is left for the next one */
  bool owned;
  uv_loop_t own;
} cp_loop;

/* Makes a loop. With `host` NULL it turns a loop of its own, else the host's, which has to outlive
 * it. The environment variables CHILD_PROCESS_NO_PIDFD and CHILD_PROCESS_NO_VFORK, when set to
 * something but the empty string, select the fallbacks for systems that lack these. */
int cp_loop_init(cp_loop *loop, uv_loop_t *host);

/* Closes the loop without calling anybody back. Watches, streams and children have been closed or
 * released before. On a host's loop the handles that we have closed disappear with its next turn. */
void cp_loop_destroy(cp_loop *loop);

/* Ends the running turn of the loop after the present callback, and lets uv_run return. Nothing is
 * lost: descriptors that are ready will be so in the next turn, too. */
void cp_loop_interrupt(cp_loop *loop);

/* Whether a handle keeps the loop alive while it is active. */
void cp_loop_reference_handle(uv_handle_t *handle, bool referenced);

/* A close callback for handles that were allocated. */
void cp_loop_free_handle(uv_handle_t *handle);

#endif
