#include "poller.h"

#ifdef CP_POLLER_EPOLL

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
  BATCH = 64,
  /* How often to look in one turn: a child with three pipes has four descriptors that tell. */
  LOOKS = 5,
};

struct cp_poller {
  uv_poll_t poll; /* on the epoll set; first, so that a pointer to it is a pointer to the poller */
  cp_loop *loop;
  int set;
  int referenced; /* watches that keep the loop alive */
  int next;       /* of the batch that is being handled */
  int count;
  struct epoll_event batch[BATCH];
};

/* Calls the watches that are ready. Returns whether the other end of one has gone. */
static bool dispatch(cp_poller *poller)
{
  bool any_gone = false;

  poller->count = epoll_wait(poller->set, poller->batch, BATCH, 0);
  for (poller->next = 0; poller->next < poller->count && !poller->loop->interrupted;) {
    const struct epoll_event *event = &poller->batch[poller->next++];
    cp_watch *watch = event->data.ptr;

    if (watch != NULL) {
      bool gone = (event->events & (EPOLLERR | EPOLLHUP)) != 0;
      int ready = ((event->events & EPOLLIN) != 0 ? CP_WATCH_READ : 0) |
                  ((event->events & EPOLLOUT) != 0 ? CP_WATCH_WRITE : 0) |
                  (gone ? watch->events : 0);

      any_gone = any_gone || gone;
      watch->callback(watch->owner, ready & watch->events);
    }
  }
  poller->count = 0;
  return any_gone;
}

/* A child that ends closes its descriptors one after the other, and each would wake us. After the
 * first the child may have the processor before we look again, so that more comes at once. */
static void on_ready(uv_poll_t *poll, int status, int events)
{
  cp_poller *poller = (cp_poller *)poll;

  (void)status, (void)events;
  poller->loop->interrupted = false;
  for (int i = 0; i < LOOKS && dispatch(poller) && !poller->loop->interrupted; i++) {
    sched_yield();
  }
}

int cp_poller_open(cp_loop *loop)
{
  cp_poller *poller = malloc(sizeof(*poller));
  int r = 0;

  if (poller == NULL) {
    return UV_ENOMEM;
  }
  *poller = (cp_poller){.loop = loop, .set = epoll_create1(EPOLL_CLOEXEC)};
  r = poller->set == -1 ? -errno : uv_poll_init(loop->uv, &poller->poll, poller->set);
  if (r < 0) {
    if (poller->set != -1) {
      close(poller->set);
    }
    free(poller);
    return r;
  }
  poller->poll.data = NULL;
  uv_poll_start(&poller->poll, UV_READABLE, on_ready);
  uv_unref((uv_handle_t *)&poller->poll);
  loop->poller = poller;
  return 0;
}

void cp_poller_close(cp_loop *loop)
{
  cp_poller *poller = loop->poller;

  if (poller != NULL) {
    int set = poller->set;

    uv_close((uv_handle_t *)&poller->poll, cp_loop_free_handle);
    close(set);
    loop->poller = NULL;
  }
}

static void count_reference(cp_watch *watch, bool counts)
{
  cp_poller *poller = watch->loop->poller;

  if (watch->counted == counts) {
    return;
  }
  watch->counted = counts;
  poller->referenced += counts ? 1 : -1;
  if (counts && poller->referenced == 1) {
    uv_ref((uv_handle_t *)&poller->poll);
  } else if (!counts && poller->referenced == 0) {
    uv_unref((uv_handle_t *)&poller->poll);
  }
}

int cp_poller_update(cp_watch *watch)
{
  struct epoll_event event = {
      /* That the other end has gone is always told. */
      .events = ((watch->events & CP_WATCH_READ) != 0 ? (uint32_t)EPOLLIN : 0U) |
                ((watch->events & CP_WATCH_WRITE) != 0 ? (uint32_t)EPOLLOUT : 0U),
      .data.ptr = watch,
  };
  bool add = watch->events != 0 && watch->known == 0;
  int operation = watch->events == 0 ? EPOLL_CTL_DEL : (add ? EPOLL_CTL_ADD : EPOLL_CTL_MOD);

  if (watch->busy) {
    return cp_poller_uv_update(watch);
  }
  if (watch->known != watch->events) {
    if (epoll_ctl(watch->loop->poller->set, operation, watch->fd, &event) == -1) {
      return -errno;
    }
    watch->known = watch->events;
  }
  count_reference(watch, watch->events != 0 && watch->referenced);
  return 0;
}

void cp_poller_forget(cp_watch *watch)
{
  cp_poller *poller = watch->loop->poller;

  if (watch->busy) {
    cp_poller_uv_forget(watch);
    return;
  }
  count_reference(watch, false);
  if (watch->known != 0) {
    /* Closing the descriptor would not do: for a moment a child that is being started has it too. */
    epoll_ctl(poller->set, EPOLL_CTL_DEL, watch->fd, NULL);
  }
  for (int i = poller->next; i < poller->count; i++) {
    if (poller->batch[i].data.ptr == watch) {
      poller->batch[i].data.ptr = NULL;
    }
  }
}

#else
typedef int cp_poller_epoll_unused;
#endif
