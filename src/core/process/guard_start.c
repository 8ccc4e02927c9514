/* The shell is started like any child, and makes the guard. */
#include "core/process/guard_start.h"

#include "core/base/fd.h"
#include "core/loop/fork.h"
#include "core/process/guard.h"
#include "core/process/spawn_plan.h"
#include "core/sys/process.h"
#include "core/sys/sys.h"

#include <errno.h>
#include <unistd.h>

/* Runs the shell, with the reading end of the pipe, and the table. */
static int run_shell(cp_spawner *spawner, int pipe, int list)
{
  cp_stdio stdio[CP_GUARD_STDIO];
  const cp_spawn_options options = cp_guard_shell(stdio, pipe, list);
  cp_spawn_plan plan = {.failure = {.fd = -1}};
  cp_exit_status status = {.code = 0};
  pid_t pid = -1;
  int pidfd = -1;
  int r = cp_spawner_plan(spawner, &plan, &options);

  if (r < 0) {
    return r;
  }
  r = cp_spawner_start(spawner, &plan, &pid, &pidfd);
  cp_spawn_plan_free(&plan);
  if (r < 0) {
    return r;
  }
  cp_sys_wait(pidfd, pid, true, &status);
  cp_fd_close(pidfd);
  /* The code is negative if other code has reaped the shell. */
  return status.signum != 0 || status.code > 0 ? -EAGAIN : 0;
}

static int start(cp_spawner *spawner)
{
  int ends[2];
  int list = cp_guard_open_table();
  int r = list < 0 ? list : cp_sys_pipe(ends);

  if (r < 0) {
    return r;
  }
  r = run_shell(spawner, ends[0], list);
  close(ends[0]);
  if (r == 0) {
    r = cp_guard_take(ends[1]);
  } else {
    close(ends[1]);
  }
  return r;
}

int cp_guard_start(cp_spawner *spawner)
{
  int r = 0;

  if (!cp_guard_runs()) {
    cp_fork_delay(); /* a copy would hold the pipe open */
    r = start(spawner);
    cp_fork_delay_end();
  }
  return r;
}
