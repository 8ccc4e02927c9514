/* Moves input and output with one poll(2) over our ends of the pipes. Unless the time is limited it
 * waits for the child only after all pipes have ended, and the child has no entry in that poll. */
#include "core/process/sync.h"

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/process/guard.h"
#include "core/process/spawn.h"
#include "core/process/sync_child.h"
#include "core/process/sync_pipes.h"
#include "core/process/sync_typing.h"

#include <errno.h>

typedef struct sync_run {
  cp_sync_pipes pipes;
  cp_sync_child child;
  cp_sync_typing typing;
  bool given_up;
} sync_run;

/* Ends the run early. This error takes precedence over earlier ones of a pipe. */
static void give_up(sync_run *run, int error)
{
  CP_ASSERT(!run->given_up);
  run->given_up = true;
  run->child.result->error = error;
  cp_sync_child_kill(&run->child);
  cp_sync_child_give_time(&run->child);
  cp_sync_pipes_close(&run->pipes);
  cp_sync_child_force(&run->child);
}

/* If nobody has to know about the child, the end of all pipes is enough. Otherwise the child must
 * have ended, too, so that the wait for it cannot exceed the limit. */
static bool is_over(const sync_run *run)
{
  return run->given_up ||
         (run->pipes.open == 0 && (run->child.ended || !cp_sync_child_is_watched(&run->child)));
}

static int time_left(sync_run *run)
{
  int left = cp_sync_child_time_left(&run->child);
  int typing = cp_sync_typing_time_left(&run->typing);

  return typing == -1 || (left != -1 && left < typing) ? left : typing;
}

/* What is to be done after poll(2), which found nothing if `quiet` is set. Returns 0, or a failure
 * that ends the run. */
static int go_on(sync_run *run, bool quiet)
{
  int r = cp_sync_pipes_exchange(&run->pipes);

  cp_sync_child_check(&run->child, &run->pipes.polled[run->pipes.count]);
  if (r == 0 && run->child.ended) {
    r = cp_sync_pipes_let_end(&run->pipes);
  } else if (quiet) {
    cp_sync_typing_again(&run->typing);
  }
  if (r == 0 && !is_over(run) && cp_sync_child_is_late(&run->child)) {
    r = -ETIMEDOUT;
  } else if (r == 0 && cp_sync_child_is_to_cut(&run->child)) {
    r = cp_sync_pipes_cut(&run->pipes);
  }
  return r;
}

static void exchange(sync_run *run)
{
  struct pollfd *polled = run->pipes.polled;
  nfds_t count = (nfds_t)run->pipes.count + 1;

  polled[run->pipes.count] = cp_sync_child_polled(&run->child);
  while (!is_over(run)) {
    int r = poll(polled, count, time_left(run));

    r = r == -1 && errno != EINTR ? -errno : go_on(run, r == 0);
    if (r < 0) {
      give_up(run, r);
    }
  }
}

/* Makes the pipes and the terminal, and starts the program. */
static int start(sync_run *run, const cp_sync_options *options, cp_spawner *spawner,
                 cp_sync_result *result, cp_spawn_failure *failure)
{
  const cp_spawn_options *spawn = &options->spawn;
  int r = cp_spawn_open_ends(spawn, failure);

  if (r == 0) {
    r = cp_sync_child_start(&run->child, options, spawner, result, failure);
  }
  cp_stdio_close_theirs(spawn->stdio, spawn->stdio_count);
  return r;
}

/* The errors of the run, the first one first. */
static void conclude(const sync_run *run)
{
  cp_sync_result *result = run->child.result;

  if (result->error == 0) {
    result->error = run->pipes.error;
  }
  if (result->error == 0 && result->status.signum == 0 && result->status.code < 0) {
    result->error = result->status.code;
  }
}

int cp_sync_run(cp_spawner *spawner, const cp_sync_options *options, cp_sync_output *outputs,
                cp_sync_result *result, cp_spawn_failure *failure)
{
  sync_run run = {.given_up = false};
  int r = 0;

  *result = (cp_sync_result){.pid = -1};
  *failure = (cp_spawn_failure){.error = -ENOMEM, .fd = -1};
  r = cp_sync_pipes_init(&run.pipes, options, outputs);
  if (r < 0) {
    return r;
  }
  r = start(&run, options, spawner, result, failure);
  if (r == 0) {
    cp_sync_pipes_begin(&run.pipes);
    cp_sync_typing_begin(&run.typing, run.pipes.terminal != -1 ? options->spawn.terminal : NULL);
    exchange(&run);
    cp_sync_child_wait(&run.child);
    cp_guard_child_ended(result->pid);
    conclude(&run);
    cp_sync_child_close(&run.child);
  }
  cp_stdio_close_ours(options->spawn.stdio, options->spawn.stdio_count);
  if (options->spawn.terminal != NULL) {
    cp_terminal_close(options->spawn.terminal);
  }
  cp_sync_pipes_free(&run.pipes);
  return r;
}
