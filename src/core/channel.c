#include "channel.h"

#include "channel_exit.h"
#include "pipe.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum {
  /* How often one channel may be read before the others get their turn. */
  READS_PER_TURN = 4,
  /* So much waits for the end of the turn at most. */
  GATHERED_SIZE = 64 * 1024,
  /* And that long, in nanoseconds, unless nothing else is sent: a program that computes while it sends
   * does not let others wait for all of it. */
  GATHERED_TIME = 2 * 1000 * 1000,
};

/* The time of the last tick will do, and costs a quarter. */
#ifdef CLOCK_MONOTONIC_COARSE
#define GATHERING_CLOCK CLOCK_MONOTONIC_COARSE
#else
#define GATHERING_CLOCK CLOCK_MONOTONIC
#endif

/* Turns. */

static void serve(cp_channel *channel);

/* The next one in this turn. What has become due meanwhile is left to the next, so that others get
 * theirs. */
static cp_channel *next_due(const cp_loop *loop, unsigned round)
{
  cp_channel *channel = TAILQ_FIRST(&loop->due_channels);

  if (channel == NULL) {
    return NULL;
  }
  /* The analyzer takes it for the one before, which was taken off the list and may be freed. */
  return channel->due_round == round ? NULL : channel; // NOLINT(clang-analyzer-unix.Malloc)
}

static void on_turn(uv_idle_t *idle)
{
  cp_loop *loop = idle->data;
  unsigned round = ++loop->channel_round;
  cp_channel *channel = NULL;

  loop->interrupted = false;
  while (!loop->interrupted && (channel = next_due(loop, round)) != NULL) {
    TAILQ_REMOVE(&loop->due_channels, channel, due);
    channel->is_due = false;
    serve(channel);
  }
  if (TAILQ_EMPTY(&loop->due_channels)) {
    uv_idle_stop(idle);
  }
}

static bool prepare_turns(cp_loop *loop)
{
  if (loop->channel_idle == NULL) {
    loop->channel_idle = malloc(sizeof(*loop->channel_idle));
    if (loop->channel_idle == NULL) {
      return false;
    }
    uv_idle_init(loop->uv, loop->channel_idle);
    loop->channel_idle->data = loop;
  }
  return true;
}

static void make_due(cp_channel *channel)
{
  cp_loop *loop = channel->loop;

  if (!channel->is_due) {
    channel->is_due = true;
    channel->due_round = loop->channel_round;
    TAILQ_INSERT_TAIL(&loop->due_channels, channel, due);
    uv_idle_start(loop->channel_idle, on_turn);
    loop->changed = true;
  }
}

/* Life. */

static void on_ready(void *owner, int events);

cp_channel *cp_channel_new(cp_loop *loop, int fd, const cp_channel_callbacks *callbacks,
                           void *owner)
{
  cp_channel *channel = prepare_turns(loop) ? malloc(sizeof(*channel)) : NULL;

  if (channel == NULL) {
    return NULL;
  }
  *channel = (cp_channel){
      .loop = loop,
      .callbacks = callbacks,
      .owner = owner,
      .fd = fd,
      .referenced = true,
  };
  cp_inbox_init(&channel->inbox);
  cp_watch_open(&channel->watch, loop, fd, true, on_ready, channel);
  channel->watch.busy = true;
  cp_channel_exit_add(channel);
  return channel;
}

