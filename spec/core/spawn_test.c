/* Starting programs, without Lua: the error of each step, descriptors, and the status. */
#include "core/pidfd.h"
#include "core/pipe.h"
#include "core/spawn.h"

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Runs `sh -c command`, or options.file if it is set, and waits for it. Returns cp_spawn's result;
 * stores the status and what was printed. */
static int run(cp_spawner *spawner, cp_spawn_options options, const char *command,
               cp_exit_status *status, char *printed, size_t size)
{
  char *args[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
  bool set_blocking[3] = {false, false, false};
  int ours = -1;
  int theirs = -1;
  int pidfd = -1;
  pid_t pid = -1;
  ssize_t n = 0;
  int r = cp_pipe_open(false, &ours, &theirs);

  if (r < 0) {
    return r;
  }
  options.file = options.file != NULL ? options.file : "sh";
  options.args = args;
  options.fds = (int[]){CP_SPAWN_IGNORE, theirs, theirs};
  options.fd_count = 3;
  options.set_blocking = set_blocking;
  r = cp_spawn(spawner, &options, &pid, &pidfd);
  cp_pipe_close(theirs);
  printed[0] = '\0';
  if (r == 0) {
    check(cp_pidfd_wait(pidfd, pid, true, status) == 1, "waiting for a child");
    n = read(ours, printed, size - 1);
    printed[n > 0 ? n : 0] = '\0';
    cp_pipe_close(pidfd);
  }
  cp_pipe_close(ours);
  return r;
}

static void test_all(void)
{
  cp_spawner *spawner = NULL;
  cp_spawn_options plain = {0};
  cp_exit_status status = {0, 0};
  char printed[256];
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
            -ENOENT,
        "a file that does not exist");
  check(run(spawner, (cp_spawn_options){.file = "/tmp"}, "", &status, printed, 256) == -EACCES,
        "a directory");
  check(run(spawner, (cp_spawn_options){.cwd = "/nonexistent"}, "", &status, printed, 256) ==
            -ENOENT,
        "a working directory that does not exist");
  check(run(spawner, (cp_spawn_options){.env = no_path}, "", &status, printed, 256) == -ENOENT,
        "the PATH of the given environment");
  check(run(spawner, (cp_spawn_options){.cwd = "/"}, "pwd", &status, printed, 256) == 0 &&
            strcmp(printed, "/\n") == 0,
        "the working directory");

  cp_spawner_destroy(spawner);
  next = dup(STDERR_FILENO);
  check(next == open_before + 1, "no descriptor is left");
  close(next);
  close(open_before);
}

/* Takes all descriptors that are left. Returns the highest. */
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
  cp_exit_status status = {0, 0};
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
    close(fd); /* for the pipe */
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

static void test_each(void)
{
  test_all();
  test_lending();
}

int main(void)
{
  return run_in_each_mode(test_each);
}
