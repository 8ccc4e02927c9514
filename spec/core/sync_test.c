/* Running programs to their end, without Lua: input and output at the same time, limits, and no
 * descriptors left behind. */
#include "core/process/sync.h"

#include "check.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  FD_COUNT = 4,
  LONGEST = 20000 /* ms: the longest time limit that is tried for a slow machine */
};

/* Runs `sh -c command` on four new pipes. */
static int run(cp_spawner *spawner, const char *command, cp_sync_options options,
               cp_sync_output outputs[FD_COUNT], cp_sync_result *result)
{
  char *args[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
  cp_stdio stdio[FD_COUNT];
  cp_spawn_failure failure;

  for (int i = 0; i < FD_COUNT; i++) {
    cp_buffer_free(&outputs[i].bytes);
    outputs[i].cut = false;
    stdio[i] = (cp_stdio){CP_STDIO_PIPE, -1, -1};
  }
  options.spawn.file = options.spawn.file != NULL ? options.spawn.file : "sh";
  options.spawn.args = args;
  options.spawn.stdio = stdio;
  options.spawn.stdio_count = FD_COUNT;
  options.kill_signal = options.kill_signal != 0 ? options.kill_signal : SIGTERM;
  options.max_buffer = options.max_buffer != 0 ? options.max_buffer : SIZE_MAX;
  options.force_kill_after =
      options.force_kill_after != 0 ? options.force_kill_after : CP_SYNC_NEVER;
  options.wait_delay = options.wait_delay != 0 ? options.wait_delay : CP_SYNC_NEVER;
  return cp_sync_run(spawner, &options, outputs, result, &failure);
}

static bool holds(const cp_buffer *output, const char *text)
{
  return output->length == strlen(text) &&
         (output->length == 0 || memcmp(output->data, text, output->length) == 0);
}

static void test_large_input(cp_spawner *spawner, cp_sync_output outputs[FD_COUNT])
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
  check(outputs[1].bytes.length == options.input_length &&
            memcmp(outputs[1].bytes.data, input, options.input_length) == 0 &&
            outputs[2].bytes.length == options.input_length &&
            memcmp(outputs[2].bytes.data, input, options.input_length) == 0,
        "the copies");
  check(run(spawner, "exec <&-; echo closed", options, outputs, &result) == 0 &&
            result.error == 0 && holds(&outputs[1].bytes, "closed\n"),
        "input that is not taken");
  free(input);
}

/* A program that prints 123 and goes on. The limit is doubled until it is long enough to print. */
static void test_taking_too_long(cp_spawner *spawner, cp_sync_output outputs[FD_COUNT])
{
  cp_sync_options limited = {.timeout = 50};
  cp_sync_result result;
  bool ran = false;

  do {
    limited.timeout *= 2;
    ran = run(spawner, "printf 123; exec sleep 600", limited, outputs, &result) == 0 &&
          result.error == -ETIMEDOUT && result.status.signum == SIGTERM;
  } while (ran && !holds(&outputs[1].bytes, "123") && limited.timeout < LONGEST);
  check(ran && holds(&outputs[1].bytes, "123"), "a program that takes too long");
}

/* Kills the process whose id was printed. Without one, 0 would be our own process group. */
static void kill_printed(cp_buffer *output)
{
  int pid = 0;

  cp_buffer_append(output, "", 1);
  pid = atoi(output->data);
  if (pid > 1) {
    kill((pid_t)pid, SIGKILL);
  }
}

/* The same with a program that ends, and leaves a process behind that holds its output. */
static void test_pipe_left_open(cp_spawner *spawner, cp_sync_output outputs[FD_COUNT])
{
  cp_sync_options limited = {.timeout = 50};
  cp_sync_result result;
  bool ran = false;
  bool printed = false;

  do {
    limited.timeout *= 2;
    ran = run(spawner, "sleep 600 & echo $!", limited, outputs, &result) == 0 &&
          result.error == -ETIMEDOUT;
    kill_printed(&outputs[1].bytes);
    /* It may have printed after the limit. */
    printed = result.status.code == 0 && outputs[1].bytes.length > 2;
  } while (ran && !printed && limited.timeout < LONGEST);
  check(ran && printed, "a pipe that stays open too long");
}

/* A program that survives the signal, unless the limit was too short for it to prepare. */
static void test_surviving(cp_spawner *spawner, cp_sync_output outputs[FD_COUNT])
{
  cp_sync_options limited = {.timeout = 50, .force_kill_after = 1};
  cp_sync_result result;
  bool ran = false;

  do {
    limited.timeout *= 2;
    limited.spawn.tree = !limited.spawn.tree;
    ran = run(spawner, "trap '' TERM; while :; do sleep 1; done", limited, outputs, &result) == 0 &&
          result.error == -ETIMEDOUT;
  } while (ran && !result.forced && limited.timeout < LONGEST);
  check(ran && result.forced && result.status.signum == SIGKILL,
        "a program that survives a signal");
}

/* A program that leaves a process behind, which holds one of the pipes. */
static void test_cutting(cp_spawner *spawner, cp_sync_output outputs[FD_COUNT])
{
  cp_sync_options waiting = {.wait_delay = 1};
  cp_sync_result result;

  check(run(spawner, "exec 2>&- 3>&-; sleep 600 & echo $!", waiting, outputs, &result) == 0 &&
            result.error == 0 && result.status.code == 0,
        "a program that leaves a process behind");
  check(outputs[1].cut && !outputs[2].cut && !outputs[3].cut, "the pipe that it holds");
  kill_printed(&outputs[1].bytes);
}

static void test_all(void)
{
  cp_spawner *spawner = NULL;
  cp_sync_options plain = {.input = NULL};
  cp_sync_result result;
  cp_sync_output outputs[FD_COUNT] = {{.cut = false}};
  int open_before = dup(STDERR_FILENO);
  int next = -1;

  check(cp_spawner_new(&spawner) == 0, "making a spawner");
  check(run(spawner, "cat; echo out; echo err >&2; cat <&3; echo more >&3; exit 3", plain, outputs,
            &result) == 0,
        "running sh");
  check(result.status.code == 3 && result.status.signum == 0 && result.error == 0, "the exit code");
  check(holds(&outputs[1].bytes, "out\n") && holds(&outputs[2].bytes, "err\n") &&
            holds(&outputs[3].bytes, "more\n"),
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
            holds(&outputs[1].bytes, "12345"),
        "more output than is allowed");

  test_taking_too_long(spawner, outputs);
  test_pipe_left_open(spawner, outputs);
  test_surviving(spawner, outputs);
  test_cutting(spawner, outputs);
  test_large_input(spawner, outputs);

  for (int i = 0; i < FD_COUNT; i++) {
    cp_buffer_free(&outputs[i].bytes);
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
