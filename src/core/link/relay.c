/* Reads and writes the descriptor as a stream does. */
#include "core/link/relay.h"

#include "core/base/assert.h"
#include "core/base/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

enum {
  /* How many bytes of a stream may be on their way: as many as a link of 1 Gbit/s takes in 2 ms. */
  WINDOW = 256 * 1024,
  /* A sender with any credit left may send one buffer of the loop. */
  OVERDRAFT = CP_FRAME_LONGEST_DATA,
  /* Credit is given back for this many bytes at once. */
  GIVES_BACK = WINDOW / 4,
};

static void on_read(cp_stream *stream, const char *data, ssize_t n);
static void on_room(cp_stream *stream);
static void on_hangup(cp_stream *stream);
static void on_output_room(void *owner);

cp_relay *cp_relay_new(cp_streams *streams, int fd, int direction, cp_link_output *output,
                       const cp_relay_callbacks *callbacks, void *owner)
{
  static const cp_stream_callbacks of_stream = {on_read, on_room, on_hangup};
  cp_relay *relay = malloc(sizeof(*relay));

  if (relay == NULL) {
    return NULL;
  }
  *relay = (cp_relay){
      .output = output,
      .callbacks = callbacks,
      .owner = owner,
      .sends = (direction & CP_STREAM_READABLE) != 0,
      .receives = (direction & CP_STREAM_WRITABLE) != 0,
      .credit = WINDOW,
      .waiter = {.callback = on_output_room, .owner = relay},
      .stream = cp_stream_new(streams, fd, direction | CP_STREAM_TO_CHILD, &of_stream, relay),
  };
  if (relay->stream == NULL) {
    free(relay);
    return NULL;
  }
  if ((direction & CP_STREAM_SHARED) == 0) {
    cp_stream_take_back(relay->stream); /* makes it non-blocking */
  }
  /* The link keeps the loop alive, or not. */
  (void)cp_stream_reference(relay->stream, false);
  return relay;
}

int cp_relay_share(cp_relay *relay)
{
  cp_stream_share(relay->stream);
  return cp_fd_copy(cp_stream_descriptor(relay->stream));
}

void cp_relay_free(cp_relay *relay)
{
  cp_link_output_leave(relay->output, &relay->waiter);
  relay->stream = cp_stream_close(relay->stream);
  cp_buffer_free(&relay->queue);
  CP_LIST_REMOVE(relay, entry);
  free(relay);
}

void cp_relay_undo(cp_relay *relay)
{
  relay->stream->flags |= CP_STREAM_BORROWED;
  cp_relay_free(relay);
}

static void send_frame(cp_relay *relay, cp_frame_kind kind, const char *payload, size_t length)
{
  cp_link_frame frame = {
      .length = (uint32_t)length,
      .child = relay->child,
      .kind = (uint8_t)kind,
      .stream = relay->number,
  };

  cp_link_output_frame(relay->output, frame, payload);
}

static size_t queued(const cp_relay *relay)
{
  return relay->queue.length - relay->begin;
}

static bool is_drained(const cp_relay *relay)
{
  return relay->undrained == 0 && (!relay->awaits_written || queued(relay) == 0);
}

/* Call it last: frees the relay if both directions have ended. */
static void settle(cp_relay *relay)
{
  if (relay->draining && is_drained(relay)) {
    relay->draining = false;
    relay->callbacks->on_drained(relay->owner, relay);
  }
  if (!relay->sends && !relay->receives) {
    relay->callbacks->on_closed(relay->owner, relay);
    cp_relay_free(relay);
  }
}

/* Whether the error means that the other end of the descriptor was closed. */
static bool is_end(int error)
{
  return error == 0 || error == -EPIPE || error == -ECONNRESET;
}

/* From the descriptor to the other side. */

static void end_sending(cp_relay *relay)
{
  cp_link_output_leave(relay->output, &relay->waiter);
  relay->sends = false;
  relay->undrained = 0;
  (void)cp_stream_set_reading(relay->stream, false);
}

/* The descriptor has ended, or fails. */
static void finish_sending(cp_relay *relay, int error)
{
  if (!is_end(error)) {
    relay->callbacks->on_failed(relay->owner, error);
  }
  send_frame(relay, CP_FRAME_END, NULL, 0);
  end_sending(relay);
}

/* Reads as long as the other side and the output take something. */
static void update_reading(cp_relay *relay)
{
  bool may_send = relay->sends && relay->credit > 0;
  bool is_full = cp_link_output_is_full(relay->output);
  int r = 0;

  if (may_send && is_full) {
    cp_link_output_await(relay->output, &relay->waiter);
  }
  r = cp_stream_set_reading(relay->stream, may_send && !is_full);
  if (r < 0) {
    finish_sending(relay, r);
  }
}

static void on_read(cp_stream *stream, const char *data, ssize_t n)
{
  cp_relay *relay = stream->owner;

  if (n > 0) {
    size_t length = (size_t)n;

    CP_ASSERT(length <= CP_FRAME_LONGEST_DATA);
    send_frame(relay, CP_FRAME_DATA, data, length);
    relay->credit -= (int64_t)length;
    relay->undrained -= length < relay->undrained ? length : relay->undrained;
    update_reading(relay);
  } else {
    finish_sending(relay, (int)n);
  }
  settle(relay);
}

static void on_output_room(void *owner)
{
  cp_relay *relay = owner;

  update_reading(relay);
  settle(relay);
}

void cp_relay_credit(cp_relay *relay, uint32_t credit)
{
  relay->credit += credit;
  if (relay->credit > WINDOW) {
    relay->credit = WINDOW;
  }
  update_reading(relay);
  settle(relay);
}

