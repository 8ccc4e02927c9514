/* Terminals without Lua: their settings, the stream on our end, and a program that is run to its
 * end at one. */
#include "core/process/terminal.h"

#include "core/base/fd.h"
#include "core/process/sync.h"
#include "core/runtime.h"

#include "check.h"
#include "run_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static cp_terminal open_terminal(cp_terminal options)
{
  options.ours = -1;
  options.theirs = -1;
  options.columns = options.columns != 0 ? options.columns : 80;
  options.rows = options.rows != 0 ? options.rows : 24;
  check(cp_terminal_open(&options) == 0, "a terminal");
  return options;
}

static bool has_flags(int fd, tcflag_t output, tcflag_t local)
{
  struct termios settings;

  return tcgetattr(fd, &settings) == 0 && (settings.c_oflag & OPOST) == output &&
         (settings.c_lflag & (ICANON | ECHO | ISIG)) == local;
}

static void test_settings(void)
{
  cp_terminal terminal = open_terminal((cp_terminal){.columns = 100, .rows = 30, .echo = true});
  int columns = 0;
  int rows = 0;
  char end = '\0';

  check(isatty(terminal.theirs) == 1, "it is a terminal");
  check((fcntl(terminal.ours, F_GETFD) & FD_CLOEXEC) != 0, "our end is close-on-exec");
  check((fcntl(terminal.theirs, F_GETFD) & FD_CLOEXEC) != 0, "the other end is close-on-exec");
  check((fcntl(terminal.ours, F_GETFL) & O_NONBLOCK) != 0, "our end does not block");
  check((fcntl(terminal.theirs, F_GETFL) & O_NONBLOCK) == 0, "the other end blocks");
  check(cp_terminal_get_size(terminal.ours, &columns, &rows) == 0 && columns == 100 && rows == 30,
        "the size");
  check(cp_terminal_set_size(terminal.ours, CP_TERMINAL_LARGEST, 1) == 0 &&
            cp_terminal_get_size(terminal.theirs, &columns, &rows) == 0 &&
            columns == CP_TERMINAL_LARGEST && rows == 1,
        "another size");
  check(has_flags(terminal.theirs, OPOST, ICANON | ECHO | ISIG), "the usual mode");
  check(cp_terminal_end_of_file(terminal.ours, &end) == 1 && end == '\4', "Ctrl-D");
  check(cp_terminal_set_raw(terminal.ours, true) == 0 && has_flags(terminal.theirs, 0, 0),
        "raw mode");
  check(cp_terminal_end_of_file(terminal.ours, &end) == 0, "no end-of-file in raw mode");
  check(cp_terminal_set_raw(terminal.ours, false) == 0 &&
            has_flags(terminal.theirs, OPOST, ICANON | ECHO | ISIG),
        "the usual mode again");
  check(cp_terminal_set_echo(terminal.ours, false) == 0 &&
            has_flags(terminal.theirs, OPOST, ICANON | ISIG),
        "no echo");
  cp_terminal_close(&terminal);
  check(terminal.ours == -1 && terminal.theirs == -1, "it is closed");

  terminal = open_terminal((cp_terminal){.raw = true});
  check(has_flags(terminal.theirs, 0, 0), "raw from the start");
  cp_terminal_close(&terminal);
  check(cp_terminal_get_size(-1, &columns, &rows) == -EBADF, "no descriptor");
  check(cp_terminal_set_raw(-1, true) == -EBADF, "no descriptor to set");
}

typedef struct seen {
  char text[256];
  size_t length;
  bool ended;
  int other; /* closed with the first bytes, unless it is -1 */
} seen;

static void on_read(cp_stream *stream, const char *data, ssize_t n)
{
  seen *s = stream->owner;

  if (n <= 0) {
    check(n == 0, "the end is not an error");
    s->ended = true;
    return;
  }
  memcpy(s->text + s->length, data, (size_t)n);
  s->length += (size_t)n;
  s->other = cp_fd_close(s->other);
}

static void on_event(cp_stream *stream)
{
  (void)stream;
}

static const cp_stream_callbacks callbacks = {on_read, on_event, on_event};

static cp_stream *open_stream(cp_runtime *runtime, cp_terminal *terminal, seen *s)
{
  cp_stream *stream =
      cp_stream_new(&runtime->streams, terminal->ours,
                    CP_STREAM_READABLE | CP_STREAM_WRITABLE | CP_STREAM_TERMINAL, &callbacks, s);

  check(stream != NULL, "a stream");
  cp_stream_keep_open(stream, terminal->theirs);
  return stream;
}

static void test_end(cp_runtime *runtime)
{
  seen s = {.other = -1};
  cp_terminal terminal = open_terminal((cp_terminal){0});
  cp_stream *stream = open_stream(runtime, &terminal, &s);

  check(write(terminal.theirs, "one\n", 4) == 4, "it has room");
  check(cp_stream_set_reading(stream, true) == 0, "it reads");
  for (int i = 0; i < 3; i++) {
    cp_loop_iterate(&runtime->loop, false);
  }
  check(s.length == 5 && memcmp(s.text, "one\r\n", 5) == 0, "the line");
  check(!s.ended && cp_stream_is_held(stream), "it is kept open");
  check(write(terminal.theirs, "two\n", 4) == 4, "it has room again");
  cp_stream_let_end(stream);
  check(cp_stream_kept(stream) == terminal.theirs, "until everything was read");
  run_loop(&runtime->loop);
  check(s.ended && s.length == 10, "it ends after the rest");
  check(cp_stream_kept(stream) == -1, "it is not kept open any more");
  cp_stream_close(stream);
}

