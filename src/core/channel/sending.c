/* Gathers messages, and writes them when the iteration ends, when they are many, or when the
 * iteration takes long. */
#include "core/channel/sending.h"

#include "core/base/assert.h"
#include "core/sys/sys.h"

#include <errno.h>
#include <sys/socket.h>

enum {
  /* The most bytes that wait for the end of the iteration. */
  GATHERED_SIZE = 64 * 1024,
  /* After this many nanoseconds the next message that is sent makes us write: the other side need
   * not wait until a program that computes between messages has sent all of them. */
  GATHERED_TIME = 2 * 1000 * 1000,
  /* The backlog is high, as in Node, from this number of bytes on, or from this number of messages
   * on that are held back. */
  HIGH_BACKLOG = 128 * 1024,
  HIGH_HELD = 2,
};

size_t cp_channel_backlog(const cp_channel *channel)
{
  return cp_outbox_backlog(&channel->outbox);
}

uint64_t cp_channel_accepted(const cp_channel *channel)
{
  return channel->outbox.accepted;
}

uint64_t cp_channel_written(const cp_channel *channel)
{
  return cp_outbox_sent(&channel->outbox);
}

bool cp_channel_awaits_ack(const cp_channel *channel)
{
  return cp_outbox_awaits_ack(&channel->outbox);
}

bool cp_channel_is_backlog_high(const cp_channel *channel)
{
  return cp_outbox_backlog(&channel->outbox) >= HIGH_BACKLOG ||
         cp_outbox_held(&channel->outbox) >= HIGH_HELD;
}

/* Writing. */

static void on_retry(void *owner)
{
  cp_channel_make_due(owner);
}

/* Waits for room, or for memory in the system. */
static int write_later(cp_channel *channel, int reason)
{
  if (reason == -EAGAIN) {
    channel->awaiting_room = true;
    return cp_channel_update_watch(channel);
  }
  if (!cp_retry_helps(reason)) {
    return reason;
  }
  if (channel->outbox.sent != channel->stuck_at) {
    channel->stuck_at = channel->outbox.sent;
    cp_retry_end(&channel->retry);
  }
  return cp_retry_later(channel->loop, &channel->retry, on_retry, channel) ? 0 : reason;
}

/* Writes as much as the socket takes. */
static int write_some(cp_channel *channel)
{
  int r = 0;

  cp_loop_claim(channel->loop);
  if (channel->awaiting_room) {
    return cp_channel_update_watch(channel);
  }
  if (!cp_retry_is_waiting(&channel->retry)) {
    r = cp_outbox_send(&channel->outbox, channel->fd);
  }
  return r == 0 ? 0 : write_later(channel, r);
}

void cp_channel_flush(cp_channel *channel)
{
  if (write_some(channel) < 0) {
    cp_channel_make_due(channel);
  }
}

static void give_up_writing(cp_channel *channel, int error)
{
  /* Only the first error is reported, and only for messages: no caller waits for replies. */
  if (channel->write_error == 0 && cp_outbox_has_messages(&channel->outbox)) {
    channel->write_error = error;
  }
  /* A message may be incomplete, so no other may follow it: the other side reads end-of-file. */
  channel->broken = error;
  shutdown(channel->fd, SHUT_WR);
  cp_outbox_clear(&channel->outbox);
}

void cp_channel_drop(cp_channel *channel)
{
  channel->broken = -EPIPE;
  cp_outbox_clear(&channel->outbox);
}

static bool has_written_awaited(const cp_channel *channel)
{
  if (channel->awaited == CP_CHANNEL_NOTHING) {
    return false;
  }
  return channel->awaited == CP_CHANNEL_EVERYTHING
             ? cp_channel_backlog(channel) == 0
             : cp_channel_written(channel) >= channel->awaited;
}

void cp_channel_write(cp_channel *channel)
{
  int r = write_some(channel);
  int error = 0;

  CP_ASSERT(channel->active);
  if (r < 0) {
    give_up_writing(channel, r);
  }
  error = channel->write_error;
  if (!channel->closed && (error != 0 || has_written_awaited(channel))) {
    channel->write_error = 0;
    channel->awaited = CP_CHANNEL_NOTHING;
    channel->callbacks->on_written(channel, error);
  }
}

void cp_channel_await_written(cp_channel *channel, uint64_t total)
{
  channel->awaited = total;
  cp_channel_make_due(channel);
}

/* Gathering. */

/* Whether this iteration has taken long. */
static bool takes_long(cp_channel *channel)
{
  if (!cp_channel_is_due(channel)) {
    channel->gathering_since = cp_sys_coarse_time();
  } else if (channel->gathering_since != 0 &&
             cp_sys_coarse_time() - channel->gathering_since > GATHERED_TIME) {
    channel->gathering_since = 0;
  }
  return channel->gathering_since == 0;
}

/* Call this when there are more bytes that may be written. */
static void flush_soon(cp_channel *channel)
{
  bool at_once = takes_long(channel) || cp_outbox_ready(&channel->outbox) >= GATHERED_SIZE;

  cp_channel_make_due(channel);
  if (at_once) {
    cp_channel_flush(channel);
  }
}

int cp_channel_send(cp_channel *channel, cp_buffer *message, int fd)
{
  int r = 0;

  cp_loop_claim(channel->loop);
  r = channel->inbox.finishing ? -EPIPE : channel->broken;
  if (r == 0) {
    r = cp_outbox_add(&channel->outbox, message, fd);
  }
  if (r == 0) {
    flush_soon(channel);
    if (fd != -1) {
      cp_channel_update_watch(channel); /* if that fails, the next iteration does it */
    }
  }
  return r;
}

int cp_channel_reply(cp_channel *channel, cp_buffer *message)
{
  int r = 0;

  cp_loop_claim(channel->loop);
  r = cp_outbox_add_reply(&channel->outbox, message->data, message->length);

  if (r == 0) {
    flush_soon(channel);
  }
  return r;
}

/* The acknowledgement of descriptors. */

void cp_channel_acknowledge(cp_channel *channel)
{
  cp_outbox_acknowledge(&channel->outbox);
  cp_channel_update_watch(channel);
  flush_soon(channel);
}

int cp_channel_retry(cp_channel *channel)
{
  int r = cp_outbox_retry(&channel->outbox);

  cp_channel_update_watch(channel);
  flush_soon(channel);
  return r;
}
