/* What surrounds the start of a child: the guard, and the signals of our terminal. */
#include "core/process/spawn.h"

#include "core/base/assert.h"
#include "core/process/guard.h"
#include "core/process/guard_start.h"
#include "core/process/orphans.h"
#include "core/process/spawn_plan.h"
#include "core/process/terminal_signals.h"
#include "core/sys/process.h"

#include <errno.h>
#include <stddef.h>

static bool needs_guard(const cp_spawn_options *options)
{
  return options->kill_on_parent_exit && (options->tree || !cp_sys_has_death_signal());
}

static int start_with_guard(cp_spawner *spawner, cp_spawn_plan *plan, pid_t *pid, int *pidfd)
{
  cp_guard_place place = {0};
  int r = cp_guard_start(spawner);

  if (r == 0) {
    r = cp_guard_reserve(plan->guard_fd, &place);
  }
  if (r < 0) {
    plan->failure.step = CP_STEP_GUARD;
    return r;
  }
  plan->guard_line = place.line;
  r = cp_spawner_start(spawner, plan, pid, pidfd);
  if (r == 0) {
    cp_guard_add(&place, cp_guard_kind_for(plan->options), *pid);
  } else {
    cp_guard_cancel(&place);
  }
  return r;
}

static int start_any(cp_spawner *spawner, cp_spawn_plan *plan, pid_t *pid, int *pidfd)
{
  return needs_guard(plan->options) ? start_with_guard(spawner, plan, pid, pidfd)
                                    : cp_spawner_start(spawner, plan, pid, pidfd);
}

/* Whether signals of our terminal are passed on to the child. */
static bool shares_terminal(const cp_spawn_options *options)
{
  return options->tree && !options->detached && !options->no_terminal_signals &&
         cp_spawn_leads_group(options);
}

static int start_sharing_terminal(cp_spawner *spawner, cp_spawn_plan *plan, pid_t *pid, int *pidfd)
{
  sigset_t mask;
  int r = cp_terminal_signals_begin(&mask);

  if (r == -ENOTTY) {
    return start_any(spawner, plan, pid, pidfd);
  }
  if (r == 0) {
    r = start_any(spawner, plan, pid, pidfd);
    cp_terminal_signals_end(&mask, r == 0 ? *pid : -1);
  }
  return r;
}

static void give_pipes(const cp_spawn_options *options)
{
  if (options->set_uid || options->set_gid) {
    cp_stdio_give_pipes(options->stdio, options->stdio_count,
                        options->set_uid ? options->uid : (uid_t)-1,
                        options->set_gid ? options->gid : (gid_t)-1);
  }
  if (options->set_uid && options->terminal != NULL) {
    cp_terminal_give(options->terminal, options->uid);
  }
}

int cp_spawn_open_ends(const cp_spawn_options *options, cp_spawn_failure *failure)
{
  int r = cp_stdio_open_all(options->stdio, options->stdio_count);

  if (r == 0 && options->terminal != NULL) {
    r = cp_terminal_open(options->terminal);
    failure->step = r < 0 ? CP_STEP_TERMINAL : failure->step;
  }
  failure->error = r;
  return r;
}

int cp_spawn(cp_spawner *spawner, const cp_spawn_options *options, pid_t *pid, int *pidfd,
             cp_spawn_failure *failure)
{
  cp_spawn_plan plan = {.failure = {.fd = -1}};
  int r = 0;

  cp_orphans_reap();
  *pid = -1;
  *pidfd = -1;
  r = cp_spawner_plan(spawner, &plan, options);
  if (r == 0) {
    give_pipes(options);
    r = shares_terminal(options) ? start_sharing_terminal(spawner, &plan, pid, pidfd)
                                 : start_any(spawner, &plan, pid, pidfd);
    cp_spawn_plan_free(&plan);
  }
  *failure = plan.failure;
  failure->error = r;
  CP_ASSERT(r == 0 ? *pid > 0 : *pidfd == -1);
  return r;
}
