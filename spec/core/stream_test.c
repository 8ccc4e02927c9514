/* What streams promise that scripts cannot see, or not reliably: where a stream ends that others go
 * on writing to, and who is called while it is diverted. */
#include "core/base/fd.h"
#include "core/runtime.h"
#include "core/stream/pipe.h"

#include "check.h"
#include "run_loop.h"

#include <string.h>
#include <unistd.h>

typedef struct seen {
  char text[16];
  size_t length;
  bool ended;
  bool pauses;  /* stops reading with each piece */
  int diverted; /* calls of on_diverted */
} seen;

static void on_read(cp_stream *stream, const char *data, ssize_t n)
{
  seen *s = stream->owner;

  if (n <= 0) {
    check(n == 0, "the end is not an error");
    s->ended = true;
  } else if (s->length + (size_t)n <= sizeof(s->text)) {
    memcpy(s->text + s->length, data, (size_t)n);
    s->length += (size_t)n;
    if (s->pauses) {
      check(cp_stream_set_reading(stream, false) == 0, "it pauses");
    }
  }
}

static void on_event(cp_stream *stream)
{
  (void)stream;
}

static const cp_stream_callbacks callbacks = {on_read, on_event, on_event};

/* Makes a stream that reads from a pipe, with `text` in it. */
static cp_stream *open_stream(cp_runtime *runtime, seen *s, const char *text, int *writer)
{
  int ours = -1;
  cp_stream *stream = NULL;

  *s = (seen){.length = 0};
  check(cp_pipe_open(false, &ours, writer) == 0, "a pipe");
  check(write(*writer, text, strlen(text)) == (ssize_t)strlen(text), "it has room");
  stream = cp_stream_new(&runtime->streams, ours, CP_STREAM_READABLE, &callbacks, s);
  check(stream != NULL, "a stream");
  return stream;
}

static bool has_read(const seen *s, const char *text)
{
  return s->length == strlen(text) && memcmp(s->text, text, s->length) == 0;
}

static void test_rest(cp_runtime *runtime)
{
  seen s;
  int writer = -1;
  cp_stream *stream = open_stream(runtime, &s, "before", &writer);

  check(cp_stream_end_after_rest(stream) == 6, "all bytes have arrived");
  check(write(writer, "after", 5) == 5, "others go on writing");
  check(cp_stream_set_reading(stream, true) == 0, "it reads");
  run_loop(&runtime->loop);
  check(s.ended && has_read(&s, "before"), "it ends after what had arrived");
  cp_stream_close(stream);
  cp_fd_close(writer);
}

static void test_rest_with_a_pause(cp_runtime *runtime)
{
  seen s;
  int writer = -1;
  cp_stream *stream = open_stream(runtime, &s, "before", &writer);

  s.pauses = true;
  check(cp_stream_end_after_rest(stream) == 6, "all bytes have arrived");
  check(cp_stream_set_reading(stream, true) == 0, "it reads");
  run_loop(&runtime->loop);
  check(!s.ended && has_read(&s, "before"), "it pauses after the rest");
  check(cp_stream_set_reading(stream, true) == 0, "it reads again");
  check(cp_loop_iterate(&runtime->loop, false) == 0 && s.ended, "it ends, though others hold it");
  cp_stream_close(stream);
  cp_fd_close(writer);
}

static void on_diverted(void *owner, int events)
{
  cp_stream *stream = owner;
  seen *s = stream->owner;

  check(events == CP_WATCH_READ, "for reading");
  s->diverted++;
  cp_stream_divert(stream, NULL, NULL);
}

static void test_diverting(cp_runtime *runtime)
{
  seen s;
  int writer = -1;
  cp_stream *stream = open_stream(runtime, &s, "text", &writer);

  check(cp_stream_set_reading(stream, true) == 0, "it reads");
  cp_stream_divert(stream, on_diverted, stream);
  check(!cp_stream_is_active(stream), "diverting stops that");
  check(cp_stream_await(stream, CP_WATCH_READ) == 0, "it waits for somebody else");
  run_loop(&runtime->loop);
  check(s.diverted == 1 && s.length == 0, "who is called instead");
  check(!cp_stream_is_active(stream), "afterwards it waits for nothing");
  cp_fd_close(writer);
  check(cp_stream_set_reading(stream, true) == 0, "it reads again");
  run_loop(&runtime->loop);
  check(s.ended && has_read(&s, "text"), "no byte is lost");
  cp_stream_close(stream);
}

int main(void)
{
  cp_runtime runtime;

  check(cp_runtime_init(&runtime, NULL) == 0, "a loop");
  test_rest(&runtime);
  test_rest_with_a_pause(&runtime);
  test_diverting(&runtime);
  cp_runtime_destroy(&runtime);
  return failures == 0 ? 0 : 1;
}
