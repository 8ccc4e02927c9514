/* Reads the input, finds the relay of each frame, and calls the owner from the loop. */
#include "core/link/link.h"

#include "core/base/assert.h"

#include <errno.h>
#include <stdlib.h>

/* Streams. */

static void on_relay_drained(void *owner, const cp_relay *relay)
{
  cp_link *link = owner;

  if (cp_link_reports_drained(&link->reports, relay->child, relay->number)) {
    cp_due_add(link->streams->loop, &link->due);
  }
}

/* Without memory the link fails. */
static void add_report(cp_link *link, cp_link_report report)
{
  if (cp_link_reports_add(&link->reports, report) < 0) {
    cp_link_fail(link, -ENOMEM);
  } else if (report.is_due) {
    cp_due_add(link->streams->loop, &link->due);
  }
}

static void on_relay_refused(void *owner, const cp_relay *relay, int error)
{
  add_report(owner, (cp_link_report){
                        .child = relay->child,
                        .stream = relay->number,
                        .error = error,
                        .is_due = true,
                    });
}

static void on_relay_failed(void *owner, int error)
{
  cp_link_fail(owner, error);
}

static void on_relay_closed(void *owner, const cp_relay *relay)
{
  cp_link *link = owner;

  (void)relay;
  link->relay_count--;
  if (link->relay_count == 0 && link->awaits_idle) {
    cp_due_add(link->streams->loop, &link->due);
  }
}

int cp_link_relay(cp_link *link, uint32_t child, unsigned stream, int fd, int direction,
                  const char *prefix, size_t length)
{
  static const cp_relay_callbacks callbacks = {on_relay_drained, on_relay_refused, on_relay_failed,
                                               on_relay_closed};
  cp_relay *relay = cp_relay_new(link->streams, fd, direction, &link->output, &callbacks, link);

  CP_ASSERT(cp_relays_find(&link->relays, child, stream) == NULL);
  if (relay == NULL) {
    return -ENOMEM;
  }
  relay->child = child;
  relay->number = (uint16_t)stream;
  cp_relays_add(&link->relays, relay);
  if (cp_relay_prepend(relay, prefix, length) < 0) {
    cp_relay_undo(relay);
    return -ENOMEM;
  }
  link->relay_count++;
  if (link->ended) {
    cp_relay_lose(relay); /* whoever reads finds the end */
  } else {
    cp_relay_start(relay);
  }
  return 0;
}

int cp_link_share(cp_link *link, uint32_t child, unsigned stream)
{
  cp_relay *relay = cp_relays_find(&link->relays, child, stream);

  return relay == NULL ? -EPIPE : cp_relay_share(relay);
}

bool cp_link_drain(cp_link *link, uint32_t child, unsigned stream)
{
  cp_relay *relay = cp_relays_find(&link->relays, child, stream);

  if (relay == NULL || !(link->side == CP_LINK_AGENT ? cp_relay_drain_sent(relay)
                                                     : cp_relay_drain_received(relay))) {
    return false;
  }
  add_report(link, (cp_link_report){.child = child, .stream = stream});
  return true;
}

static void report_streams(cp_link *link)
{
  while (!link->closed && cp_link_reports_are_due(&link->reports)) {
    cp_link_report report;

    if (cp_loop_is_interrupted(link->streams->loop)) {
      cp_due_add(link->streams->loop, &link->due);
      return;
    }
    report = cp_link_reports_take(&link->reports);
    if (report.error == 0) {
      link->callbacks->on_drained(link, report.child, report.stream);
    } else {
      link->callbacks->on_refused(link, report.child, report.stream, report.error);
    }
  }
}

void cp_link_refuse(cp_link *link, uint32_t child)
{
  cp_relays_each_of(&link->relays, child, cp_relay_refuse);
}

void cp_link_end_after_rest(cp_link *link)
{
  cp_relays_each(&link->relays, cp_relay_end_after_rest);
}

/* The end. */

static void end_input(cp_link *link)
{
  link->ended = true;
  link->input = cp_stream_close(link->input);
  cp_buffer_free(&link->rest);
  cp_relays_each(&link->relays, cp_relay_lose);
}

