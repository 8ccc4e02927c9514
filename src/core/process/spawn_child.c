/* The steps of a start, one function each: session or process group, terminal, descriptors,
 * directory, what it may use, identity, its end with the parent, signals, execution. */
#include "core/process/spawn_child.h"

#include "core/base/assert.h"
#include "core/process/guard.h"
#include "core/process/guard_table.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { EXIT_NOT_STARTED = 127 };

CP_ON_CHILD_STACK static _Noreturn void fail(cp_spawn_plan *plan, cp_spawn_failure failure)
{
  plan->failure = failure;
  if (plan->report_fd != -1) {
    /* If the parent no longer reads, SIGPIPE must not kill us. */
    cp_sys_block_signals(NULL);
    (void)cp_sys_child_write(plan->report_fd, &plan->failure, sizeof(plan->failure));
  }
  cp_sys_child_exit(EXIT_NOT_STARTED);
}

/* `fd` is the child's descriptor at which CP_STEP_STDIO failed. */
CP_ON_CHILD_STACK static _Noreturn void give_up_at(cp_spawn_plan *plan, cp_spawn_step step, int fd,
                                                   int error)
{
  fail(plan, (cp_spawn_failure){.error = -error, .step = step, .fd = fd});
}

CP_ON_CHILD_STACK static _Noreturn void give_up(cp_spawn_plan *plan, cp_spawn_step step, int error)
{
  fail(plan, (cp_spawn_failure){.error = -error, .step = step, .fd = -1});
}

/* Ends the child if a step of spawn_attributes.h has failed. */
CP_ON_CHILD_STACK static void check(cp_spawn_plan *plan, cp_spawn_step step, int r, int position)
{
  if (r < 0) {
    fail(plan, (cp_spawn_failure){.error = r, .step = step, .fd = -1, .position = position});
  }
}

/* A new session has a process group of its own. */
CP_ON_CHILD_STACK static void change_group(cp_spawn_plan *plan)
{
  const cp_spawn_options *options = plan->options;

  if (options->detached) {
    setsid();
  } else if (options->set_process_group && setpgid(0, options->process_group) == -1) {
    give_up(plan, CP_STEP_PROCESS_GROUP, errno);
  }
}

/* A terminal that another session has is ours to read and write, but does not control us. */
CP_ON_CHILD_STACK static void take_terminal(cp_spawn_plan *plan)
{
  int r = 0;

  if (*plan->terminal_fd != -1) {
    r = cp_sys_child_take_terminal(*plan->terminal_fd);
    check(plan, CP_STEP_TERMINAL, r == -EPERM && plan->options->terminal->is_shared ? 0 : r, 0);
  }
}

/* Ends the child if its parent has ended. Returns false if the child does not see its parent, which
 * is so in a namespace of its own. */
CP_ON_CHILD_STACK static bool has_parent(const cp_spawn_plan *plan)
{
  pid_t parent = getppid();

  if (parent != plan->parent && parent != 0) {
    cp_sys_child_exit(EXIT_NOT_STARTED);
  }
  return parent != 0;
}

/* Has the guard end this process. In a namespace of its own, the child has another id for the
 * guard; then the parent writes the line later. */
CP_ON_CHILD_STACK static void write_guard_line(const cp_spawn_plan *plan)
{
  if (*plan->guard_fd != -1 && has_parent(plan)) {
    cp_guard_line_write(plan->guard_line, cp_guard_kind_for(plan->options), getpid());
  }
}

/* Streams of ours are non-blocking, which programs do not expect of a standard stream. Our own
 * standard streams are left as they are. */
static bool must_block(const cp_stdio *entry, int fd)
{
  return fd <= STDERR_FILENO && entry->kind == CP_STDIO_DESCRIPTOR && entry->fd > STDERR_FILENO;
}

static int set_blocking(int fd)
{
  int flags = fcntl(fd, F_GETFL);

  if (flags == -1) {
    return -1;
  }
  return flags & O_NONBLOCK ? fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) : 0;
}

static bool is_target(const cp_spawn_plan *plan, int fd)
{
  return fd >= 0 && fd < plan->options->stdio_count && plan->fds[fd] != -1;
}

/* Moves descriptors away that another entry would overwrite before they are copied. */
CP_ON_CHILD_STACK static void clear_targets(cp_spawn_plan *plan)
{
  int count = plan->options->stdio_count;

  for (int i = 0; i < count; i++) {
    if (plan->fds[i] != i && is_target(plan, plan->fds[i])) {
      plan->fds[i] = fcntl(plan->fds[i], F_DUPFD_CLOEXEC, count);
      if (plan->fds[i] == -1) {
        give_up_at(plan, CP_STEP_STDIO, i, errno);
      }
    }
  }
  if (is_target(plan, plan->report_fd)) {
    int moved = fcntl(plan->report_fd, F_DUPFD_CLOEXEC, count);

    if (moved == -1) {
      give_up(plan, CP_STEP_STDIO, errno); /* through the old one, which is still there */
    }
    plan->report_fd = moved;
  }
}

