#include "channel_exit.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static LIST_HEAD(, cp_channel) all_channels = LIST_HEAD_INITIALIZER(all_channels);
static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;

/* The other side may be waiting for us to read in the same way. */
void cp_channel_exit_flush(cp_channel *channel)
{
  char unwanted[4096];
  short events = POLLIN | POLLOUT;

  if (channel->process != getpid()) {
    return; /* a copy by fork(2): what is to be written is the original's */
  }
  cp_outbox_release(&channel->outbox);
  while (cp_outbox_send(&channel->outbox, channel->fd) == -EAGAIN) {
    struct pollfd polled = {channel->fd, events, 0};

    if (poll(&polled, 1, -1) == -1 && errno != EINTR) {
      return;
    }
    if ((polled.revents & POLLIN) != 0 &&
        recv(channel->fd, unwanted, sizeof(unwanted), MSG_DONTWAIT) == 0) {
      events = POLLOUT;
    }
  }
}

static void flush_at_exit(void)
{
  cp_channel *channel = NULL;

  pthread_mutex_lock(&all_lock);
  LIST_FOREACH(channel, &all_channels, all)
  {
    /* Those of other threads may be in use at this moment. */
    if (pthread_equal(channel->thread, pthread_self())) {
      cp_channel_exit_flush(channel);
    }
  }
  pthread_mutex_unlock(&all_lock);
}

static void register_exit(void)
{
  atexit(flush_at_exit);
}

void cp_channel_exit_add(cp_channel *channel)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;

  pthread_once(&once, register_exit);
  channel->thread = pthread_self();
  channel->process = getpid();
  pthread_mutex_lock(&all_lock);
  LIST_INSERT_HEAD(&all_channels, channel, all);
  pthread_mutex_unlock(&all_lock);
}

void cp_channel_exit_remove(cp_channel *channel)
{
  pthread_mutex_lock(&all_lock);
  LIST_REMOVE(channel, all);
  pthread_mutex_unlock(&all_lock);
}

cp_channel *cp_channel_exit_find(const cp_loop *loop)
{
  cp_channel *channel = NULL;

  pthread_mutex_lock(&all_lock);
  LIST_FOREACH(channel, &all_channels, all)
  {
    if (channel->loop == loop) {
      break;
    }
  }
  pthread_mutex_unlock(&all_lock);
  return channel;
}
