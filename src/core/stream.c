#include "stream.h"

#include "pipe.h"
#include "socket.h"
#include "splice.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* How much one stream may read before the others get their turn. */
enum { READS_PER_TURN = 16 };

static void on_ready(void *owner, int events);

cp_stream *cp_stream_new(cp_loop *loop, int fd, int flags, const cp_stream_callbacks *callbacks,
                         void *owner)
{
  cp_stream *stream = malloc(sizeof(*stream));
  int type = 0;

  if (stream != NULL) {
    *stream = (cp_stream){
        .loop = loop,
        .callbacks = callbacks,
        .owner = owner,
        .fd = fd,
        .flags = flags,
        .referenced = true,
        /* Only what goes both ways or is not ours may be a socket. */
        .is_socket = (flags & (CP_STREAM_READABLE | CP_STREAM_BORROWED)) != 0 &&
                     (flags & CP_STREAM_WRITABLE) != 0 &&
                     cp_socket_get(fd, SOL_SOCKET, SO_TYPE, &type) == 0,
    };
  }
  return stream;
}

cp_stream *cp_stream_close(cp_stream *stream)
{
  if (stream == NULL || stream->closed) {
    return NULL;
  }
  stream->closed = true;
  stream->reading = false;
  cp_watch_close(&stream->watch);
  if (!(stream->flags & CP_STREAM_BORROWED)) {
    stream->fd = cp_pipe_close(stream->fd);
  }
  if (!stream->active) {
    free(stream);
  }
  return NULL;
}

int cp_stream_update(cp_stream *stream)
{
  int events = (stream->reading ? CP_WATCH_READ : 0) |
               (stream->awaiting_room ? CP_WATCH_WRITE : 0) |
               (stream->await_hangup ? CP_WATCH_HANGUP : 0);

  if (!cp_watch_is_open(&stream->watch)) {
    if (events == 0) {
      return 0;
    }
    cp_watch_open(&stream->watch, stream->loop, stream->fd,
                  (stream->flags & CP_STREAM_BORROWED) != 0, on_ready, stream);
  }
  return cp_watch_set(&stream->watch, events,
                      stream->referenced && (stream->reading || stream->awaiting_room));
}

int cp_stream_read(cp_stream *stream, bool on)
{
  int r = 0;

  if (stream->reading != on) {
    stream->reading = on;
    r = cp_stream_update(stream);
    stream->reading = on && r == 0;
  }
  return r;
}

int cp_stream_await_room(cp_stream *stream)
{
  stream->awaiting_room = true;
  return cp_stream_update(stream);
}

int cp_stream_await_hangup(cp_stream *stream)
{
  stream->await_hangup = true;
  return cp_stream_update(stream);
}

int cp_stream_reference(cp_stream *stream, bool referenced)
{
  stream->referenced = referenced;
  return cp_watch_is_open(&stream->watch) ? cp_stream_update(stream) : 0;
}

bool cp_stream_is_active(const cp_stream *stream)
{
  return stream->reading || stream->awaiting_room || stream->await_hangup;
}

void cp_stream_take_back(cp_stream *stream)
{
  int flags = fcntl(stream->fd, F_GETFL);

  if (flags != -1 && !(stream->flags & CP_STREAM_BORROWED)) {
    fcntl(stream->fd, F_SETFL, flags | O_NONBLOCK);
  }
}

void cp_stream_enlarge(cp_stream *stream)
{
  if (!stream->enlarged && !stream->is_socket) {
    cp_pipe_enlarge(stream->fd);
  }
  stream->enlarged = true;
}

/* Where we do not decide about the blocking mode, only the first read is sure not to block. */
static bool may_block(const cp_stream *stream)
{
  return (stream->flags & (CP_STREAM_BORROWED | CP_STREAM_SHARED)) != 0;
}

