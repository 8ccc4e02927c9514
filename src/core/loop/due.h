/* Work for the next iteration of the loop.
 *
 * An owner that has something to do without waiting for an event makes its entry due. The loop
 * calls it back in its next iteration, and neither waits nor ends before that. */
#ifndef CP_DUE_H
#define CP_DUE_H

#include "core/loop/loop.h"

typedef struct cp_due_queue cp_due_queue;

typedef void (*cp_due_cb)(void *owner);

/* Set the first two fields, and zero the others. */
typedef struct cp_due {
  cp_due_cb callback;
  void *owner;
  bool is_due;
  unsigned round; /* when it became due */
  CP_QUEUE_ENTRY(cp_due) entry;
} cp_due;

int cp_due_open(cp_loop *loop);
void cp_due_close(cp_loop *loop);

/* The slow path of cp_due_add. */
void cp_due_insert(cp_loop *loop, cp_due *due);

/* Makes an entry due, if it is not. It must not move until it was called back or removed. */
static inline void cp_due_add(cp_loop *loop, cp_due *due)
{
  if (!due->is_due) {
    cp_due_insert(loop, due);
  }
}

/* Cancels: the entry is not called back. */
void cp_due_remove(cp_loop *loop, cp_due *due);

/* Calls back the due entries, until the iteration is interrupted. Returns whether any were due. */
bool cp_due_serve(cp_loop *loop);

/* Calls `visit` with the owner of each due entry that has this callback; NULL for any. */
void cp_due_visit(const cp_loop *loop, cp_due_cb callback,
                  void (*visit)(void *argument, void *owner), void *argument);

/* The handle that keeps the loop alive while anything is due. */
const uv_handle_t *cp_due_handle(const cp_loop *loop);

#endif