void cp_relay_stop(cp_relay *relay)
{
  if (relay->sends) {
    end_sending(relay);
    settle(relay);
  }
}

/* From the other side to the descriptor. */

/* The descriptor has no reader any more, or gets no more bytes. */
static void end_receiving(cp_relay *relay)
{
  relay->receives = false;
  cp_buffer_free(&relay->queue);
  relay->begin = 0;
  if (relay->sends) {
    (void)cp_stream_shutdown(relay->stream);
  }
}

static void refuse(cp_relay *relay, int error)
{
  if (error == -ENOMEM) {
    relay->callbacks->on_failed(relay->owner, error);
  } else if (!is_end(error)) {
    relay->callbacks->on_refused(relay->owner, relay, error);
  }
  send_frame(relay, CP_FRAME_STOP, NULL, 0);
  end_receiving(relay);
}

void cp_relay_refuse(cp_relay *relay)
{
  if (relay->receives) {
    refuse(relay, 0);
  }
  if (relay->sends) {
    finish_sending(relay, 0);
  }
  settle(relay);
}

static void give_back(cp_relay *relay)
{
  if (relay->written >= GIVES_BACK && !relay->ends) {
    unsigned char credit[4];

    cp_link_credit_write((uint32_t)relay->written, credit);
    send_frame(relay, CP_FRAME_CREDIT, (const char *)credit, sizeof(credit));
    relay->received -= relay->written;
    relay->written = 0;
  }
}

/* Returns how many of the bytes the descriptor has taken, or a negative errno. */
static ssize_t write_some(cp_relay *relay, const char *bytes, size_t length)
{
  struct iovec piece = {.iov_base = (char *)(uintptr_t)bytes, .iov_len = length};
  ssize_t n = length > 0 ? cp_stream_write(relay->stream, &piece, 1) : 0;

  if (n > 0) {
    size_t free_of_credit = (size_t)n < relay->prepended ? (size_t)n : relay->prepended;

    relay->prepended -= free_of_credit;
    relay->written += (size_t)n - free_of_credit;
    give_back(relay);
  }
  return n;
}

static int write_queue(cp_relay *relay)
{
  ssize_t n = 1;

  while (queued(relay) > 0 && n > 0) {
    n = write_some(relay, relay->queue.data + relay->begin, queued(relay));
    relay->begin += n > 0 ? (size_t)n : 0;
  }
  if (n >= 0 && queued(relay) == 0) {
    cp_buffer_reset(&relay->queue);
    relay->begin = 0;
  }
  return n < 0 ? (int)n : 0;
}

/* After writing, with its result: waits for room if something is queued. */
static void proceed(cp_relay *relay, int r)
{
  if (r == 0 && queued(relay) > 0) {
    r = cp_stream_await_room(relay->stream);
  }
  if (r < 0) {
    refuse(relay, r);
  } else if (relay->ends && queued(relay) == 0) {
    end_receiving(relay);
  }
}

static void on_room(cp_stream *stream)
{
  cp_relay *relay = stream->owner;

  if (relay->receives) {
    proceed(relay, write_queue(relay));
  }
  settle(relay);
}

static void on_hangup(cp_stream *stream)
{
  cp_relay *relay = stream->owner;

  if (relay->receives) {
    refuse(relay, -EPIPE);
  }
  settle(relay);
}

bool cp_relay_data(cp_relay *relay, const char *bytes, size_t length)
{
  ssize_t n = 0;
  int r = 0;

  if (!relay->receives || relay->ends) {
    return !relay->ends;
  }
  relay->received += length;
  if (relay->received > WINDOW + OVERDRAFT) {
    return false;
  }
  if (queued(relay) == 0) {
    n = write_some(relay, bytes, length);
  }
  if (n < 0) {
    r = (int)n;
  } else {
    r = cp_buffer_append(&relay->queue, bytes + n, length - (size_t)n);
  }
  proceed(relay, r);
  settle(relay);
  return true;
}

void cp_relay_end(cp_relay *relay)
{
  if (relay->receives) {
    relay->ends = true;
    proceed(relay, 0);
    settle(relay);
  }
}

int cp_relay_prepend(cp_relay *relay, const char *bytes, size_t length)
{
  CP_ASSERT(relay->queue.length == 0);
  relay->prepended = length;
  return cp_buffer_append(&relay->queue, bytes, length);
}

/* Both. */

void cp_relay_start(cp_relay *relay)
{
  int r = 0;

  update_reading(relay);
  if (!relay->sends && relay->receives) {
    r = cp_stream_await_hangup(relay->stream);
  }
  if (relay->receives) {
    proceed(relay, r == 0 ? write_queue(relay) : r);
  }
  settle(relay);
}

bool cp_relay_drain_sent(cp_relay *relay)
{
  int available = 0;

  relay->awaits_written = false;
  if (relay->sends && ioctl(cp_stream_descriptor(relay->stream), FIONREAD, &available) == 0) {
    relay->undrained = (size_t)available;
  }
  relay->draining = !is_drained(relay);
  return relay->draining;
}

bool cp_relay_drain_received(cp_relay *relay)
{
  relay->awaits_written = true;
  relay->undrained = 0;
  relay->draining = !is_drained(relay);
  return relay->draining;
}

void cp_relay_end_after_rest(cp_relay *relay)
{
  if (relay->sends) {
    ssize_t rest = cp_stream_end_after_rest(relay->stream);

    if (rest <= 0) {
      finish_sending(relay, (int)rest);
    }
  }
  settle(relay);
}

void cp_relay_lose(cp_relay *relay)
{
  end_sending(relay);
  if (relay->receives) {
    relay->ends = true;
    proceed(relay, 0);
  }
  settle(relay);
}
