/* Events that are deferred to the next run.
 *
 * In each iteration libuv calls back for everything that is ready, also after cp_loop_interrupt has
 * ended the run. Then a callback adds its entry here and returns, without changing what it was
 * called for: libuv calls it again, and its handle keeps the loop alive if it is referenced. The
 * next iteration begins with the entries, in the order in which they were added. So an event that
 * ends every run does not keep the others from coming. */
#ifndef CP_DEFERRED_H
#define CP_DEFERRED_H

#include "core/loop/loop.h"

typedef void (*cp_deferred_cb)(void *owner);

/* Set the first two fields, and zero the others. */
typedef struct cp_deferred {
  cp_deferred_cb callback; /* handles the event; called instead of libuv's callback */
  void *owner;
  bool is_deferred;
  CP_QUEUE_ENTRY(cp_deferred) entry;
} cp_deferred;

/* Call this in libuv's callback. Defers the event and returns true if the run is to end. Otherwise
 * the callback handles the event, so an entry that was deferred earlier is removed. */
bool cp_defer_if_ending(cp_loop *loop, cp_deferred *deferred);

/* Call this when the event is cancelled, and before the entry is freed. */
void cp_deferred_remove(cp_loop *loop, cp_deferred *deferred);

/* Calls back the entries, until the iteration is interrupted. Returns whether there were any. */
bool cp_deferred_serve(cp_loop *loop);

#endif
