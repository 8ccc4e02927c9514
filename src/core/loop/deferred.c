/* A queue of entries, which the next run serves first. */
#include "core/loop/deferred.h"

bool cp_defer_if_ending(cp_loop *loop, cp_deferred *deferred)
{
  if (!cp_loop_is_ending(loop)) {
    cp_deferred_remove(loop, deferred);
    return false;
  }
  if (!deferred->is_deferred) {
    deferred->is_deferred = true;
    CP_QUEUE_ADD(&loop->deferred, deferred, entry);
  }
  return true;
}

void cp_deferred_remove(cp_loop *loop, cp_deferred *deferred)
{
  if (deferred->is_deferred) {
    deferred->is_deferred = false;
    CP_QUEUE_REMOVE(&loop->deferred, deferred, entry);
  }
}

bool cp_deferred_serve(cp_loop *loop)
{
  cp_deferred *deferred = NULL;

  if (CP_QUEUE_IS_EMPTY(&loop->deferred)) {
    return false;
  }
  while (!cp_loop_is_interrupted(loop) && (deferred = CP_QUEUE_FIRST(&loop->deferred)) != NULL) {
    cp_deferred_remove(loop, deferred);
    deferred->callback(deferred->owner);
  }
  return true;
}
