/* Makes the processes of children, in one of two ways. */
#include "core/process/spawner.h"

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/process/parking.h"
#include "core/process/spawn_child.h"
#include "core/process/spawn_copy.h"
#include "core/sys/process.h"
#include "core/sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct cp_spawner {
  cp_parking parking;
  bool use_pidfd;
  bool is_probed; /* `stack` is valid: probing takes a child, so the first start does it */
  char *stack;    /* for children that share our memory; NULL if none can */
};

static bool is_set(const char *variable)
{
  const char *value = getenv(variable);

  return value != NULL && *value != '\0';
}

int cp_spawner_new(cp_spawner **out)
{
  cp_spawner *spawner = malloc(sizeof(*spawner));
  int r = 0;

  if (spawner == NULL) {
    return -ENOMEM;
  }
  *spawner = (cp_spawner){.use_pidfd = !is_set("CHILD_PROCESS_NO_PIDFD") && cp_sys_has_pidfd()};
  cp_parking_init(&spawner->parking);
  r = cp_parking_reserve(&spawner->parking);
  *out = r == 0 ? spawner : cp_spawner_destroy(spawner);
  return r;
}

cp_spawner *cp_spawner_destroy(cp_spawner *spawner)
{
  if (spawner != NULL) {
    cp_parking_release(&spawner->parking);
    cp_sys_stack_free(spawner->stack);
    free(spawner);
  }
  return NULL;
}

bool cp_spawner_lend(cp_spawner *spawner)
{
  int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

  if (fd != -1) {
    close(fd);
    return false;
  }
  if (errno != EMFILE && errno != ENFILE) {
    return false;
  }
  /* Frees all of them: they share one entry of the system's table of open files, which may be the
   * table that is full. */
  cp_parking_release(&spawner->parking);
  return true;
}

void cp_spawner_take_back(cp_spawner *spawner)
{
  /* If other code has used up the descriptors meanwhile, the next start tries again and reports the
   * failure. */
  if (!cp_parking_is_reserved(&spawner->parking)) {
    (void)cp_parking_reserve(&spawner->parking);
  }
}

bool cp_spawner_has_pidfd(const cp_spawner *spawner)
{
  return spawner->use_pidfd;
}

/* Returns the highest descriptor that the child needs, plus one. */
static int end_of_descriptors(const cp_spawn_plan *plan)
{
  int fd = STDERR_FILENO;

  for (int i = 0; i < plan->fd_count; i++) {
    fd = plan->fds[i] > fd ? plan->fds[i] : fd;
  }
  return fd + 1;
}

static int start_sharing_memory(cp_spawner *spawner, cp_spawn_plan *plan, pid_t *pid, int *pidfd)
{
  int taken = cp_parking_enter(&spawner->parking, plan->fds, plan->fd_count);
  cp_sys_start start = {
      .body = cp_spawn_child,
      .argument = plan,
      .stack = spawner->stack,
      .keep_below = end_of_descriptors(plan),
      .with_pidfd = spawner->use_pidfd,
  };
  int r = cp_sys_start_sharing(&start, pid, pidfd);

  cp_parking_leave(&spawner->parking, taken);
  return r;
}

/* Whether the child changes its ids. */
static bool changes_identity(const cp_spawn_options *options)
{
  return (options->set_uid && !cp_sys_has_user(options->uid)) ||
         (options->set_gid && !cp_sys_has_group(options->gid));
}

/* Reaps a child that has not started a program. It is not an error if other code that waits for any
 * child was faster. */
static void reap_failed(pid_t pid)
{
  cp_exit_status status;

  cp_sys_wait(-1, pid, true, &status);
}

/* Finds out, once, whether children can share our memory. */
static void probe(cp_spawner *spawner)
{
  if (!spawner->is_probed) {
    spawner->is_probed = true;
    spawner->stack = is_set("CHILD_PROCESS_NO_VFORK") ? NULL : cp_sys_stack_new();
  }
}

int cp_spawner_plan(cp_spawner *spawner, cp_spawn_plan *plan, const cp_spawn_options *options)
{
  int r = 0;

  if (!cp_parking_is_reserved(&spawner->parking)) {
    r = cp_parking_reserve(&spawner->parking);
  }
  if (r == 0) {
    r = cp_spawn_plan_init(plan, options, spawner->parking.null);
  }
  if (r == 0) {
    probe(spawner); /* takes a child, so it comes before all else of the start */
  }
  return r;
}

/* While the child uses our memory, it must not run handlers of the host's signals or act on a
 * cancellation of our thread. */
int cp_spawner_start(cp_spawner *spawner, cp_spawn_plan *plan, pid_t *pid, int *pidfd)
{
  sigset_t before;
  int cancelling = 0;
  int r = 0;

  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelling);
  cp_sys_block_signals(&before);
  if (spawner->stack != NULL && !changes_identity(plan->options)) {
    r = start_sharing_memory(spawner, plan, pid, pidfd);
  } else {
    r = cp_spawn_copy(spawner->use_pidfd, plan, pid, pidfd);
  }
  cp_sys_restore_signals(&before);
  pthread_setcancelstate(cancelling, NULL);

  if (r == 0 && plan->failure.error != 0) {
    CP_ASSERT(plan->failure.error < 0);
    *pidfd = cp_fd_close(*pidfd);
    reap_failed(*pid);
    r = plan->failure.error;
  }
  return r;
}
