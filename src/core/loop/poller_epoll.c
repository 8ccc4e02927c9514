/* Keeps one epoll set for each loop. The loop waits in it, or the host's loop polls it. */
#include "core/loop/poller.h"

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/base/owned.h"
#include "core/loop/deferred.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
  BATCH = 64,
  /* The most looks at the set in one iteration. A child with three pipes has four descriptors that
   * report its end. */
  LOOKS = 5,
};

struct cp_poller {
  uv_poll_t poll; /* on a host's loop; first, so that a pointer to it is a pointer to the poller */
  cp_loop *loop;
  cp_deferred deferred; /* on a host's loop */
  int set;
  bool was_cut; /* the last batch was not handled completely */
  int next;     /* index in the batch of the event to handle next */
  int count;
  struct epoll_event batch[BATCH];
};

/* Returns whether the other end has closed. */
static bool call_back(const struct epoll_event *event)
{
  cp_interest *interest = event->data.ptr;
  bool gone = (event->events & (EPOLLERR | EPOLLHUP)) != 0;
  int ready = ((event->events & EPOLLIN) != 0 ? CP_POLLER_READ : 0) |
              ((event->events & EPOLLOUT) != 0 ? CP_POLLER_WRITE : 0) |
              (gone ? interest->events : 0);

  CP_ASSERT(interest->loop != NULL); /* it has not been forgotten */
  interest->callback(interest->owner, ready & interest->events);
  return gone;
}

/* Calls back for the events that have occurred. Returns their number, or a negative errno. Stores
 * whether the other end of any descriptor has closed. */
static int dispatch(cp_poller *poller, int timeout, bool *any_gone)
{
  /* The kernel queues reported descriptors behind the other ready ones. After a batch that was
   * interrupted we take one event at a time, so that a callback that interrupts each iteration does
   * not starve the others. */
  int found = epoll_wait(poller->set, poller->batch, poller->was_cut ? 1 : BATCH, timeout);

  *any_gone = false;
  if (found == -1) {
    return -errno;
  }
  uv_update_time(poller->loop->uv);
  poller->count = found;
  for (poller->next = 0; poller->next < poller->count && !cp_loop_is_interrupted(poller->loop);) {
    const struct epoll_event *event = &poller->batch[poller->next++];

    if (event->data.ptr == poller) {
      poller->loop->uv_ready = true;
    } else if (event->data.ptr != NULL) {
      *any_gone = call_back(event) || *any_gone;
    }
  }
  poller->was_cut = poller->next < poller->count;
  poller->count = 0;
  return found;
}

/* An ending child closes its descriptors one by one, and each would wake us. After the first we
 * yield the processor to the child before we look again, so that several arrive at once. */
static int look(cp_poller *poller, int timeout)
{
  bool any_gone = false;
  int found = dispatch(poller, timeout, &any_gone);

  for (int i = 1; i < LOOKS && any_gone && !cp_loop_is_interrupted(poller->loop); i++) {
    sched_yield();
    (void)dispatch(poller, 0, &any_gone);
  }
  return found;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
  cp_poller *poller = (cp_poller *)poll;

  (void)status, (void)events;
  if (cp_loop_claim(poller->loop) || cp_defer_if_ending(poller->loop, &poller->deferred)) {
    return;
  }
  cp_loop_begin_iteration(poller->loop);
  look(poller, 0);
}

static void on_deferred(void *owner)
{
  (void)look(owner, 0);
}

/* Lets libuv wait for our set. */
static int nest_in_uv(cp_poller *poller)
{
  int r = uv_poll_init(poller->loop->uv, &poller->poll, poller->set);

  if (r == 0) {
    poller->poll.data = NULL;
    uv_unref((uv_handle_t *)&poller->poll);
  }
  return r;
}

/* Lets our set wait for libuv's descriptors. */
static int nest_uv(cp_poller *poller)
{
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = poller};
  int backend = uv_backend_fd(poller->loop->uv);

  return epoll_ctl(poller->set, EPOLL_CTL_ADD, backend, &event) == -1 ? -errno : 0;
}

int cp_poller_open(cp_loop *loop)
{
  cp_poller *poller = malloc(sizeof(*poller));
  int r = 0;

  if (poller == NULL) {
    return -ENOMEM;
  }
  *poller = (cp_poller){
      .loop = loop,
      .deferred = {.callback = on_deferred, .owner = poller},
      .set = epoll_create1(EPOLL_CLOEXEC),
  };
  if (poller->set == -1) {
    r = -errno;
  } else {
    r = loop->owned ? nest_uv(poller) : nest_in_uv(poller);
  }
  if (r < 0) {
    if (poller->set != -1) {
      close(poller->set);
    }
    free(poller);
    return r;
  }
  cp_owned_add(poller->set);
  loop->poller = poller; /* for cp_poller_close, also after a failure */
  return loop->owned ? 0 : uv_poll_start(&poller->poll, UV_READABLE, on_ready);
}