/* Any error but these two is that of a system call. */
static void end(cp_link *link, int error, const char *syscall)
{
  if (!link->ended) {
    bool has_called = error != 0 && error != -EPROTO && error != -ENOMEM;

    end_input(link);
    link->callbacks->on_end(link, error, has_called ? syscall : NULL);
  }
}

void cp_link_cut(cp_link *link)
{
  if (!link->ended) {
    end_input(link);
  }
  cp_link_output_close(&link->output);
}

void cp_link_fail(cp_link *link, int error)
{
  if (!link->closed) {
    link->failure = error;
    cp_due_add(link->streams->loop, &link->due);
  }
}

void cp_link_await_idle(cp_link *link)
{
  link->awaits_idle = true;
  cp_due_add(link->streams->loop, &link->due);
}

static void report_idle(cp_link *link)
{
  if (!link->closed && link->awaits_idle && link->relay_count == 0) {
    link->awaits_idle = false;
    link->callbacks->on_idle(link);
  }
}

/* Each call of the loop is between these two. */
static void begin_call(cp_link *link)
{
  CP_ASSERT(!link->active);
  link->active = true;
}

static void end_call(cp_link *link)
{
  link->active = false;
  if (link->closed) {
    free(link);
  }
}

/* Once the other side has closed, its last frames may still have to be read, up to their end. */
static void on_output_error(void *owner, int error)
{
  cp_link *link = owner;

  if (error != -EPIPE) {
    begin_call(link);
    end(link, error, "write");
    end_call(link);
  }
}

static void on_output_finished(void *owner)
{
  cp_link *link = owner;

  begin_call(link);
  link->callbacks->on_finished(link);
  end_call(link);
}

/* Input. */

/* Data of a relay that has ended meanwhile is dropped, and so are its other frames. */
static bool on_data(void *owner, const cp_link_frame *frame, const char *bytes, size_t length)
{
  cp_link *link = owner;
  cp_relay *relay = cp_relays_find(&link->relays, frame->child, frame->stream);

  return relay == NULL || cp_relay_data(relay, bytes, length);
}

static void handle_relay_frame(cp_relay *relay, const cp_link_frame *frame, const char *payload)
{
  switch (frame->kind) {
    case CP_FRAME_END: cp_relay_end(relay); break;
    case CP_FRAME_STOP: cp_relay_stop(relay); break;
    default: cp_relay_credit(relay, cp_link_credit_read((const unsigned char *)payload)); break;
  }
}

static void on_frame(void *owner, const cp_link_frame *frame, const char *payload)
{
  cp_link *link = owner;

  if (frame->kind >= CP_FRAME_FIRST_OTHER) {
    link->callbacks->on_frame(link, frame, payload);
  } else {
    cp_relay *relay = cp_relays_find(&link->relays, frame->child, frame->stream);

    if (relay != NULL) {
      handle_relay_frame(relay, frame, payload);
    }
  }
}

/* Handles bytes until the link has ended or the loop is interrupted. Returns how many. */
static size_t take(cp_link *link, const char *data, size_t length)
{
  size_t taken = 0;

  while (taken < length && !link->closed && !link->ended &&
         !cp_loop_is_interrupted(link->streams->loop)) {
    ssize_t n = cp_frame_reader_take(&link->reader, data + taken, length - taken);

    if (n < 0) {
      end(link, (int)n, "read");
    } else {
      taken += (size_t)n;
    }
  }
  return taken;
}

/* Reads, or handles the rest first. */
static void update_input(cp_link *link)
{
  if (link->closed || link->ended) {
    return;
  }
  if (link->rest.length > 0) {
    (void)cp_stream_set_reading(link->input, false);
    cp_due_add(link->streams->loop, &link->due);
  } else {
    int r = cp_stream_set_reading(link->input, true);

    if (r < 0) {
      end(link, r, "read");
    }
  }
}

