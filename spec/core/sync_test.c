/* Running programs to their end, without Lua: input and output at once, the limits, and what is left. */
#include "core/pipe.h"
#include "core/sync.h"

#include "check.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FD_COUNT = 4 };

/* Runs `sh -c command` on four new pipes. */
static int run(cp_spawner *spawner, const char *command, cp_sync_options options,
               cp_buffer outputs[FD_COUNT], cp_sync_result *result)
{
  char *args[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
  int fds[FD_COUNT] = {CP_PIPE_NEW, CP_PIPE_NEW, CP_PIPE_NEW, CP_PIPE_NEW};
  bool set_blocking[FD_COUNT] = {false, false, false, false};

  for (int i = 0; i < FD_COUNT; i++) {
    cp_buffer_free(&outputs[i]);
  }
  options.spawn.file = options.spawn.file != NULL ? options.spawn.file : "sh";
  options.spawn.args = args;
  options.fds = fds;
  options.spawn.fd_count = FD_COUNT;
  options.spawn.set_blocking = set_blocking;
  options.kill_signal = options.kill_signal != 0 ? options.kill_signal : SIGTERM;
  options.max_buffer = options.max_buffer != 0 ? options.max_buffer : SIZE_MAX;
  return cp_sync_run(spawner, &options, outputs, result);
}

static bool holds(const cp_buffer *output, const char *text)
{
  return output->length == strlen(text) &&
         (output->length == 0 || memcmp(output->data, text, output->length) == 0);
}

static void test_large_input(cp_spawner *spawner, cp_buffer outputs[FD_COUNT])
{
  cp_sync_result result;
  cp_sync_options options = {.input_length = (size_t)3 * 1000 * 1000};
  char *input = malloc(options.input_length);

  if (input == NULL) {
    check(false, "memory for the input");
    return;
  }
  for (size_t i = 0; i < options.input_length; i++) {
    input[i] = (char)(i * 31 >> 3);
  }
  options.input = input;
  check(run(spawner, "tee /dev/stderr", options, outputs, &result) == 0 && result.error == 0,
        "copying much input to two outputs");
  check(outputs[1].length == options.input_length &&
            memcmp(outputs[1].data, input, options.input_length) == 0 &&
            outputs[2].length == options.input_length &&
            memcmp(outputs[2].data, input, options.input_length) == 0,
        "the copies");
  check(run(spawner, "exec <&-; echo closed", options, outputs, &result) == 0 &&
            result.error == -EPIPE && holds(&outputs[1], "closed\n"),
        "input that is not taken");
  free(input);
}

static void test_all(void)
{
  cp_spawner *spawner = NULL;
  cp_sync_options plain = {.input = NULL};
  cp_sync_options limited = {.timeout = 50};
  cp_sync_result result;
  cp_buffer outputs[FD_COUNT] = {{.data = NULL}};
  int open_before = dup(STDERR_FILENO);
  int next = -1;

  check(cp_spawner_new(&spawner) == 0, "making a spawner");
  check(run(spawner, "cat; echo out; echo err >&2; cat <&3; echo more >&3; exit 3", plain, outputs,
            &result) == 0,
        "running sh");
  check(result.status.code == 3 && result.status.signum == 0 && result.error == 0, "the exit code");
  check(holds(&outputs[1], "out\n") && holds(&outputs[2], "err\n") && holds(&outputs[3], "more\n"),
        "the outputs");

  plain.spawn.file = "/nonexistent/file";
  check(run(spawner, "", plain, outputs, &result) == -ENOENT, "a file that does not exist");
  plain.spawn.file = NULL;

  plain.max_buffer = 5;
  check(run(spawner, "printf 12345; printf 54321 >&2", plain, outputs, &result) == 0 &&
            result.error == 0 && result.status.code == 0,
        "as much output as is allowed");
  check(run(spawner, "printf 123456; exec sleep 60", plain, outputs, &result) == 0 &&
            result.error == -ENOBUFS && result.status.signum == SIGTERM &&
            holds(&outputs[1], "12345"),
        "more output than is allowed");

  check(run(spawner, "printf 123; exec sleep 60", limited, outputs, &result) == 0 &&
            result.error == -ETIMEDOUT && result.status.signum == SIGTERM &&
            holds(&outputs[1], "123"),
        "a program that takes too long");
  check(run(spawner, "sleep 60 & echo $!", limited, outputs, &result) == 0 &&
            result.error == -ETIMEDOUT && result.status.code == 0 && outputs[1].length > 1,
        "a pipe that stays open too long");
  cp_buffer_append(&outputs[1], "", 1);
  kill((pid_t)atoi(outputs[1].data), SIGKILL);

  test_large_input(spawner, outputs);

  for (int i = 0; i < FD_COUNT; i++) {
    cp_buffer_free(&outputs[i]);
  }
  cp_spawner_destroy(spawner);
  next = dup(STDERR_FILENO);
  check(next == open_before + 1, "no descriptor is left");
  close(next);
  close(open_before);
}

int main(void)
{
  return run_in_each_mode(test_all);
}
