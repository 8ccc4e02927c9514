/* A list of all threads' outboxes, and a function that exit(3) calls. */
#include "core/channel/exit_flush.h"

#include "core/loop/fork.h"
#include "core/loop/retry.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static CP_LIST(cp_exit_flush) all = {NULL};

/* Sends as much as the socket takes. If the system is short of memory it retries for a while. */
static int send_patiently(const cp_exit_flush *flush)
{
  int r = cp_outbox_send(flush->outbox, flush->fd);

  for (int i = 0; i < CP_RETRY_TRIES && cp_retry_helps(r); i++) {
    poll(NULL, 0, CP_RETRY_MS);
    r = cp_outbox_send(flush->outbox, flush->fd);
  }
  return r;
}

/* The other side may be waiting in the same way, so this reads and drops whatever it sends. */
void cp_exit_flush_write(const cp_exit_flush *flush)
{
  char unwanted[4096];
  short events = POLLIN | POLLOUT;

  if (flush->process != getpid()) {
    return; /* it was cancelled, or this process was forked: the original writes the outbox */
  }
  cp_outbox_release(flush->outbox);
  while (send_patiently(flush) == -EAGAIN) {
    struct pollfd polled = {flush->fd, events, 0};

    if (poll(&polled, 1, -1) == -1 && errno != EINTR) {
      return;
    }
    if ((polled.revents & POLLIN) != 0 &&
        recv(flush->fd, unwanted, sizeof(unwanted), MSG_DONTWAIT) == 0) {
      events = POLLOUT;
    }
  }
}

static void flush_at_exit(void)
{
  const cp_exit_flush *flush = NULL;

  cp_fork_lock();
  CP_LIST_FOREACH(flush, &all, entry)
  {
    /* Another thread may be using its outbox at this moment. */
    if (pthread_equal(flush->thread, pthread_self())) {
      cp_exit_flush_write(flush);
    }
  }
  cp_fork_unlock();
}

static void register_exit(void)
{
  atexit(flush_at_exit);
}

void cp_exit_flush_add(cp_exit_flush *flush, int fd, cp_outbox *outbox)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;

  pthread_once(&once, register_exit);
  *flush =
      (cp_exit_flush){.fd = fd, .outbox = outbox, .thread = pthread_self(), .process = getpid()};
  cp_fork_lock();
  CP_LIST_INSERT(&all, flush, entry);
  cp_fork_unlock();
}

void cp_exit_flush_remove(cp_exit_flush *flush)
{
  cp_fork_lock();
  CP_LIST_REMOVE(flush, entry);
  cp_fork_unlock();
}

void cp_exit_flush_cancel(cp_exit_flush *flush)
{
  flush->process = 0;
}
