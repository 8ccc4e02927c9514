#include "channel.h"

#include "pipe.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  /* How often one channel may be read before the others get their turn. */
  READS_PER_TURN = 4,
  /* So much waits for the end of the turn at most. */
  GATHERED_SIZE = 64 * 1024,
  /* Larger buffers are given back when they are empty. */
  KEPT_CAPACITY = 256 * 1024,
  LENGTH_SIZE = 4,
};

static LIST_HEAD(, cp_channel) all_channels = LIST_HEAD_INITIALIZER(all_channels);
static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;

/* Turns. */

static void serve(cp_channel *channel);

/* The next one in this turn. What has become due meanwhile is left to the next, so that others get
 * theirs. */
static cp_channel *next_due(const cp_loop *loop, unsigned turn)
{
  cp_channel *channel = TAILQ_FIRST(&loop->due_channels);

  if (channel == NULL) {
    return NULL;
  }
  /* The analyzer takes it for the one before, which was taken off the list and may be freed. */
  return channel->due_turn == turn ? NULL : channel; // NOLINT(clang-analyzer-unix.Malloc)
}

static void on_turn(uv_idle_t *idle)
{
  cp_loop *loop = idle->data;
  unsigned turn = ++loop->channel_turns;
  cp_channel *channel = NULL;

  loop->interrupted = false;
  while (!loop->interrupted && (channel = next_due(loop, turn)) != NULL) {
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
  if (loop->channel_turn == NULL) {
    loop->channel_turn = malloc(sizeof(*loop->channel_turn));
    if (loop->channel_turn == NULL) {
      return false;
    }
    uv_idle_init(loop->uv, loop->channel_turn);
    loop->channel_turn->data = loop;
  }
  return true;
}

static void make_due(cp_channel *channel)
{
  cp_loop *loop = channel->loop;

  if (!channel->is_due) {
    channel->is_due = true;
    channel->due_turn = loop->channel_turns;
    TAILQ_INSERT_TAIL(&loop->due_channels, channel, due);
    uv_idle_start(loop->channel_turn, on_turn);
    loop->changed = true;
  }
}

static void make_undue(cp_channel *channel)
{
  if (channel->is_due) {
    TAILQ_REMOVE(&channel->loop->due_channels, channel, due);
    channel->is_due = false;
  }
}

/* Life. */

static void on_ready(void *owner, int events);
static void flush_at_exit(void);

static void register_exit(void)
{
  atexit(flush_at_exit);
}

cp_channel *cp_channel_new(cp_loop *loop, int fd, cp_framing framing,
                           const cp_channel_callbacks *callbacks, void *owner)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  cp_channel *channel = prepare_turns(loop) ? malloc(sizeof(*channel)) : NULL;

  if (channel == NULL) {
    return NULL;
  }
  *channel = (cp_channel){
      .loop = loop,
      .callbacks = callbacks,
      .owner = owner,
      .fd = fd,
      .framing = framing,
      .max_message = SIZE_MAX,
      .referenced = true,
      .thread = pthread_self(),
      .process = getpid(),
  };
  cp_watch_open(&channel->watch, loop, fd, true, on_ready, channel);
  channel->watch.busy = true;
  pthread_once(&once, register_exit);
  pthread_mutex_lock(&all_lock);
  LIST_INSERT_HEAD(&all_channels, channel, all);
  pthread_mutex_unlock(&all_lock);
  return channel;
}

static void destroy(cp_channel *channel)
{
  make_undue(channel);
  cp_watch_close(&channel->watch);
  cp_pipe_close(channel->fd);
  pthread_mutex_lock(&all_lock);
  LIST_REMOVE(channel, all);
  pthread_mutex_unlock(&all_lock);
  cp_buffer_free(&channel->in);
  cp_buffer_free(&channel->out);
  free(channel);
}

static int update_watch(cp_channel *channel)
{
  int events =
      (channel->reading ? CP_WATCH_READ : 0) | (channel->awaiting_room ? CP_WATCH_WRITE : 0);

  return cp_watch_set(&channel->watch, events,
                      (channel->reading && channel->referenced) || channel->awaiting_room);
}

