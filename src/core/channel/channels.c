/* The loop serves a channel when its descriptor is ready, and when the channel is due: it then has
 * to write, to deliver messages left from the last iteration, or to drain. */
#include "core/channel/channels.h"

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/base/owned.h"
#include "core/channel/draining.h"
#include "core/channel/receiving.h"
#include "core/channel/sending.h"
#include "core/stream/pipe.h"

#include <errno.h>
#include <stdlib.h>

void cp_channels_init(cp_channels *channels, cp_loop *loop)
{
  *channels = (cp_channels){.loop = loop};
  CP_LIST_INIT(&channels->all);
}

/* Ending. */

static void destroy(cp_channel *channel)
{
  CP_LIST_REMOVE(channel, entry);
  cp_due_remove(channel->loop, &channel->due);
  cp_retry_end(&channel->retry);
  cp_watch_close(&channel->watch);
  cp_fd_close(channel->fd);
  cp_exit_flush_remove(&channel->exit_flush);
  cp_inbox_clear(&channel->inbox);
  cp_outbox_clear(&channel->outbox);
  free(channel);
}

static void destroy_if_done(cp_channel *channel)
{
  if (channel->closed && !channel->active && cp_channel_backlog(channel) == 0) {
    destroy(channel);
  }
}

cp_channel *cp_channel_close(cp_channel *channel)
{
  if (channel != NULL && !channel->closed) {
    cp_loop_claim(channel->loop);
    channel->closed = true;
    channel->reading = false;
    cp_channel_update_watch(channel);
    cp_outbox_release(&channel->outbox);
    if (cp_channel_backlog(channel) > 0) {
      cp_channel_make_due(channel);
    }
    destroy_if_done(channel);
  }
  return NULL;
}

/* Serving. */

static void leave_callback(cp_channel *channel)
{
  CP_ASSERT(channel->active);
  channel->active = false;
  if (channel->closed) {
    destroy_if_done(channel);
  } else {
    cp_channel_update_watch(channel);
  }
}

static void on_ready(void *owner, int events)
{
  cp_channel *channel = owner;

  channel->active = true;
  if (channel->awaiting_room && (events & (CP_WATCH_WRITE | CP_WATCH_HANGUP)) != 0) {
    channel->awaiting_room = false;
    cp_channel_write(channel);
  }
  if ((events & CP_WATCH_READ) != 0) {
    if (cp_channel_discards(channel)) {
      cp_channel_discard(channel);
    }
    cp_channel_receive(channel);
  }
  leave_callback(channel);
}

static void on_due(void *owner)
{
  cp_channel *channel = owner;

  channel->active = true;
  if (cp_channel_has_undelivered(channel)) {
    cp_channel_deliver(channel);
  }
  if (channel->draining) {
    cp_channel_drain_some(channel);
  }
  cp_channel_write(channel);
  if (channel->draining) {
    cp_channel_report_drained(channel);
  }
  leave_callback(channel);
}

cp_channel *cp_channel_new(cp_channels *channels, int fd, const cp_channel_callbacks *callbacks,
                           void *owner)
{
  cp_channel *channel = malloc(sizeof(*channel));

  if (channel == NULL) {
    return NULL;
  }
  *channel = (cp_channel){
      .loop = channels->loop,
      .callbacks = callbacks,
      .owner = owner,
      .fd = fd,
      .referenced = true,
      .awaited = CP_CHANNEL_NOTHING,
      .due = {.callback = on_due, .owner = channel},
  };
  cp_owned_add(fd);
  cp_inbox_init(&channel->inbox);
  cp_watch_open(&channel->watch, channels->loop, fd, true, on_ready, channel);
  cp_exit_flush_add(&channel->exit_flush, fd, &channel->outbox);
  CP_LIST_INSERT(&channels->all, channel, entry);
  return channel;
}

void cp_channel_set_local(cp_channel *channel)
{
  cp_exit_flush_cancel(&channel->exit_flush);
}

/* All channels. */

static void flush(void *unused, void *owner)
{
  (void)unused;
  cp_channel_flush(owner);
}

void cp_channels_flush(cp_channels *channels)
{
  cp_due_visit(channels->loop, on_due, flush, NULL);
}

bool cp_channels_is_closed(const cp_channels *channels, const void *owner)
{
  const cp_channel *channel = NULL;

  CP_LIST_FOREACH(channel, &channels->all, entry)
  {
    if (channel == owner) {
      return channel->closed;
    }
  }
  return false;
}

static void give_up(cp_channel *channel)
{
  cp_due_remove(channel->loop, &channel->due);
  channel->reading = false;
  channel->awaiting_room = false;
  channel->awaited = 0;
  channel->write_error = 0;
  channel->broken = -EPIPE;
  channel->ended = true;
  channel->draining = false;
  channel->undrained = 0;
  cp_retry_end(&channel->retry);
  cp_outbox_clear(&channel->outbox);
  cp_inbox_clear(&channel->inbox);
  cp_channel_update_watch(channel);
  channel->fd = cp_pipe_break(channel->fd);
}

void cp_channels_give_up(cp_channels *channels)
{
  cp_channel *channel = NULL;

  CP_LIST_FOREACH(channel, &channels->all, entry)
  {
    give_up(channel);
  }
}

void cp_channels_close(cp_channels *channels)
{
  cp_channel *channel = CP_LIST_FIRST(&channels->all);

  while (channel != NULL) {
    cp_channel *next = CP_LIST_NEXT(channel, entry);

    cp_exit_flush_write(&channel->exit_flush);
    destroy(channel);
    channel = next;
  }
}
