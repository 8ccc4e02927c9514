/* Reads into the loop's buffer, and delivers messages from there. */
#include "core/channel/receiving.h"

#include "core/base/assert.h"
#include "core/base/fd.h"

#include <errno.h>

/* The most reads of one channel in an iteration. */
enum { READS_PER_ITERATION = 4 };

int cp_channel_set_reading(cp_channel *channel, bool on)
{
  int r = 0;

  if (channel->reading != on) {
    channel->reading = on;
    r = cp_channel_update_watch(channel);
    if (cp_channel_has_undelivered(channel)) {
      cp_channel_make_due(channel);
    }
  }
  return r;
}

void cp_channel_set_framing(cp_channel *channel, cp_framing framing)
{
  channel->inbox.framing = framing;
}

void cp_channel_set_max_message(cp_channel *channel, size_t bytes)
{
  channel->inbox.max_message = bytes;
}

bool cp_channel_next(cp_channel *channel, const char **message, size_t *length)
{
  int r = 0;

  CP_ASSERT(channel->active);
  cp_loop_claim(channel->loop);
  r = channel->reading ? cp_inbox_next(&channel->inbox, message, length) : 0;

  channel->oversized = r < 0;
  return r == 1;
}

uint64_t cp_channel_received(const cp_channel *channel)
{
  return channel->inbox.taken;
}

int cp_channel_take_descriptor(cp_channel *channel)
{
  return cp_inbox_take_descriptor(&channel->inbox);
}

bool cp_channel_finish(cp_channel *channel)
{
  cp_inbox_finish(&channel->inbox);
  channel->reading = channel->reading && channel->inbox.last_bytes > 0;
  return channel->reading;
}

static void end_reading(cp_channel *channel, int error)
{
  channel->reading = false;
  channel->callbacks->on_end(channel, error);
}

void cp_channel_deliver(cp_channel *channel)
{
  cp_inbox *inbox = &channel->inbox;
  int r = 0;

  CP_ASSERT(channel->active && !channel->closed);
  channel->callbacks->on_messages(channel);
  if (channel->closed) {
    return;
  }
  r = cp_inbox_keep(inbox);
  if (channel->oversized) {
    end_reading(channel, -EMSGSIZE);
  } else if (r < 0) {
    end_reading(channel, r);
  } else if (inbox->finishing && inbox->last_bytes == 0 && channel->reading) {
    end_reading(channel, 0);
  } else if (cp_loop_is_interrupted(channel->loop) && inbox->window_length > 0) {
    cp_channel_make_due(channel);
  }
}

/* Reads once and delivers. Returns whether there may be more at once. */
static bool receive(cp_channel *channel)
{
  bool filled = false;
  ssize_t n = cp_inbox_receive(&channel->inbox, channel->fd, channel->loop->read_buffer,
                               CP_READ_SIZE, &filled);

  if (n > 0) {
    channel->undrained -= (size_t)n < channel->undrained ? (size_t)n : channel->undrained;
    cp_channel_deliver(channel);
  } else if (n == -EAGAIN) {
    channel->undrained = 0;
  } else {
    channel->ended = true;
    end_reading(channel, (int)n);
  }
  return filled;
}

void cp_channel_receive(cp_channel *channel)
{
  bool more = true;

  /* Goes on while more may have arrived, or while bytes to drain are left. */
  for (int i = 0; i < READS_PER_ITERATION && more && channel->reading &&
                  !cp_channel_is_due(channel) && !cp_loop_is_interrupted(channel->loop);
       i++) {
    more = receive(channel) || channel->undrained > 0;
  }
}

void cp_channel_discard(cp_channel *channel)
{
  ssize_t n =
      cp_inbox_discard(&channel->inbox, channel->fd, channel->loop->read_buffer, CP_READ_SIZE);

  channel->ended = n <= 0 && n != -EAGAIN;
}