int cp_channel_read(cp_channel *channel, bool on)
{
  int r = 0;

  if (channel->reading != on) {
    channel->reading = on;
    r = update_watch(channel);
    if (on && channel->window_length > 0) {
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

/* Frees a channel that is closed and has nothing left to write. */
static void finish(cp_channel *channel)
{
  if (channel->closed && !channel->active && cp_channel_backlog(channel) == 0) {
    destroy(channel);
  }
}

cp_channel *cp_channel_close(cp_channel *channel)
{
  if (channel != NULL && !channel->closed) {
    channel->closed = true;
    channel->reading = false;
    update_watch(channel);
    if (cp_channel_backlog(channel) > 0) {
      make_due(channel);
    }
    finish(channel);
  }
  return NULL;
}

/* Writing. */

size_t cp_channel_backlog(const cp_channel *channel)
{
  return channel->out.length - channel->written;
}

static void forget_output(cp_channel *channel)
{
  channel->out.length = 0;
  channel->written = 0;
  if (channel->out.capacity > KEPT_CAPACITY) {
    cp_buffer_free(&channel->out);
  }
}

/* Returns 0 when all is written, -EAGAIN, or what went wrong. */
static int write_output(cp_channel *channel)
{
  while (cp_channel_backlog(channel) > 0) {
    ssize_t n = send(channel->fd, channel->out.data + channel->written, cp_channel_backlog(channel),
                     MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n >= 0) {
      channel->written += (size_t)n;
    } else if (errno == ENOBUFS || errno == ENOMEM) {
      return -EAGAIN;
    } else if (errno != EINTR) {
      return -errno;
    }
  }
  forget_output(channel);
  return 0;
}

void cp_channel_flush(cp_channel *channel)
{
  int r = channel->awaiting_room ? 0 : write_output(channel);

  if (r == -EAGAIN) {
    channel->awaiting_room = true;
    r = update_watch(channel);
  }
  if (r < 0) {
    channel->write_error = r;
    channel->accepted_total -= cp_channel_backlog(channel);
    forget_output(channel);
    make_due(channel);
  }
}

int cp_channel_send(cp_channel *channel, const char *bytes, size_t length)
{
  int r = 0;

  if (channel->written > channel->out.length / 2) {
    memmove(channel->out.data, channel->out.data + channel->written, cp_channel_backlog(channel));
    channel->out.length -= channel->written;
    channel->written = 0;
  }
  r = cp_buffer_append(&channel->out, bytes, length);
  if (r == 0) {
    channel->accepted_total += length;
    make_due(channel);
    if (cp_channel_backlog(channel) >= GATHERED_SIZE) {
      cp_channel_flush(channel);
    }
  }
  return r;
}

uint64_t cp_channel_written(const cp_channel *channel)
{
  return channel->accepted_total - cp_channel_backlog(channel);
}

void cp_channel_await_written(cp_channel *channel, uint64_t total)
{
  channel->awaited_total = total;
  make_due(channel);
}

/* To be called while the channel is active. */
static void tell_written(cp_channel *channel)
{
  int error = channel->write_error;

  if (!channel->closed && (error != 0 || (channel->awaited_total > 0 &&
                                          cp_channel_written(channel) >= channel->awaited_total))) {
    channel->write_error = 0;
    channel->awaited_total = 0;
    channel->callbacks->on_written(channel, error);
  }
}

/* Reading. */

int cp_channel_next(cp_channel *channel, const char **message, size_t *length)
{
  const char *window = channel->window;
  size_t available = channel->window_length;
  size_t head = 0;
  size_t tail = 0;

  size_t taken = 0;

  if (channel->closed || available == 0 || (channel->finishing && channel->last_bytes == 0)) {
    return 0;
  }
  if (channel->framing == CP_FRAMING_LINES) {
    const char *end = memchr(window + channel->searched, '\n', available - channel->searched);

    channel->searched = available;
    *length = end == NULL ? available : (size_t)(end - window);
    tail = 1;
  } else {
    const unsigned char *bytes = (const unsigned char *)window;

    if (available < LENGTH_SIZE) {
      return 0;
    }
    head = LENGTH_SIZE;
    *length = (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
  }
  if (*length > channel->max_message) {
    channel->reading = false;
    channel->window_length = 0;
    return -EMSGSIZE;
  }
  taken = head + *length + tail;
  if (taken > available) {
    return 0;
  }
  *message = window + head;
  channel->window += taken;
  channel->window_length -= taken;
  channel->searched = 0;
  channel->last_bytes -= taken < channel->last_bytes ? taken : channel->last_bytes;
  return 1;
}

bool cp_channel_finish(cp_channel *channel)
{
  channel->finishing = true;
  channel->last_bytes = channel->reading ? channel->window_length : 0;
  return channel->last_bytes > 0;
}

/* What was not taken is kept in `in`. */
static void keep_window(cp_channel *channel)
{
  bool kept = channel->in.length > 0;

  if (channel->window_length == 0) {
    channel->in.length = 0;
    if (channel->in.capacity > KEPT_CAPACITY) {
      cp_buffer_free(&channel->in);
    }
  } else if (kept) {
    memmove(channel->in.data, channel->window, channel->window_length);
    channel->in.length = channel->window_length;
  } else if (cp_buffer_append(&channel->in, channel->window, channel->window_length) < 0) {
    channel->window_length = 0;
    channel->searched = 0;
    channel->reading = false;
    channel->callbacks->on_end(channel, -ENOMEM);
  }
  channel->window = channel->in.data;
}

static void deliver(cp_channel *channel)
{
  channel->callbacks->on_messages(channel);
  if (channel->finishing && channel->last_bytes == 0 && channel->reading && !channel->closed) {
    channel->reading = false;
    channel->callbacks->on_end(channel, 0);
  }
  if (!channel->closed) {
    keep_window(channel);
    if (channel->loop->interrupted && channel->window_length > 0) {
      make_due(channel);
    }
  }
}

/* Reads once and hands over what has come. Returns whether there may be more at once. */
static bool receive(cp_channel *channel)
{
  char *target = channel->loop->read_buffer;
  size_t size = CP_READ_SIZE;
  ssize_t n = 0;

  if (channel->in.length > 0) {
    n = cp_buffer_reserve(&channel->in, CP_READ_SIZE);
    target = channel->in.data + channel->in.length;
    size = channel->in.capacity - channel->in.length;
  }
  if (n == 0) {
    do {
      n = recv(channel->fd, target, size, MSG_DONTWAIT);
    } while (n == -1 && errno == EINTR);
    n = n == -1 ? -errno : n;
    if (n == -EAGAIN) {
      return false;
    }
  }
  if (n <= 0) {
    channel->reading = false;
    channel->callbacks->on_end(channel, (int)n);
    return false;
  }
  if (channel->in.length > 0) {
    channel->in.length += (size_t)n;
    channel->window = channel->in.data;
    channel->window_length = channel->in.length;
  } else {
    channel->window = target;
    channel->window_length = (size_t)n;
  }
  deliver(channel);
  return (size_t)n == size;
}

int cp_channel_receive_first(int fd, char *bytes, size_t size)
{
  while (size > 0) {
    ssize_t n = recv(fd, bytes, size, MSG_WAITALL);

    if (n == 0) {
      return -EPIPE;
    }
    if (n == -1 && errno != EINTR) {
      return -errno;
    }
    bytes += n > 0 ? n : 0;
    size -= n > 0 ? (size_t)n : 0;
  }
  return 0;
}

static void finish_callback(cp_channel *channel)
{
  channel->active = false;
  if (channel->closed) {
    finish(channel);
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
  finish_callback(channel);
}

static void serve(cp_channel *channel)
{
  channel->active = true;
  if (channel->reading && channel->window_length > 0) {
    deliver(channel);
  }
  cp_channel_flush(channel);
  tell_written(channel);
  finish_callback(channel);
}

void cp_channel_flush_all(cp_loop *loop)
{
  cp_channel *channel = NULL;

  TAILQ_FOREACH(channel, &loop->due_channels, due)
  {
    cp_channel_flush(channel);
  }
}

/* The end. */

/* Writes everything, waiting for the other side. That may be waiting for us to read in the same way. */
static void flush_blocking(cp_channel *channel)
{
  char unwanted[4096];
  short events = POLLIN | POLLOUT;
  ssize_t n = 0;

  if (channel->process != getpid()) {
    return; /* a copy by fork(2): what is to be written is the original's */
  }
  while (write_output(channel) == -EAGAIN) {
    struct pollfd polled = {channel->fd, events, 0};

    if (poll(&polled, 1, -1) == -1 && errno != EINTR) {
      return;
    }
    if ((polled.revents & POLLIN) != 0) {
      n = recv(channel->fd, unwanted, sizeof(unwanted), MSG_DONTWAIT);
      if (n == 0) {
        events = POLLOUT;
      }
    }
  }
}

static void flush_at_exit(void)
{
  cp_channel *channel = NULL;

  pthread_mutex_lock(&all_lock);
  LIST_FOREACH(channel, &all_channels, all)
  {
    if (pthread_equal(channel->thread, pthread_self())) {
      flush_blocking(channel);
    }
  }
  pthread_mutex_unlock(&all_lock);
}

/* One of the loop's channels. */
static cp_channel *any_channel(const cp_loop *loop)
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

void cp_channel_close_all(cp_loop *loop)
{
  cp_channel *channel = NULL;

  while ((channel = any_channel(loop)) != NULL) {
    flush_blocking(channel);
    destroy(channel);
  }
  if (loop->channel_turn != NULL) {
    uv_close((uv_handle_t *)loop->channel_turn, cp_loop_free_handle);
    loop->channel_turn = NULL;
  }
}
