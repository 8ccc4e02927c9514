/* Starting programs, without Lua: the error of each step, descriptors, and the status. */
#include "core/base/fd.h"
#include "core/process/peak.h"
#include "core/process/spawn.h"
#include "core/stream/pipe.h"
#include "core/sys/process.h"

#include "check.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static cp_spawn_step failed_step; /* of the last run */
static int failed_position;

/* Runs `sh -c command`, or options.file if it is set, and waits for it. Returns cp_spawn's result;
 * stores the status and what was printed. */
static int run(cp_spawner *spawner, cp_spawn_options options, const char *command,
               cp_exit_status *status, char *printed, size_t size)
{
  char *args[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
  int ours = -1;
  int theirs = -1;
  int pidfd = -1;
  pid_t pid = -1;
  cp_spawn_failure failure = {0};
  ssize_t n = 0;
  int r = cp_pipe_open(false, &ours, &theirs);

  if (r < 0) {
    return r;
  }
  options.file = options.file != NULL ? options.file : "sh";
  options.args = args;
  options.stdio = (cp_stdio[]){{CP_STDIO_IGNORE, -1, -1},
                               {CP_STDIO_DESCRIPTOR, theirs, -1},
                               {CP_STDIO_CHILD_FD, STDOUT_FILENO, -1}};
  options.stdio_count = 3;
  r = cp_spawn(spawner, &options, &pid, &pidfd, &failure);
  check(failure.error == r, "the error of a failure");
  failed_step = failure.step;
  failed_position = failure.position;
  cp_fd_close(theirs);
  printed[0] = '\0';
  if (r == 0) {
    check(cp_sys_wait(pidfd, pid, true, status) == 1, "waiting for a child");
    n = read(ours, printed, size - 1);
    printed[n > 0 ? n : 0] = '\0';
    cp_fd_close(pidfd);
  }
  cp_fd_close(ours);
  return r;
}

static void test_all(void)
{
  cp_spawner *spawner = NULL;
  cp_spawn_options plain = {0};
  cp_exit_status status = {0};
  char printed[256];
  const cp_spawn_limit limits[] = {{RLIMIT_FSIZE, 32 * 512, 32 * 512}, {RLIMIT_CORE, 1, 0}};
  char *no_path[] = {"PATH=/nonexistent", NULL};
  int open_before = dup(STDERR_FILENO); /* not close-on-exec */
  int next = -1;

  check(cp_spawner_new(&spawner) == 0, "making a spawner");
  check(run(spawner, plain, "echo out; echo err >&2; exit 3", &status, printed, 256) == 0,
        "starting sh");
  check(status.code == 3 && status.signum == 0, "the exit code");
  check(strcmp(printed, "out\nerr\n") == 0, "both streams in one pipe");

  check(run(spawner, plain, "kill -9 $$", &status, printed, 256) == 0, "starting sh to be killed");
  check(status.code == -1 && status.signum == SIGKILL, "the signal");

  check(run(spawner, plain,
            "for fd in 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$fd ] && echo $fd; done; :", &status,
            printed, 256) == 0 &&
            printed[0] == '\0',
        "nothing is inherited that was not named");

  check(run(spawner, (cp_spawn_options){.file = "/nonexistent/file"}, "", &status, printed, 256) ==
                -ENOENT &&
            failed_step == CP_STEP_EXECUTE,
        "a file that does not exist");
  check(run(spawner, (cp_spawn_options){.file = "/tmp"}, "", &status, printed, 256) == -EACCES,
        "a directory");
  check(run(spawner, (cp_spawn_options){.cwd = "/nonexistent"}, "", &status, printed, 256) ==
                -ENOENT &&
            failed_step == CP_STEP_CWD,
        "a working directory that does not exist");
  check(run(spawner, (cp_spawn_options){.env = no_path}, "", &status, printed, 256) == -ENOENT,
        "the PATH of the given environment");
  check(run(spawner, (cp_spawn_options){.cwd = "/"}, "pwd", &status, printed, 256) == 0 &&
            strcmp(printed, "/\n") == 0,
        "the working directory");

  check(run(spawner,
            (cp_spawn_options){.attributes = &(cp_spawn_attributes){.set_umask = true,
                                                                    .umask = 027,
                                                                    .limits = limits,
                                                                    .limit_count = 1}},
            "umask; ulimit -f", &status, printed, 256) == 0 &&
            strcmp(printed, "0027\n32\n") == 0,
        "a mask and a limit");
  check(run(spawner,
            (cp_spawn_options){.attributes =
                                   &(cp_spawn_attributes){.limits = limits, .limit_count = 2}},
            "", &status, printed, 256) == -EINVAL &&
            failed_step == CP_STEP_LIMITS && failed_position == 1,
        "a limit that cannot be set");
  check(run(spawner, (cp_spawn_options){.set_process_group = true},
            "set -- $(cat /proc/$$/stat); [ $5 = $$ ] && echo leader", &status, printed,
            256) == 0 &&
            strcmp(printed, "leader\n") == 0,
        "a process group");
  check(run(spawner, (cp_spawn_options){.set_process_group = true, .process_group = INT_MAX}, "",
            &status, printed, 256) == -EPERM &&
            failed_step == CP_STEP_PROCESS_GROUP,
        "a process group that does not exist");

  cp_spawner_destroy(spawner);
  next = dup(STDERR_FILENO);
  check(next == open_before + 1, "no descriptor is left");
  close(next);
  close(open_before);
}

/* Opens descriptors until none is left. Returns the highest. */
static int exhaust(void)
{
  int highest = -1;
  int fd = -1;

  while ((fd = dup(STDERR_FILENO)) != -1) {
    highest = fd;
  }
  return highest;
}

static void test_lending(void)
{
  cp_spawner *spawner = NULL;
  cp_spawn_options plain = {0};
  cp_exit_status status = {0};
  char printed[256];
  struct rlimit before;
  int first = -1;
  int last = -1;

  check(getrlimit(RLIMIT_NOFILE, &before) == 0, "asking for the limit");
  check(setrlimit(RLIMIT_NOFILE, &(struct rlimit){60, before.rlim_max}) == 0, "setting it");
  check(cp_spawner_new(&spawner) == 0, "making a spawner");
  check(!cp_spawner_lend(spawner), "lending where there are descriptors");

  first = dup(STDERR_FILENO);
  exhaust();
  check(cp_spawner_lend(spawner), "lending where there are none");
  last = exhaust();
  check(last != -1, "taking what was lent");
  cp_spawner_take_back(spawner);
  for (int fd = first; fd < first + 2; fd++) {
    close(fd); /* the pipe of the run needs two */
  }
  check(run(spawner, plain, "echo out", &status, printed, 256) == -EMFILE,
        "starting where others have taken what was lent");
  for (int fd = first + 2; fd < first + 12; fd++) {
    close(fd);
  }
  check(run(spawner, plain, "echo out", &status, printed, 256) == 0 &&
            strcmp(printed, "out\n") == 0,
        "starting when there are descriptors again");

  cp_spawner_destroy(spawner);
  for (int fd = first; fd < 60; fd++) {
    close(fd);
  }
  close(last);
  setrlimit(RLIMIT_NOFILE, &before);
}

/* Whether children share our memory at first, which Linux shows in their peak. */
static bool shares_memory(void)
{
  char *stack = getenv("CHILD_PROCESS_NO_VFORK") == NULL ? cp_sys_stack_new() : NULL;

  cp_sys_stack_free(stack);
  return stack != NULL;
}

/* A program that uses next to nothing, after this one has used 64 MiB. */
static void test_peak(void)
{
  enum { SIZE = 64 << 20 };
  cp_spawner *spawner = NULL;
  cp_exit_status status = {0};
  char printed[256];
  volatile char *memory = malloc(SIZE);

  for (size_t i = 0; memory != NULL && i < SIZE; i += 1024) {
    memory[i] = 1;
  }
  free((void *)(uintptr_t)memory);
  check(cp_spawner_new(&spawner) == 0, "making a spawner");
  check(run(spawner, (cp_spawn_options){0}, ":", &status, printed, 256) == 0, "starting sh");
  check(status.usage.is_known, "the usage is known");
  check(cp_peak_of_child(&status.usage) == -1, "a peak that the child has taken over");
  if (shares_memory()) {
    check(status.usage.peak >= SIZE / 1024, "the kernel lets the child take over the peak");
  }
  status.usage.peak = cp_sys_own_usage().peak + 1024;
  check(cp_peak_of_child(&status.usage) == status.usage.peak, "a higher peak");
  check(cp_sys_own_peak() == -ENOTSUP || cp_sys_own_peak() >= SIZE / 1024, "our own peak");
  cp_spawner_destroy(spawner);
}

static void test_each(void)
{
  test_all();
  test_peak();
  test_lending();
}

int main(void)
{
  return run_in_each_mode(test_each);
}
