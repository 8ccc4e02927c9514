/* A queue of entries, and an idle handle that is active while the queue is not empty. Then libuv
 * does not wait, and calls the handle in each iteration. */
#include "core/loop/due.h"

#include "core/base/assert.h"
#include "core/loop/deferred.h"

#include <errno.h>
#include <stdlib.h>

struct cp_due_queue {
  uv_idle_t idle; /* first, so that a pointer to it is a pointer to the queue */
  cp_loop *loop;
  cp_deferred deferred;
  unsigned round; /* counts the iterations that served entries */
  CP_QUEUE(cp_due) entries;
};

static void on_deferred(void *owner)
{
  (void)cp_due_serve(owner);
}

int cp_due_open(cp_loop *loop)
{
  loop->due = malloc(sizeof(*loop->due));
  if (loop->due == NULL) {
    return -ENOMEM;
  }
  uv_idle_init(loop->uv, &loop->due->idle);
  loop->due->idle.data = NULL;
  loop->due->loop = loop;
  loop->due->deferred = (cp_deferred){.callback = on_deferred, .owner = loop};
  loop->due->round = 0;
  CP_QUEUE_INIT(&loop->due->entries);
  return 0;
}

void cp_due_close(cp_loop *loop)
{
  if (loop->due != NULL) {
    cp_deferred_remove(loop, &loop->due->deferred);
    uv_close((uv_handle_t *)&loop->due->idle, cp_loop_free_handle);
    loop->due = NULL;
  }
}

static void on_idle(uv_idle_t *idle)
{
  cp_loop *loop = ((cp_due_queue *)idle)->loop;

  if (!cp_loop_claim(loop) && !cp_defer_if_ending(loop, &loop->due->deferred)) {
    cp_loop_begin_iteration(loop);
    (void)cp_due_serve(loop);
  }
}

void cp_due_insert(cp_loop *loop, cp_due *due)
{
  due->is_due = true;
  due->round = loop->due->round;
  CP_QUEUE_ADD(&loop->due->entries, due, entry);
  uv_idle_start(&loop->due->idle, on_idle);
  cp_loop_note_work(loop);
}

static void stop_if_empty(cp_due_queue *queue)
{
  if (CP_QUEUE_IS_EMPTY(&queue->entries)) {
    uv_idle_stop(&queue->idle);
  }
}

void cp_due_remove(cp_loop *loop, cp_due *due)
{
  if (due->is_due) {
    due->is_due = false;
    CP_QUEUE_REMOVE(&loop->due->entries, due, entry);
    stop_if_empty(loop->due);
  }
}

/* Returns the next entry of this round. Entries that became due meanwhile are left for the next
 * iteration, so that the loop handles events in between. */
static cp_due *next(const cp_due_queue *queue, unsigned round)
{
  cp_due *due = CP_QUEUE_FIRST(&queue->entries);

  return due == NULL || due->round == round ? NULL : due;
}

bool cp_due_serve(cp_loop *loop)
{
  cp_due_queue *queue = loop->due;
  unsigned round = 0;
  cp_due *due = NULL;

  if (CP_QUEUE_IS_EMPTY(&queue->entries)) {
    return false;
  }
  round = ++queue->round;
  while (!cp_loop_is_interrupted(loop) && (due = next(queue, round)) != NULL) {
    CP_ASSERT(due->is_due);
    CP_QUEUE_REMOVE(&queue->entries, due, entry);
    due->is_due = false;
    due->callback(due->owner);
  }
  stop_if_empty(queue);
  return true;
}

void cp_due_visit(const cp_loop *loop, cp_due_cb callback,
                  void (*visit)(void *argument, void *owner), void *argument)
{
  cp_due *due = NULL;

  CP_QUEUE_FOREACH(due, &loop->due->entries, entry)
  {
    if (callback == NULL || due->callback == callback) {
      visit(argument, due->owner);
    }
  }
}

const uv_handle_t *cp_due_handle(const cp_loop *loop)
{
  return (const uv_handle_t *)&loop->due->idle;
}
