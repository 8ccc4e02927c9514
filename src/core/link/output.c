/* Gathers small frames, and writes large ones from where they are. */
#include "core/link/output.h"

#include "core/base/assert.h"

#include <errno.h>
#include <string.h>

enum {
  /* Frames from this size on are written at once, without a copy, if nothing waits. */
  LARGE = 8 * 1024,
  /* From this many bytes on the output is full. */
  FULL = 256 * 1024,
};

static void on_room(cp_stream *stream);
static void on_due(void *owner);

static void on_read(cp_stream *stream, const char *data, ssize_t n)
{
  (void)stream;
  (void)data;
  (void)n;
  CP_ASSERT(false);
}

static void on_hangup(cp_stream *stream)
{
  (void)stream; /* the next write reports it */
}

int cp_link_output_open(cp_link_output *output, cp_streams *streams, int fd,
                        const cp_link_output_callbacks *callbacks, void *owner)
{
  static const cp_stream_callbacks of_stream = {on_read, on_room, on_hangup};

  *output = (cp_link_output){
      .loop = streams->loop,
      .callbacks = callbacks,
      .owner = owner,
      .due = {.callback = on_due, .owner = output},
  };
  CP_QUEUE_INIT(&output->waiters);
  output->stream = cp_stream_new(
      streams, fd, CP_STREAM_WRITABLE | CP_STREAM_SHARED | CP_STREAM_TO_CHILD, &of_stream, output);
  return output->stream == NULL ? -ENOMEM : 0;
}

void cp_link_output_close(cp_link_output *output)
{
  if (output->loop != NULL) {
    cp_due_remove(output->loop, &output->due);
    output->stream = cp_stream_close(output->stream);
    cp_buffer_free(&output->bytes);
    output->begin = 0;
    output->is_reported = true;
    output->finished = true;
  }
}

static size_t waiting(const cp_link_output *output)
{
  return output->bytes.length - output->begin;
}

bool cp_link_output_is_full(const cp_link_output *output)
{
  return waiting(output) >= FULL;
}

static bool accepts(const cp_link_output *output)
{
  return output->error == 0 && !output->finishing && output->stream != NULL;
}

/* The loop reports the error: those who send must not be called back meanwhile. */
static void fail(cp_link_output *output, int error)
{
  output->error = error;
  cp_buffer_reset(&output->bytes);
  output->begin = 0;
  cp_due_add(output->loop, &output->due);
}

static void append(cp_link_output *output, const char *bytes, size_t length)
{
  if (length > 0 && output->error == 0) {
    int r = cp_buffer_append(&output->bytes, bytes, length);

    if (r < 0) {
      fail(output, r);
    } else if (!output->is_waiting) {
      cp_due_add(output->loop, &output->due);
    }
  }
}

void cp_link_output_write(cp_link_output *output, const char *bytes, size_t length)
{
  if (accepts(output)) {
    append(output, bytes, length);
  }
}

/* Writes a frame without a copy, and keeps what the descriptor does not take. */
static void write_now(cp_link_output *output, struct iovec vector[2])
{
  ssize_t n = cp_stream_write(output->stream, vector, 2);
  size_t written = n > 0 ? (size_t)n : 0;

  if (n < 0) {
    fail(output, (int)n);
    return;
  }
  for (int i = 0; i < 2; i++) {
    size_t part = written < vector[i].iov_len ? written : vector[i].iov_len;

    append(output, (const char *)vector[i].iov_base + part, vector[i].iov_len - part);
    written -= part;
  }
}

void cp_link_output_frame(cp_link_output *output, cp_link_frame frame, const char *payload)
{
  unsigned char header[CP_FRAME_HEADER];

  if (!accepts(output)) {
    return;
  }
  cp_link_frame_write(&frame, header);
  if (frame.length >= LARGE && waiting(output) == 0) {
    write_now(output, (struct iovec[]){
                          {.iov_base = header, .iov_len = sizeof(header)},
                          {.iov_base = (char *)(uintptr_t)payload, .iov_len = frame.length},
                      });
  } else {
    append(output, (const char *)header, sizeof(header));
    append(output, payload, frame.length);
  }
}

void cp_link_output_await(cp_link_output *output, cp_link_waiter *waiter)
{
  if (!waiter->is_waiting) {
    waiter->is_waiting = true;
    CP_QUEUE_ADD(&output->waiters, waiter, entry);
  }
}

void cp_link_output_leave(cp_link_output *output, cp_link_waiter *waiter)
{
  if (waiter->is_waiting) {
    waiter->is_waiting = false;
    CP_QUEUE_REMOVE(&output->waiters, waiter, entry);
  }
}

void cp_link_output_finish(cp_link_output *output)
{
  output->finishing = true;
  cp_due_add(output->loop, &output->due);
}

/* Writes until the descriptor takes no more. */
static void flush(cp_link_output *output)
{
  ssize_t n = 1;

  while (waiting(output) > 0 && n > 0) {
    struct iovec piece = {output->bytes.data + output->begin, waiting(output)};

    n = cp_stream_write(output->stream, &piece, 1);
    if (n < 0) {
      fail(output, (int)n);
      return;
    }
    output->begin += (size_t)n;
  }
  if (waiting(output) == 0) {
    cp_buffer_reset(&output->bytes);
    output->begin = 0;
  } else if (output->begin > output->bytes.length / 2) {
    memmove(output->bytes.data, output->bytes.data + output->begin, waiting(output));
    output->bytes.length = waiting(output);
    output->begin = 0;
  }
}

/* Calls back those who wait, the first one first, as long as there is room. */
static void serve_waiters(cp_link_output *output)
{
  cp_link_waiter *waiter = NULL;

  while (!cp_link_output_is_full(output) && (waiter = CP_QUEUE_FIRST(&output->waiters)) != NULL) {
    cp_link_output_leave(output, waiter);
    waiter->callback(waiter->owner);
  }
}

static void report(cp_link_output *output)
{
  if (output->error != 0) {
    if (!output->is_reported) {
      output->is_reported = true;
      output->callbacks->on_error(output->owner, output->error);
    }
  } else if (output->finishing && !output->finished && waiting(output) == 0) {
    output->finished = true;
    output->stream = cp_stream_close(output->stream);
    output->callbacks->on_finished(output->owner);
  }
}

/* Writes, waits for room if the descriptor has none, and calls back. The callback may close it. */
static void proceed(cp_link_output *output)
{
  int r = 0;

  if (output->error == 0 && output->stream != NULL && !output->is_waiting) {
    flush(output);
    serve_waiters(output);
    if (waiting(output) > 0) {
      r = cp_stream_await_room(output->stream);
      output->is_waiting = r == 0;
    }
    if (r < 0) {
      fail(output, r);
    }
  }
  report(output);
}

static void on_room(cp_stream *stream)
{
  cp_link_output *output = stream->owner;

  output->is_waiting = false;
  proceed(output);
}

static void on_due(void *owner)
{
  proceed(owner);
}