/* Entry i becomes the child's descriptor i. All other descriptors are closed on exec. */
CP_ON_CHILD_STACK static void arrange_descriptors(cp_spawn_plan *plan)
{
  const cp_spawn_options *options = plan->options;
  int count = options->stdio_count;

  clear_targets(plan);
  for (int i = 0; i < count; i++) {
    int fd = plan->fds[i];
    int r = 0;

    CP_ASSERT(fd == i || !is_target(plan, fd));
    if (fd == -1) {
      fcntl(i, F_SETFD, FD_CLOEXEC);
      continue;
    }
    r = fd == i ? fcntl(i, F_SETFD, 0) : cp_sys_child_dup(fd, i);
    if (r < 0 || (must_block(&options->stdio[i], i) && set_blocking(i) == -1)) {
      give_up_at(plan, CP_STEP_STDIO, i, errno);
    }
  }
  cp_sys_close_rest_on_exec(count);
}

CP_ON_CHILD_STACK static void change_directory(cp_spawn_plan *plan)
{
  const char *cwd = plan->options->cwd;

  if (cwd != NULL && chdir(cwd) == -1) {
    give_up(plan, CP_STEP_CWD, errno);
  }
}

/* Before the identity is changed, which may take away the right to do this. */
CP_ON_CHILD_STACK static void restrict_use(cp_spawn_plan *plan,
                                           const cp_spawn_attributes *attributes)
{
  int position = 0;
  int r = cp_spawn_set_limits(attributes, &position);

  check(plan, CP_STEP_LIMITS, r, position);
  check(plan, CP_STEP_NICE, cp_spawn_set_nice(attributes), 0);
  r = cp_spawn_set_affinity(attributes, &position);
  check(plan, CP_STEP_AFFINITY, r, position);
  cp_spawn_set_umask(attributes);
}

/* Returns 0 or a negative errno. */
static int drop_groups(const cp_spawn_attributes *attributes)
{
  int r = attributes != NULL && attributes->set_groups ? 0 : cp_sys_set_groups(0, NULL);

  return r < 0 && getgroups(0, NULL) == 0 ? 0 : r;
}

/* Drops the supplementary groups, unless others were set, and changes the ids. A failure to drop
 * the groups is an error only if the child changes its user, who would keep our groups: a user who
 * is not root may name their own ids. */
CP_ON_CHILD_STACK static void change_identity(cp_spawn_plan *plan)
{
  const cp_spawn_options *options = plan->options;
  uid_t before = 0;
  int error = 0;
  int r = 0;

  if (!options->set_uid && !options->set_gid) {
    return;
  }
  before = getuid();
  /* The groups come first, since changing the user takes away the right to drop them. But the
   * caller has asked for the ids, so a failure to change those is reported rather than this one. */
  error = drop_groups(options->attributes);
  if (options->set_gid && (r = cp_sys_set_group(options->gid)) < 0) {
    give_up(plan, CP_STEP_GID, -r);
  }
  if (options->set_uid && (r = cp_sys_set_user(options->uid)) < 0) {
    give_up(plan, CP_STEP_UID, -r);
  }
  if (error < 0 && getuid() != before) {
    give_up(plan, CP_STEP_GROUPS, -error);
  }
}

/* Without a guard. The parent may have ended before the signal was set. */
CP_ON_CHILD_STACK static void end_with_parent(cp_spawn_plan *plan)
{
  if (plan->options->kill_on_parent_exit && *plan->guard_fd == -1) {
    check(plan, CP_STEP_GUARD, cp_sys_set_death_signal(), 0);
    (void)has_parent(plan);
  }
}

/* Lets the shell run a file that is not a binary and has no "#!" line, like execvp(3). */
static void execute_script(cp_spawn_plan *plan, char *path)
{
  char *const *args = plan->options->args;
  int n = 0;

  plan->shell_args[n++] = "/bin/sh";
  plan->shell_args[n++] = path;
  for (int i = 1; args[0] != NULL && args[i] != NULL; i++) {
    plan->shell_args[n++] = args[i];
  }
  plan->shell_args[n] = NULL;
  execve("/bin/sh", plan->shell_args, plan->env);
}

/* Tries the candidates. Like execvp(3), reports EACCES only if no later one can be executed, and a
 * missing file only if there is no other error. */
CP_ON_CHILD_STACK static _Noreturn void execute(cp_spawn_plan *plan)
{
  int error = ENOENT;

  for (char **candidate = plan->candidates; *candidate != NULL; candidate++) {
    execve(*candidate, plan->options->args, plan->env);
    if (errno == ENOEXEC) {
      execute_script(plan, *candidate);
    }
    if (errno == EACCES) {
      error = EACCES;
    } else if (errno != ENOENT && errno != ENOTDIR) {
      give_up(plan, CP_STEP_EXECUTE, errno);
    } else if (plan->candidates[1] == NULL) {
      error = errno;
    }
  }
  give_up(plan, CP_STEP_EXECUTE, error);
}

void cp_spawn_child(void *argument, bool has_no_handlers)
{
  cp_spawn_plan *plan = argument;
  const cp_spawn_attributes *attributes = plan->options->attributes;

  /* The order matters: opening descriptors and entering the directory need our rights, and
   * irreversible steps come last. */
  change_group(plan);
  take_terminal(plan);
  write_guard_line(plan);
  arrange_descriptors(plan);
  change_directory(plan);
  if (attributes != NULL) {
    restrict_use(plan, attributes);
    check(plan, CP_STEP_GROUPS, cp_spawn_set_groups(attributes), 0);
  }
  change_identity(plan);
  end_with_parent(plan);
  if (attributes != NULL) {
    check(plan, CP_STEP_NO_NEW_PRIVILEGES, cp_spawn_set_no_new_privileges(attributes), 0);
  }
  cp_sys_reset_signals(has_no_handlers);
  execute(plan);
}
