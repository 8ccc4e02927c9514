#include "spawn.h"

#include "pidfd.h"
#include "pipe.h"
#include "spawn_child.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum {
  STACK_SIZE = 64 * 1024,
  /* Copying a descriptor into the child and closing it there costs about 0.1 us: below this number
   * it is not worth avoiding. */
  LOW = 64,
  PARKING_COUNT = 4,
  /* Nor is it where there cannot be many, and each one counts. */
  FEW = 4 * LOW,
};

/* Descriptors that the child needs must have low numbers for the child to copy only a few, and in a
 * program that has thousands open new ones do not. So some low numbers are taken beforehand, where
 * such descriptors are parked while a child is being started. */
struct cp_spawner {
  char *stack;
  int null; /* /dev/null */
  int parking[PARKING_COUNT];
  bool use_vfork;
  bool is_probed; /* use_vfork says so: that takes a child of its own, so the first start does it */
  bool use_pidfd;
  bool can_unshare;
};

static bool is_set(const char *variable)
{
  const char *value = getenv(variable);

  return value != NULL && *value != '\0';
}

CP_ON_CHILD_STACK static int note_shared_memory(void *flag)
{
  *(volatile bool *)flag = true;
  _exit(0);
}

static bool memory_is_shared;

/* User-mode emulators run CLONE_VM as a plain fork: then the child's errors would never reach us. */
static void probe_shared_memory(void)
{
  char *stack = malloc(STACK_SIZE);
  bool seen = false;
  pid_t pid = -1;

  if (stack == NULL) {
    return;
  }
  pid = clone(note_shared_memory, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK, &seen);
  if (pid != -1) {
    while (waitpid(pid, NULL, __WALL) == -1 && errno == EINTR) {
    }
  }
  free(stack);
  memory_is_shared = *(volatile bool *)&seen;
}

static bool can_vfork(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;

  pthread_once(&once, probe_shared_memory);
  return memory_is_shared;
}

static void release_descriptors(cp_spawner *spawner)
{
  spawner->null = cp_pipe_close(spawner->null);
  for (int i = 0; i < PARKING_COUNT; i++) {
    spawner->parking[i] = cp_pipe_close(spawner->parking[i]);
  }
}

