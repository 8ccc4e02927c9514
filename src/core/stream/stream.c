/* Reads and writes with the calls that the kind of descriptor needs, a few times in each
 * iteration. */
#include "core/stream/stream.h"

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/base/owned.h"
#include "core/stream/pipe.h"
#include "core/sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>

/* The most buffers that one stream reads in an iteration of the loop. */
enum { READS_PER_ITERATION = 16 };

static void on_ready(void *owner, int events);
static void on_due(void *owner);

void cp_streams_init(cp_streams *streams, cp_loop *loop)
{
  *streams = (cp_streams){.loop = loop};
  CP_LIST_INIT(&streams->to_children);
}

cp_stream *cp_stream_new(cp_streams *streams, int fd, int flags,
                         const cp_stream_callbacks *callbacks, void *owner)
{
  cp_stream *stream = malloc(sizeof(*stream));

  if (stream != NULL) {
    *stream = (cp_stream){
        .loop = streams->loop,
        .callbacks = callbacks,
        .owner = owner,
        .fd = fd,
        .flags = flags,
        .referenced = true,
        .enlarged = (flags & CP_STREAM_TERMINAL) != 0,
        .due = {.callback = on_due, .owner = stream},
        /* Only a stream that goes both ways, or is borrowed, may be a socket. */
        .is_socket = (flags & (CP_STREAM_READABLE | CP_STREAM_BORROWED)) != 0 &&
                     (flags & CP_STREAM_WRITABLE) != 0 && cp_fd_is_socket(fd),
    };
    cp_input_init(&stream->input, (flags & CP_STREAM_TERMINAL) != 0);
    if ((flags & CP_STREAM_BORROWED) == 0) {
      cp_owned_add(fd);
    }
    if ((flags & CP_STREAM_TO_CHILD) != 0) {
      CP_LIST_INSERT(&streams->to_children, stream, to_children);
    }
  }
  return stream;
}

cp_stream *cp_stream_close(cp_stream *stream)
{
  if (stream == NULL || stream->closed) {
    return NULL;
  }
  cp_loop_claim(stream->loop);
  stream->closed = true;
  stream->reading = false;
  cp_due_remove(stream->loop, &stream->due);
  cp_watch_close(&stream->watch);
  if ((stream->flags & CP_STREAM_TO_CHILD) != 0) {
    CP_LIST_REMOVE(stream, to_children);
  }
  if (!(stream->flags & CP_STREAM_BORROWED)) {
    stream->fd = cp_fd_close(stream->fd);
  }
  cp_input_close(&stream->input);
  if (!stream->active) {
    free(stream);
  }
  return NULL;
}