void cp_poller_close(cp_loop *loop)
{
  cp_poller *poller = loop->poller;

  if (poller == NULL) {
    return;
  }
  loop->poller = NULL;
  cp_deferred_remove(loop, &poller->deferred);
  if (loop->owned) {
    cp_fd_close(poller->set);
    free(poller);
  } else {
    int set = poller->set;

    uv_close((uv_handle_t *)&poller->poll, cp_loop_free_handle);
    cp_fd_close(set);
  }
}

/* The new set gets the old one's descriptor number, since a host may poll that. If making a set
 * fails, closes the number, so that it does not refer to the original's set. */
int cp_poller_renew(cp_loop *loop)
{
  int number = loop->poller->set;
  int set = epoll_create1(EPOLL_CLOEXEC);
  int r = set == -1 ? -errno : 0;
  cp_interest *interest = NULL;

  CP_LIST_FOREACH(interest, &loop->interests, entry)
  {
    interest->known = 0;
  }
  if (r < 0) {
    loop->poller->set = cp_fd_close(number);
  } else if (dup3(set, number, O_CLOEXEC) == -1) {
    r = -errno;
  } else if (loop->owned) {
    r = nest_uv(loop->poller);
  }
  if (set != -1) {
    close(set);
  }
  return r;
}

void cp_poller_restore(cp_loop *loop)
{
  cp_interest *interest = NULL;

  CP_LIST_FOREACH(interest, &loop->interests, entry)
  {
    if (!interest->refused) {
      cp_poller_update(interest);
    }
  }
}

int cp_poller_wait(cp_loop *loop, int timeout)
{
  return look(loop->poller, timeout);
}

int cp_poller_descriptor(const cp_loop *loop)
{
  return loop->poller->set;
}

static void count_reference(cp_interest *interest, bool counts)
{
  if (interest->counted == counts) {
    return;
  }
  interest->counted = counts;
  if (counts) {
    cp_loop_hold(interest->loop);
  } else {
    cp_loop_release(interest->loop);
  }
}

int cp_poller_update(cp_interest *interest)
{
  struct epoll_event event = {
      /* The kernel always reports that the other end has closed. */
      .events = ((interest->events & CP_POLLER_READ) != 0 ? (uint32_t)EPOLLIN : 0U) |
                ((interest->events & CP_POLLER_WRITE) != 0 ? (uint32_t)EPOLLOUT : 0U),
      .data.ptr = interest,
  };
  bool add = interest->events != 0 && interest->known == 0;
  int operation = interest->events == 0 ? EPOLL_CTL_DEL : (add ? EPOLL_CTL_ADD : EPOLL_CTL_MOD);

  if (interest->known != interest->events) {
    if (epoll_ctl(interest->loop->poller->set, operation, interest->fd, &event) == -1) {
      interest->refused = errno == EPERM;
      return -errno;
    }
    interest->known = interest->events;
  }
  count_reference(interest, interest->events != 0 && interest->referenced);
  return 0;
}

void cp_poller_settle(cp_loop *loop)
{
  (void)loop; /* cp_poller_update has done so */
}

/* Takes the descriptor out of the set. Closing it is not enough: a starting child has a copy for a
 * moment, and the set would keep reporting the copy. */
static void leave_set(const cp_interest *interest)
{
  cp_loop *loop = interest->loop;

  if (epoll_ctl(loop->poller->set, EPOLL_CTL_DEL, interest->fd, NULL) == 0) {
    return;
  }
  /* Other code has closed the descriptor. If a child has a copy, the set keeps reporting the copy,
   * and we have no number to remove it by. So we make a new set. */
  if (cp_poller_renew(loop) == 0) {
    cp_poller_restore(loop);
  }
}

/* Drops the interest's events from the batch that is being handled. */
static void drop_events(cp_poller *poller, const cp_interest *interest)
{
  for (int i = poller->next; i < poller->count; i++) {
    if (poller->batch[i].data.ptr == interest) {
      poller->batch[i].data.ptr = NULL;
    }
  }
}

void cp_poller_forget(cp_interest *interest)
{
  CP_LIST_REMOVE(interest, entry);
  count_reference(interest, false);
  if (interest->known != 0) {
    leave_set(interest);
  }
  drop_events(interest->loop->poller, interest);
}