static void test_end_with_others(cp_runtime *runtime)
{
  cp_terminal terminal = open_terminal((cp_terminal){0});
  seen s = {.other = cp_fd_copy(terminal.theirs)};
  cp_stream *stream = open_stream(runtime, &terminal, &s);

  check(cp_stream_set_reading(stream, true) == 0, "it reads");
  cp_stream_let_end(stream);
  cp_loop_iterate(&runtime->loop, false);
  check(!s.ended && cp_stream_is_held(stream), "another process has it open");
  check(write(s.other, "late\n", 5) == 5, "and writes");
  run_loop(&runtime->loop);
  check(s.ended && s.length == 6, "it ends when that has closed it");
  check(!cp_stream_is_held(stream), "nobody has it open");
  cp_stream_close(stream);
}

static void test_rest(cp_runtime *runtime)
{
  cp_terminal terminal = open_terminal((cp_terminal){0});
  seen s = {.other = -1};
  int other = cp_fd_copy(terminal.theirs);
  cp_stream *stream = open_stream(runtime, &terminal, &s);

  check(write(other, "rest\n", 5) == 5, "it has room");
  cp_stream_let_end(stream);
  check(cp_stream_end_after_rest(stream) > 0, "there may be a rest");
  check(cp_stream_set_reading(stream, true) == 0, "it reads");
  run_loop(&runtime->loop);
  check(s.ended && s.length == 6, "it ends after the rest, although others have it open");
  cp_stream_close(stream);
  cp_fd_close(other);
}

static void test_streams(void)
{
  cp_runtime runtime;

  check(cp_runtime_init(&runtime, NULL) == 0, "a runtime");
  test_end(&runtime);
  test_end_with_others(&runtime);
  test_rest(&runtime);
  cp_runtime_destroy(&runtime);
}

enum { FD_COUNT = 3 };

/* Runs `sh -c command` at a terminal, with the first entry of stdio. */
static int run(cp_spawner *spawner, const char *command, cp_stdio_kind first,
               cp_sync_output outputs[FD_COUNT], cp_sync_result *result)
{
  char *args[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
  cp_terminal terminal = {.ours = -1, .theirs = -1, .columns = 80, .rows = 24, .echo = true};
  cp_stdio stdio[FD_COUNT] = {
      {first, -1, -1}, {CP_STDIO_TERMINAL, -1, -1}, {CP_STDIO_TERMINAL, -1, -1}};
  cp_spawn_failure failure;
  cp_sync_options options = {
      .spawn = {.file = "sh",
                .args = args,
                .stdio = stdio,
                .stdio_count = FD_COUNT,
                .detached = true,
                .terminal = &terminal},
      .max_buffer = SIZE_MAX,
      .kill_signal = SIGKILL,
      .force_kill_after = CP_SYNC_NEVER,
      .wait_delay = CP_SYNC_NEVER,
  };
  int r = 0;

  for (int i = 0; i < FD_COUNT; i++) {
    cp_buffer_free(&outputs[i].bytes);
    outputs[i].cut = false;
  }
  r = cp_sync_run(spawner, &options, outputs, result, &failure);
  check(terminal.ours == -1 && terminal.theirs == -1, "the terminal is closed");
  return r;
}

static bool holds(const cp_buffer *output, const char *text)
{
  return output->length == strlen(text) &&
         (output->length == 0 || memcmp(output->data, text, output->length) == 0);
}

static void test_runs(void)
{
  cp_spawner *spawner = NULL;
  cp_sync_output outputs[FD_COUNT] = {0};
  cp_sync_result result;

  check(cp_spawner_new(&spawner) == 0, "making a spawner");
  check(run(spawner, "test -t 0 && test -t 1 && echo out; echo err >&2; exit 3", CP_STDIO_TERMINAL,
            outputs, &result) == 0 &&
            result.status.code == 3 && holds(&outputs[1].bytes, "out\r\nerr\r\n"),
        "output of a terminal");
  check(run(spawner, "cat; cat; echo end", CP_STDIO_TERMINAL, outputs, &result) == 0 &&
            holds(&outputs[1].bytes, "end\r\n"),
        "nobody types");
  check(run(spawner, "exec <&- >&- 2>&-; echo more >/dev/tty", CP_STDIO_IGNORE, outputs, &result) ==
                0 &&
            holds(&outputs[1].bytes, "more\r\n"),
        "a program that closes it, and opens it again");
  for (int i = 0; i < FD_COUNT; i++) {
    cp_buffer_free(&outputs[i].bytes);
  }
  cp_spawner_destroy(spawner);
}

static void test_all(void)
{
  int open_before = dup(STDERR_FILENO);
  int next = -1;

  test_settings();
  test_streams();
  test_runs();
  next = dup(STDERR_FILENO);
  check(next == open_before + 1, "no descriptor is left");
  close(next);
  close(open_before);
}

int main(void)
{
  return run_in_each_mode(test_all);
}
