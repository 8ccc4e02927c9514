/* Counts down the bytes that had arrived when draining started. */
#include "core/channel/draining.h"

#include "core/base/assert.h"
#include "core/channel/receiving.h"

#include <sys/ioctl.h>

void cp_channel_drain(cp_channel *channel)
{
  int arrived = 0;

  ioctl(channel->fd, FIONREAD, &arrived);
  channel->undrained = (size_t)arrived + 1; /* one more, to find the end */
  channel->draining = true;
  cp_channel_make_due(channel);
}

void cp_channel_drain_some(cp_channel *channel)
{
  CP_ASSERT(channel->active && channel->draining);
  cp_channel_receive(channel);
  /* Do not wait for room: if the other side has closed without reading, writing fails at once. */
  channel->awaiting_room = false;
}

void cp_channel_report_drained(cp_channel *channel)
{
  CP_ASSERT(channel->active && channel->draining);
  if (channel->closed) {
    return;
  }
  if (cp_loop_is_interrupted(channel->loop) || (channel->reading && channel->undrained > 0)) {
    cp_channel_make_due(channel); /* the rest is for the next iteration */
    return;
  }
  channel->draining = false;
  channel->callbacks->on_drained(channel);
}
