/* Walks over the interests of the poller and libuv's handles. */
#include "core/loop/holders.h"

#include "core/loop/due.h"
#include "core/loop/poller.h"
#include "core/loop/retry.h"

static bool interest_holds(const cp_interest *interest)
{
  return interest->events != 0 && interest->referenced;
}

/* Skips polls, which belong to interests, and check handles: the only referenced one is the keeper
 * of loop.c. */
static bool handle_holds(const uv_handle_t *handle)
{
  return uv_is_active(handle) && uv_has_ref(handle) && !uv_is_closing(handle) &&
         handle->type != UV_POLL && handle->type != UV_CHECK;
}

typedef struct visit {
  const cp_loop *loop;
  cp_holder_cb callback;
  void *argument;
} visit;

/* Whether the handle stands for interests, due entries or retries, which are visited themselves. */
static bool stands_for_others(const cp_loop *loop, const uv_handle_t *handle)
{
  const cp_interest *interest = NULL;

  if (handle == cp_due_handle(loop) || handle == cp_retry_handle(loop)) {
    return true;
  }
  CP_LIST_FOREACH(interest, &loop->interests, entry)
  {
    if (interest->refused && handle->data == interest) {
      return true;
    }
  }
  return false;
}

static void visit_handle(uv_handle_t *handle, void *argument)
{
  const visit *v = argument;

  if (handle_holds(handle) && !stands_for_others(v->loop, handle)) {
    v->callback(v->argument, -1, uv_handle_type_name(handle->type), handle->data);
  }
}

static void visit_due(void *argument, void *owner)
{
  const visit *v = argument;

  v->callback(v->argument, -1, uv_handle_type_name(UV_IDLE), owner);
}

static void visit_retry(void *argument, void *owner)
{
  const visit *v = argument;

  v->callback(v->argument, -1, uv_handle_type_name(UV_TIMER), owner);
}

void cp_holders_visit(const cp_loop *loop, cp_holder_cb callback, void *argument)
{
  visit v = {loop, callback, argument};
  const cp_interest *interest = NULL;

  CP_LIST_FOREACH(interest, &loop->interests, entry)
  {
    if (interest_holds(interest)) {
      callback(argument, interest->fd, NULL, interest->owner);
    }
  }
  cp_due_visit(loop, NULL, visit_due, &v);
  cp_retry_visit(loop, visit_retry, &v);
  uv_walk(loop->uv, visit_handle, &v);
}

typedef struct search {
  const void *ignored;
  bool found;
} search;

static void search_handle(uv_handle_t *handle, void *argument)
{
  search *s = argument;

  s->found = s->found || (handle != s->ignored && handle_holds(handle));
}

bool cp_holders_exist(const cp_loop *loop)
{
  search s = {.ignored = cp_due_handle(loop)};
  const cp_interest *interest = NULL;

  CP_LIST_FOREACH(interest, &loop->interests, entry)
  {
    s.found = s.found || interest_holds(interest);
  }
  uv_walk(loop->uv, search_handle, &s);
  return s.found;
}
