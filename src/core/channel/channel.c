/* Works out the events that a channel waits for. */
#include "core/channel/channel.h"

/* A channel that is closed no longer needs the messages that arrive. But the other side may also be
 * writing its last messages, and may not read ours before we have read those. */
bool cp_channel_discards(const cp_channel *channel)
{
  return channel->awaiting_room && !channel->reading && !channel->ended &&
         (channel->closed || channel->inbox.finishing);
}

int cp_channel_update_watch(cp_channel *channel)
{
  int events = (channel->reading || cp_channel_discards(channel) ? CP_WATCH_READ : 0) |
               (channel->awaiting_room ? CP_WATCH_WRITE : 0);
  bool holds = channel->referenced || cp_outbox_awaits_ack(&channel->outbox);

  return cp_watch_set(&channel->watch, events,
                      (channel->reading && holds) || channel->awaiting_room);
}

int cp_channel_reference(cp_channel *channel, bool referenced)
{
  channel->referenced = referenced;
  return cp_channel_update_watch(channel);
}