static ssize_t read_once(const cp_stream *stream, size_t filled)
{
  ssize_t n = 0;

  do {
    n = read(stream->fd, stream->loop->read_buffer + filled, CP_READ_SIZE - filled);
  } while (n == -1 && errno == EINTR);
  return n == -1 ? -errno : n;
}

/* Fills the buffer as far as there is something to read: a child that writes small pieces is still
 * writing, and waiting for each of them takes more time than asking once more. Returns the number of
 * bytes; `*last` is what the last read returned. */
static size_t read_much(const cp_stream *stream, ssize_t *last)
{
  size_t filled = 0;

  do {
    *last = read_once(stream, filled);
    filled += *last > 0 ? (size_t)*last : 0;
  } while (*last > 0 && filled < CP_READ_SIZE && !may_block(stream));
  return filled;
}

static void read_all(cp_stream *stream)
{
  for (int i = 0; i < READS_PER_TURN && stream->reading && !stream->loop->interrupted; i++) {
    ssize_t last = 0;
    size_t n = read_much(stream, &last);

    if (n == CP_READ_SIZE) {
      cp_stream_enlarge(stream);
    }
    if (n > 0) {
      stream->callbacks->on_read(stream, stream->loop->read_buffer, (ssize_t)n);
    }
    if (last == -EAGAIN || (may_block(stream) && last > 0)) {
      return;
    }
    if (last <= 0 && stream->reading && !stream->loop->interrupted) {
      stream->reading = false;
      cp_stream_update(stream);
      stream->callbacks->on_read(stream, NULL, last);
    }
  }
}

static void on_ready(void *owner, int events)
{
  cp_stream *stream = owner;

  stream->active = true;
  if ((events & CP_WATCH_HANGUP) != 0 && (stream->splice != NULL || !stream->awaiting_room)) {
    stream->await_hangup = false;
    stream->callbacks->on_hangup(stream);
  } else if (stream->splice != NULL) {
    cp_splice_turn(stream->splice, (events & CP_WATCH_WRITE) != 0);
  } else {
    if (stream->awaiting_room && (events & (CP_WATCH_WRITE | CP_WATCH_HANGUP)) != 0) {
      stream->awaiting_room = false;
      stream->callbacks->on_room(stream);
    }
    if (!stream->closed && stream->splice == NULL && (events & CP_WATCH_READ) != 0) {
      read_all(stream);
    }
  }

  stream->active = false;
  if (stream->closed) {
    free(stream);
  } else if (stream->splice == NULL) {
    cp_stream_update(stream);
  }
}

/* A pipe that another program may have made blocking takes this much without blocking, if anything. */
static ssize_t write_little(const cp_stream *stream, const struct iovec *vector)
{
  struct iovec piece = {vector->iov_base,
                        vector->iov_len < PIPE_BUF ? vector->iov_len : (size_t)PIPE_BUF};
  struct pollfd polled = {stream->fd, POLLOUT, 0};

  return poll(&polled, 1, 0) == 0 ? -EAGAIN : cp_pipe_writev(stream->fd, &piece, 1);
}

ssize_t cp_stream_write(cp_stream *stream, const struct iovec *vector, int count)
{
  struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)vector,
                           .msg_iovlen = (size_t)count};
  size_t length = 0;
  ssize_t n = 0;

  for (int i = 0; i < count; i++) {
    length += vector[i].iov_len;
  }
  if (!stream->is_socket && (stream->flags & CP_STREAM_SHARED) != 0) {
    n = write_little(stream, vector);
  } else if (!stream->is_socket) {
    n = cp_pipe_writev(stream->fd, vector, count);
  } else {
    do {
      n = sendmsg(stream->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (n == -1 && errno == EINTR);
    n = n == -1 ? -errno : n;
  }
  n = n == -EAGAIN ? 0 : n;
  if (n >= 0 && (size_t)n < length) {
    cp_stream_enlarge(stream);
  }
  return n;
}

int cp_stream_shutdown(cp_stream *stream)
{
  return shutdown(stream->fd, SHUT_WR) == -1 ? -errno : 0;
}