static void destroy(cp_channel *channel)
{
  if (channel->is_due) {
    TAILQ_REMOVE(&channel->loop->due_channels, channel, due);
  }
  cp_watch_close(&channel->watch);
  cp_pipe_close(channel->fd);
  cp_channel_exit_remove(channel);
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

static int update_watch(cp_channel *channel)
{
  int events =
      (channel->reading ? CP_WATCH_READ : 0) | (channel->awaiting_room ? CP_WATCH_WRITE : 0);
  bool wanted = channel->referenced || cp_outbox_awaits(&channel->outbox);

  return cp_watch_set(&channel->watch, events,
                      (channel->reading && wanted) || channel->awaiting_room);
}

cp_channel *cp_channel_close(cp_channel *channel)
{
  if (channel != NULL && !channel->closed) {
    channel->closed = true;
    channel->reading = false;
    update_watch(channel);
    cp_outbox_release(&channel->outbox);
    if (cp_channel_backlog(channel) > 0) {
      make_due(channel);
    }
    destroy_if_done(channel);
  }
  return NULL;
}

/* Writing. */

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

uint64_t cp_channel_held(const cp_channel *channel)
{
  return cp_outbox_held(&channel->outbox);
}

void cp_channel_flush(cp_channel *channel)
{
  int r = channel->awaiting_room ? 0 : cp_outbox_send(&channel->outbox, channel->fd);

  if (r == -EAGAIN) {
    channel->awaiting_room = true;
    r = update_watch(channel);
  }
  if (r < 0) {
    /* Nobody asked for replies. */
    channel->write_error = cp_outbox_has_messages(&channel->outbox) ? r : 0;
    cp_outbox_clear(&channel->outbox);
    make_due(channel);
  }
}

static uint64_t gathering_time(void)
{
  struct timespec now;

  clock_gettime(GATHERING_CLOCK, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Has this turn been going on for long? */
static bool turn_is_long(cp_channel *channel)
{
  if (!channel->is_due) {
    channel->gathering_since = gathering_time();
  } else if (channel->gathering_since != 0 &&
             gathering_time() - channel->gathering_since > GATHERED_TIME) {
    channel->gathering_since = 0;
  }
  return channel->gathering_since == 0;
}

/* Something may be written that could not be before. */
static void flush_soon(cp_channel *channel)
{
  bool at_once = turn_is_long(channel) || cp_outbox_ready(&channel->outbox) >= GATHERED_SIZE;

  make_due(channel);
  if (at_once) {
    cp_channel_flush(channel);
  }
}

int cp_channel_send(cp_channel *channel, cp_buffer *message, int fd)
{
  int r = channel->inbox.finishing ? -EPIPE : cp_outbox_add(&channel->outbox, message, fd);

  if (r == 0) {
    flush_soon(channel);
    if (fd != -1) {
      update_watch(channel); /* if that fails, the next turn does it */
    }
  }
  return r;
}

int cp_channel_reply(cp_channel *channel, cp_buffer *message)
{
  int r = cp_outbox_add_reply(&channel->outbox, message->data, message->length);

  if (r == 0) {
    flush_soon(channel);
  }
  return r;
}

void cp_channel_acknowledge(cp_channel *channel)
{
  cp_outbox_acknowledge(&channel->outbox);
  update_watch(channel);
  flush_soon(channel);
}

int cp_channel_retry(cp_channel *channel)
{
  int r = cp_outbox_retry(&channel->outbox);

  update_watch(channel);
  flush_soon(channel);
  return r;
}

void cp_channel_await_written(cp_channel *channel, uint64_t total)
{
  channel->awaited = total;
  make_due(channel);
}

/* To be called while the channel is active. */
static void tell_written(cp_channel *channel)
{
  int error = channel->write_error;

  if (!channel->closed &&
      (error != 0 || (channel->awaited > 0 && cp_channel_written(channel) >= channel->awaited))) {
    channel->write_error = 0;
    channel->awaited = 0;
    channel->callbacks->on_written(channel, error);
  }
}

/* Reading. */

int cp_channel_read(cp_channel *channel, bool on)
{
  int r = 0;

  if (channel->reading != on) {
    channel->reading = on;
    r = update_watch(channel);
    if (on && channel->inbox.window_length > 0) {
      make_due(channel);
    }
  }
  return r;
}

int cp_channel_reference(cp_channel *channel, bool referenced)
{
  channel->referenced = referenced;
  return update_watch(channel);
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
  int r = channel->reading ? cp_inbox_next(&channel->inbox, message, length) : 0;

  channel->oversized = r < 0;
  return r == 1;
}

int cp_channel_take_descriptor(cp_channel *channel)
{
  return cp_inbox_take_descriptor(&channel->inbox);
}

bool cp_channel_finish(cp_channel *channel)
{
  cp_inbox_finish(&channel->inbox);
  return channel->reading && channel->inbox.last_bytes > 0;
}

static void end_reading(cp_channel *channel, int error)
{
  channel->reading = false;
  channel->callbacks->on_end(channel, error);
}

static void deliver(cp_channel *channel)
{
  cp_inbox *inbox = &channel->inbox;
  int r = 0;

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
  } else if (channel->loop->interrupted && inbox->window_length > 0) {
    make_due(channel);
  }
}

/* Reads once and hands over what has come. Returns whether there may be more at once. */
static bool receive(cp_channel *channel)
{
  bool filled = false;
  ssize_t n = cp_inbox_receive(&channel->inbox, channel->fd, channel->loop->read_buffer,
                               CP_READ_SIZE, &filled);

  if (n > 0) {
    deliver(channel);
  } else if (n != -EAGAIN) {
    end_reading(channel, (int)n);
  }
  return filled;
}

static void leave_callback(cp_channel *channel)
{
  channel->active = false;
  if (channel->closed) {
    destroy_if_done(channel);
  } else {
    update_watch(channel);
  }
}

static void on_ready(void *owner, int events)
{
  cp_channel *channel = owner;

  channel->active = true;
  if (channel->awaiting_room && (events & (CP_WATCH_WRITE | CP_WATCH_HANGUP)) != 0) {
    channel->awaiting_room = false;
    cp_channel_flush(channel);
    tell_written(channel);
  }
  if ((events & CP_WATCH_READ) != 0) {
    for (int i = 0; i < READS_PER_TURN && channel->reading && !channel->is_due &&
                    !channel->loop->interrupted && receive(channel);
         i++) {
    }
  }
  leave_callback(channel);
}

static void serve(cp_channel *channel)
{
  channel->active = true;
  if (channel->reading && channel->inbox.window_length > 0) {
    deliver(channel);
  }
  cp_channel_flush(channel);
  tell_written(channel);
  leave_callback(channel);
}

void cp_channel_flush_all(cp_loop *loop)
{
  cp_channel *channel = NULL;

  TAILQ_FOREACH(channel, &loop->due_channels, due)
  {
    cp_channel_flush(channel);
  }
}

void cp_channel_close_all(cp_loop *loop)
{
  cp_channel *channel = NULL;

  while ((channel = cp_channel_exit_find(loop)) != NULL) {
    cp_channel_exit_flush(channel);
    destroy(channel);
  }
  if (loop->channel_idle != NULL) {
    uv_close((uv_handle_t *)loop->channel_idle, cp_loop_free_handle);
    loop->channel_idle = NULL;
  }
}