/* Takes all of them, or none. */
static int reserve_descriptors(cp_spawner *spawner)
{
  struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
  int r = 0;

  getrlimit(RLIMIT_NOFILE, &limit);
  spawner->null = open("/dev/null", O_RDWR | O_CLOEXEC);
  r = spawner->null == -1 ? -errno : 0;
  for (int i = 0; i < PARKING_COUNT && r == 0 && limit.rlim_cur > FEW; i++) {
    spawner->parking[i] = fcntl(spawner->null, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    r = spawner->parking[i] == -1 ? -errno : 0;
  }
  if (r < 0) {
    release_descriptors(spawner);
  }
  return r;
}

int cp_spawner_new(cp_spawner **out)
{
  cp_spawner *spawner = malloc(sizeof(*spawner));
  int r = 0;

  if (spawner == NULL) {
    return -ENOMEM;
  }
  *spawner = (cp_spawner){
      .null = -1,
      .can_unshare = true,
      .use_pidfd = !is_set("CHILD_PROCESS_NO_PIDFD") && cp_pidfd_works(),
  };
  for (int i = 0; i < PARKING_COUNT; i++) {
    spawner->parking[i] = -1;
  }
  r = reserve_descriptors(spawner);
  if (r < 0) {
    goto finish;
  }
  spawner->stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
  if (spawner->stack == MAP_FAILED) {
    r = -errno;
    spawner->stack = NULL;
  }

finish:
  *out = r == 0 ? spawner : cp_spawner_destroy(spawner);
  return r;
}

cp_spawner *cp_spawner_destroy(cp_spawner *spawner)
{
  if (spawner != NULL) {
    release_descriptors(spawner);
    if (spawner->stack != NULL) {
      munmap(spawner->stack, STACK_SIZE);
    }
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
  /* All of them, as they share one entry of the system's table, which may be what is full. */
  release_descriptors(spawner);
  return true;
}

void cp_spawner_take_back(cp_spawner *spawner)
{
  /* Where others were faster the next start tries again, and tells. */
  (void)reserve_descriptors(spawner);
}

bool cp_spawner_has_pidfd(const cp_spawner *spawner)
{
  return spawner->use_pidfd;
}

static const char *search_path(const cp_spawn_options *options)
{
  static const char *const fallback = "/usr/local/bin:/bin:/usr/bin";
  const char *path = NULL;

  if (options->env == NULL) {
    path = getenv("PATH");
  } else {
    for (char *const *entry = options->env; *entry != NULL && path == NULL; entry++) {
      path = strncmp(*entry, "PATH=", 5) == 0 ? *entry + 5 : NULL;
    }
  }
  return path != NULL ? path : fallback;
}

/* Allocates, in one piece, the tables that the child works on, so that the child does not have to:
 * the paths to try, the arguments for running a script, and a copy of the descriptors. */
static int plan_prepare(cp_spawn_plan *plan, const cp_spawn_options *options)
{
  bool search = strchr(options->file, '/') == NULL;
  const char *path = search ? search_path(options) : "";
  size_t file_length = strlen(options->file);
  size_t paths = 1;
  size_t args = 0;
  char *text = NULL;

  for (const char *c = path; *c != '\0'; c++) {
    paths += *c == ':';
  }
  while (options->args[args] != NULL) {
    args++;
  }

  /* Each path is at most a directory, a slash, the file and the end. */
  plan->candidates =
      malloc((paths + 1 + args + 3) * sizeof(char *) + (size_t)options->fd_count * sizeof(int) +
             strlen(path) + paths * (file_length + 2));
  if (plan->candidates == NULL) {
    return -ENOMEM;
  }
  plan->shell_args = plan->candidates + paths + 1;
  plan->fds = (int *)(void *)(plan->shell_args + args + 3);
  if (options->fd_count > 0) {
    memcpy(plan->fds, options->fds, (size_t)options->fd_count * sizeof(int));
  }
  text = (char *)(plan->fds + options->fd_count);

  for (size_t i = 0; i < paths; i++) {
    size_t length = strcspn(path, ":");

    plan->candidates[i] = text;
    memcpy(text, path, length);
    text += length;
    if (length > 0) {
      *text++ = '/';
    }
    memcpy(text, options->file, file_length + 1);
    text += file_length + 1;
    path += length + 1;
  }
  plan->candidates[paths] = NULL;
  plan->env = options->env != NULL ? options->env : environ;
  plan->options = options;
  plan->report_fd = -1;
  return 0;
}

static void plan_ignored(const cp_spawner *spawner, cp_spawn_plan *plan)
{
  for (int i = 0; i < plan->options->fd_count && i <= STDERR_FILENO; i++) {
    if (plan->fds[i] == CP_SPAWN_IGNORE) {
      plan->fds[i] = spawner->null;
    }
  }
}

/* Replaces each use of `fd` by `parked`. */
static void plan_replace(cp_spawn_plan *plan, int fd, int parked)
{
  for (int i = 0; i < plan->options->fd_count; i++) {
    if (plan->fds[i] == fd) {
      plan->fds[i] = parked;
    }
  }
}

/* Moves high descriptors to the parking places, as far as these reach. Returns how many it took. */
static int park_high(cp_spawner *spawner, cp_spawn_plan *plan)
{
  int taken = 0;

  for (int i = 0; i < plan->options->fd_count && taken < PARKING_COUNT; i++) {
    int fd = plan->fds[i];

    if (fd >= LOW && spawner->parking[taken] != -1 &&
        dup3(fd, spawner->parking[taken], O_CLOEXEC) != -1) {
      plan_replace(plan, fd, spawner->parking[taken]);
      taken++;
    }
  }
  return taken;
}

static void leave_parking(cp_spawner *spawner, int taken)
{
  while (taken > 0) {
    dup3(spawner->null, spawner->parking[--taken], O_CLOEXEC);
  }
}

static int highest(const cp_spawn_plan *plan)
{
  int fd = STDERR_FILENO;

  for (int i = 0; i < plan->options->fd_count; i++) {
    fd = plan->fds[i] > fd ? plan->fds[i] : fd;
  }
  return fd;
}

/* A child that was cloned has no exit signal until it executes, so nobody else can have taken it; one
 * that was forked somebody may have, and then there is nothing left to do. */
static void reap_failed(pid_t pid)
{
  while (waitpid(pid, NULL, __WALL) == -1 && errno == EINTR) {
  }
}

static int start_sharing_memory(cp_spawner *spawner, cp_spawn_plan *plan, pid_t *pid, int *pidfd)
{
  int flags = CLONE_VM | CLONE_VFORK | (spawner->use_pidfd ? CLONE_PIDFD : 0);
  int taken = 0;
  pid_t child = -1;
  int r = 0;

  if (spawner->can_unshare) {
    taken = park_high(spawner, plan);
    plan->keep_below = highest(plan) + 1;
  }
  child = clone(cp_spawn_child, spawner->stack + STACK_SIZE,
                flags | (plan->keep_below != 0 ? CLONE_FILES : 0), plan, pidfd);
  r = child == -1 ? -errno : 0;
  if (child != -1 && plan->cannot_unshare) {
    *pidfd = cp_pipe_close(*pidfd);
    reap_failed(child);
    spawner->can_unshare = false;
    plan->keep_below = 0;
    plan->cannot_unshare = false;
    child = clone(cp_spawn_child, spawner->stack + STACK_SIZE, flags, plan, pidfd);
    r = child == -1 ? -errno : 0;
  }
  leave_parking(spawner, taken);

  if (r == 0 && plan->error != 0) {
    *pidfd = cp_pipe_close(*pidfd);
    reap_failed(child);
    return plan->error;
  }
  *pid = child;
  return r;
}

static int start_by_fork(const cp_spawner *spawner, cp_spawn_plan *plan, pid_t *pid, int *pidfd)
{
  int report[2];
  int error = 0;
  ssize_t n = 0;

  if (pipe2(report, O_CLOEXEC) == -1) {
    return -errno;
  }
  plan->report_fd = report[1];
  *pid = fork();
  if (*pid == 0) {
    cp_spawn_child(plan);
  }
  error = *pid == -1 ? -errno : 0;
  close(report[1]);
  if (*pid != -1) {
    /* As soon as can be: once the child has ended it may be reaped by others. */
    *pidfd = spawner->use_pidfd ? cp_pidfd_open(*pid) : -1;
    do {
      n = read(report[0], &error, sizeof(error));
    } while (n == -1 && errno == EINTR);
    if (n > 0) {
      *pidfd = cp_pipe_close(*pidfd);
      reap_failed(*pid);
    }
  }
  close(report[0]);
  return error;
}

int cp_spawn(cp_spawner *spawner, const cp_spawn_options *options, pid_t *pid, int *pidfd)
{
  cp_spawn_plan plan = {0};
  sigset_t all;
  sigset_t before;
  int r = 0;

  if (spawner->null == -1) {
    r = reserve_descriptors(spawner);
    if (r < 0) {
      return r;
    }
  }
  r = plan_prepare(&plan, options);
  if (r < 0) {
    return r;
  }
  if (!spawner->is_probed) {
    spawner->is_probed = true;
    spawner->use_vfork = !is_set("CHILD_PROCESS_NO_VFORK") && can_vfork();
  }
  plan_ignored(spawner, &plan);
  *pidfd = -1;

  /* No handler of the host may run in the child while it uses our memory. */
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  r = spawner->use_vfork ? start_sharing_memory(spawner, &plan, pid, pidfd)
                         : start_by_fork(spawner, &plan, pid, pidfd);
  pthread_sigmask(SIG_SETMASK, &before, NULL);

  free(plan.candidates);
  return r;
}