static void on_input(cp_stream *stream, const char *data, ssize_t n)
{
  cp_link *link = stream->owner;

  begin_call(link);
  if (n > 0) {
    size_t taken = 0;

    link->received += (uint64_t)n;
    taken = take(link, data, (size_t)n);
    if (!link->closed && !link->ended &&
        cp_buffer_append(&link->rest, data + taken, (size_t)n - taken) < 0) {
      end(link, -ENOMEM, NULL);
    }
    update_input(link);
  } else {
    end(link, (int)n, "read");
  }
  end_call(link);
}

/* Handles the bytes that are left. */
static void take_rest(cp_link *link)
{
  cp_buffer rest = link->rest;
  size_t taken = 0;

  if (rest.length == 0) {
    return;
  }
  link->rest = (cp_buffer){.data = NULL};
  taken = take(link, rest.data, rest.length);
  if (!link->closed && !link->ended &&
      cp_buffer_append(&link->rest, rest.data + taken, rest.length - taken) < 0) {
    end(link, -ENOMEM, NULL);
  }
  cp_buffer_free(&rest);
}

static void on_due(void *owner)
{
  cp_link *link = owner;

  begin_call(link);
  if (link->failure != 0) {
    end(link, link->failure, "read");
  }
  take_rest(link);
  update_input(link);
  report_streams(link);
  report_idle(link);
  end_call(link);
}

static void on_event(cp_stream *stream)
{
  (void)stream; /* the input is not written */
}

/* Lifetime. */

cp_link *cp_link_new(cp_streams *streams, cp_link_side side, int in, int out,
                     const cp_link_callbacks *callbacks, void *owner)
{
  static const cp_stream_callbacks of_input = {on_input, on_event, on_event};
  static const cp_link_output_callbacks of_output = {on_output_error, on_output_finished};
  static const cp_frame_reader_callbacks of_reader = {on_data, on_frame};
  cp_link *link = malloc(sizeof(*link));

  if (link == NULL) {
    return NULL;
  }
  *link = (cp_link){
      .streams = streams,
      .callbacks = callbacks,
      .owner = owner,
      .side = side,
      .due = {.callback = on_due, .owner = link},
  };
  cp_link_reports_init(&link->reports);
  cp_frame_reader_init(&link->reader, side == CP_LINK_HOST ? CP_LINK_AGENT : CP_LINK_HOST,
                       &of_reader, link);
  if (cp_link_output_open(&link->output, streams, out, &of_output, link) < 0) {
    free(link);
    return NULL;
  }
  link->input = cp_stream_new(
      streams, in, CP_STREAM_READABLE | CP_STREAM_SHARED | CP_STREAM_TO_CHILD, &of_input, link);
  if (link->input == NULL) {
    link->output.stream->flags |= CP_STREAM_BORROWED; /* the caller keeps it */
    cp_link_output_close(&link->output);
    free(link);
    return NULL;
  }
  (void)cp_stream_reference(link->input, false);
  cp_link_output_write(&link->output, cp_link_mark(side), CP_LINK_MARK);
  cp_due_add(streams->loop, &link->due); /* reads, from the loop */
  return link;
}

cp_link *cp_link_close(cp_link *link)
{
  if (link == NULL || link->closed) {
    return NULL;
  }
  cp_loop_claim(link->streams->loop);
  link->closed = true;
  cp_due_remove(link->streams->loop, &link->due);
  cp_relays_each(&link->relays, cp_relay_free);
  link->input = cp_stream_close(link->input);
  cp_link_output_close(&link->output);
  cp_link_reports_free(&link->reports);
  cp_frame_reader_free(&link->reader);
  cp_buffer_free(&link->rest);
  if (!link->active) {
    free(link);
  }
  return NULL;
}

void cp_link_send(cp_link *link, cp_link_frame frame, const char *payload)
{
  CP_ASSERT(frame.kind >= CP_FRAME_FIRST_OTHER && frame.length <= CP_FRAME_LONGEST);
  cp_loop_claim(link->streams->loop);
  cp_link_output_frame(&link->output, frame, payload);
}

void cp_link_finish(cp_link *link)
{
  cp_link_output_finish(&link->output);
}

int cp_link_reference(cp_link *link, bool referenced)
{
  return link->input == NULL ? 0 : cp_stream_reference(link->input, referenced);
}