/* Watches for the events that the fields ask for. */
static int update(cp_stream *stream)
{
  int events = (stream->reading ? CP_WATCH_READ : 0) |
               (stream->awaiting_room ? CP_WATCH_WRITE : 0) |
               (stream->await_hangup ? CP_WATCH_HANGUP : 0);

  if (stream->reading && cp_input_needs_no_event(&stream->input)) {
    cp_due_add(stream->loop, &stream->due);
  }
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

static int await(cp_stream *stream, int events)
{
  stream->reading = (events & CP_WATCH_READ) != 0;
  stream->awaiting_room = (events & CP_WATCH_WRITE) != 0;
  return update(stream);
}

int cp_stream_set_reading(cp_stream *stream, bool on)
{
  int r = 0;

  CP_ASSERT(stream->diverted == NULL && !stream->closed);
  if (stream->reading != on) {
    stream->reading = on;
    r = update(stream);
    stream->reading = on && r == 0;
  }
  return r;
}

int cp_stream_await_room(cp_stream *stream)
{
  CP_ASSERT(stream->diverted == NULL && !stream->closed);
  stream->awaiting_room = true;
  return update(stream);
}

int cp_stream_await_hangup(cp_stream *stream)
{
  stream->await_hangup = true;
  return update(stream);
}

int cp_stream_reference(cp_stream *stream, bool referenced)
{
  stream->referenced = referenced;
  return cp_watch_is_open(&stream->watch) ? update(stream) : 0;
}

bool cp_stream_is_active(const cp_stream *stream)
{
  return stream->reading || stream->awaiting_room || stream->await_hangup;
}

void cp_stream_divert(cp_stream *stream, cp_stream_divert_cb callback, void *owner)
{
  CP_ASSERT(callback == NULL || stream->diverted == NULL); /* one owner at a time */
  stream->diverted = callback;
  stream->diverted_owner = owner;
  (void)await(stream, 0);
}

int cp_stream_await(cp_stream *stream, int events)
{
  CP_ASSERT(stream->diverted != NULL);
  return await(stream, events);
}

ssize_t cp_stream_end_after_rest(cp_stream *stream)
{
  ssize_t rest = cp_input_end_after_rest(&stream->input, stream->fd);

  if (rest > 0) {
    (void)update(stream);
  }
  return rest;
}

void cp_stream_keep_open(cp_stream *stream, int other)
{
  cp_input_keep_open(&stream->input, other);
}

void cp_stream_let_end(cp_stream *stream)
{
  cp_input_let_end(&stream->input);
  (void)update(stream);
}

int cp_stream_kept(const cp_stream *stream)
{
  return stream->input.kept;
}

bool cp_stream_is_held(cp_stream *stream)
{
  return cp_input_is_held(&stream->input, stream->fd);
}

void cp_stream_share(cp_stream *stream)
{
  stream->flags |= CP_STREAM_SHARED;
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

/* Reads a borrowed descriptor only once each time it is ready: another program may be waiting for
 * the rest. */
static bool reads_once(const cp_stream *stream)
{
  return (stream->flags & CP_STREAM_BORROWED) != 0;
}

void cp_streams_give_up(cp_streams *streams)
{
  cp_stream *stream = NULL;

  CP_LIST_FOREACH(stream, &streams->to_children, to_children)
  {
    stream->reading = false;
    stream->awaiting_room = false;
    stream->await_hangup = false;
    cp_due_remove(stream->loop, &stream->due);
    cp_watch_close(&stream->watch);
    stream->fd = cp_pipe_break(stream->fd);
    cp_input_close(&stream->input);
  }
}

static cp_input_call call_for(const cp_stream *stream)
{
  if (stream->is_socket) {
    return CP_INPUT_SOCKET;
  }
  return (stream->flags & (CP_STREAM_BORROWED | CP_STREAM_SHARED)) != 0 &&
                 !cp_watch_is_always_ready(&stream->watch)
             ? CP_INPUT_NOWAIT
             : CP_INPUT_PLAIN;
}

/* Reads until the buffer is full or nothing is left: a child that writes small pieces is still
 * writing, and waiting for each of them takes longer than one more read. Returns the number of
 * bytes, and stores the result of the last read. */
static size_t read_much(cp_stream *stream, ssize_t *last)
{
  size_t filled = 0;

  do {
    *last = cp_input_read(&stream->input, stream->fd, call_for(stream),
                          stream->loop->read_buffer + filled, CP_READ_SIZE - filled);
    filled += *last > 0 ? (size_t)*last : 0;
  } while (*last > 0 && filled < CP_READ_SIZE && !reads_once(stream));
  return filled;
}

static void read_all(cp_stream *stream)
{
  for (int i = 0;
       i < READS_PER_ITERATION && stream->reading && !cp_loop_is_interrupted(stream->loop); i++) {
    ssize_t last = 0;
    size_t n = read_much(stream, &last);

    if (n == CP_READ_SIZE) {
      cp_stream_enlarge(stream);
    }
    if (n > 0) {
      stream->callbacks->on_read(stream, stream->loop->read_buffer, (ssize_t)n);
    }
    if (last == -EAGAIN || (reads_once(stream) && last > 0 && !stream->input.ends)) {
      return;
    }
    if (last <= 0 && stream->reading && !cp_loop_is_interrupted(stream->loop)) {
      stream->reading = false;
      update(stream);
      stream->callbacks->on_read(stream, NULL, last);
    }
  }
}

static void on_ready(void *owner, int events)
{
  cp_stream *stream = owner;

  stream->active = true;
  if ((events & CP_WATCH_HANGUP) != 0 && (stream->diverted != NULL || !stream->awaiting_room)) {
    stream->await_hangup = false;
    stream->callbacks->on_hangup(stream);
  } else if (stream->diverted != NULL) {
    stream->diverted(stream->diverted_owner, events);
  } else {
    if (stream->awaiting_room && (events & (CP_WATCH_WRITE | CP_WATCH_HANGUP)) != 0) {
      stream->awaiting_room = false;
      stream->callbacks->on_room(stream);
    }
    if (!stream->closed && stream->diverted == NULL && (events & CP_WATCH_READ) != 0) {
      read_all(stream);
    }
  }

  stream->active = false;
  if (stream->closed) {
    free(stream);
  } else if (stream->diverted == NULL) {
    update(stream);
  }
}

static void on_due(void *owner)
{
  const cp_stream *stream = owner;

  if (stream->reading && stream->diverted == NULL) {
    on_ready(owner, CP_WATCH_READ);
  }
}

/* Writes all data at once, which is for standard output, as in Node: nothing is lost, however the
 * program ends. */
static ssize_t write_all(const cp_stream *stream, const struct iovec *vector, int count)
{
  size_t length = 0;
  int r = 0;

  for (int i = 0; i < count && r == 0; i++) {
    r = cp_fd_write_all(stream->fd, vector[i].iov_base, vector[i].iov_len);
    length += vector[i].iov_len;
  }
  return r < 0 ? r : (ssize_t)length;
}

static ssize_t write_some(const cp_stream *stream, const struct iovec *vector, int count)
{
  if ((stream->flags & CP_STREAM_BORROWED) != 0) {
    return write_all(stream, vector, count);
  }
  if (stream->is_socket) {
    return cp_sys_send_vector(stream->fd, vector, count);
  }
  return (stream->flags & CP_STREAM_SHARED) != 0 ? cp_fd_writev_nowait(stream->fd, vector, count)
                                                 : cp_fd_writev(stream->fd, vector, count);
}

ssize_t cp_stream_write(cp_stream *stream, const struct iovec *vector, int count)
{
  size_t length = 0;
  ssize_t n = 0;

  cp_loop_claim(stream->loop);
  n = write_some(stream, vector, count);
  for (int i = 0; i < count; i++) {
    length += vector[i].iov_len;
  }
  n = n == -EAGAIN ? 0 : n;
  if (n >= 0 && (size_t)n < length) {
    cp_stream_enlarge(stream);
  }
  return n;
}

int cp_stream_shutdown(cp_stream *stream)
{
  if ((stream->flags & CP_STREAM_TERMINAL) != 0) {
    return 0;
  }
  return shutdown(stream->fd, SHUT_WR) == -1 ? -errno : 0;
}
