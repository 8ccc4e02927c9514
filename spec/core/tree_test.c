/* Signals to trees, without Lua: who gets them, and who is left. Each test runs with everything
 * that the kernel has, and without parts of it: pidfds, their flag for groups, the lists of
 * children, and all of /proc. */
#include "core/base/fd.h"
#include "core/process/spawn.h"
#include "core/process/stats.h"
#include "core/process/tree_members.h"
#include "core/process/tree_signal.h"
#include "core/stream/pipe.h"
#include "core/sys/process.h"
#include "core/sys/processes.h"

#include "check.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST_MS = 120000 };

/* What the kernel lacks in this test. */
typedef struct lack {
  const char *name;
  bool group_flag; /* of pidfd_send_signal */
  bool children;   /* /proc/PID/task/TID/children */
  bool proc;       /* processes in /proc */
} lack;

static lack now;
static int stops; /* number of processes that were stopped */

/* These stand in for the functions of the C library. */

int open(const char *path, int flags, ...)
{
  const char *end = strrchr(path, '/');
  bool missing = strncmp(path, "/proc/", 6) == 0 &&
                 (now.proc || (now.children && strcmp(end, "/children") == 0));
  mode_t mode = 0;
  va_list rest;

  if (missing) {
    errno = ENOENT;
    return -1;
  }
  va_start(rest, flags);
  mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return openat(AT_FDCWD, path, flags, mode);
}

int access(const char *path, int mode)
{
  const char *end = strrchr(path, '/');

  if (end != NULL && strcmp(end, "/children") == 0 && (now.proc || now.children)) {
    errno = ENOENT;
    return -1;
  }
  return faccessat(AT_FDCWD, path, mode, 0);
}

#ifdef __linux__

#include <sys/syscall.h>

/* Passes on more arguments than most calls have. */
CP_ON_CHILD_STACK long syscall(long number, ...)
{
  typedef long call(long number, ...);
  static call *original;
  long a[6];
  va_list rest;

  if (original == NULL) {
    void *found = dlsym(RTLD_NEXT, "syscall");

    memcpy(&original, &found, sizeof(found));
  }
  va_start(rest, number);
  for (int i = 0; i < 6; i++) {
    a[i] = va_arg(rest, long);
  }
  va_end(rest);
  if (number == SYS_pidfd_send_signal) {
    if (a[3] != 0 && now.group_flag) {
      errno = EINVAL;
      return -1;
    }
    stops += (int)a[1] == SIGSTOP;
  }
  return original(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

#endif

/* A running tree. All its processes hold the other end of the pipe. */
typedef struct test_tree {
  cp_tree tree;
  int pipe;
} test_tree;

static cp_spawner *spawner;
static int rounds = 1; /* of what depends on chance */
static const char *program;

/* Runs `sh -c command`, which prints "ready" as soon as all processes have been started. */
static test_tree start(const char *command, bool leads_group)
{
  char *args[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
  int theirs = -1;
  test_tree started = {.tree = {.leads_group = leads_group, .pidfd = -1}, .pipe = -1};
  cp_stdio stdio[3] = {{CP_STDIO_IGNORE, -1, -1}};
  cp_spawn_failure failure;
  cp_spawn_options options = {.file = "sh",
                              .args = args,
                              .stdio = stdio,
                              .stdio_count = 3,
                              .set_process_group = leads_group};
  char text[8] = "";

  check(cp_pipe_open(false, &started.pipe, &theirs) == 0 && fcntl(started.pipe, F_SETFL, 0) == 0,
        "making a pipe");
  stdio[1] = (cp_stdio){CP_STDIO_DESCRIPTOR, theirs, -1};
  stdio[2] = (cp_stdio){CP_STDIO_DESCRIPTOR, STDERR_FILENO, -1};
  check(cp_spawn(spawner, &options, &started.tree.pid, &started.tree.pidfd, &failure) == 0,
        "starting sh");
  started.tree.uses_pidfds = started.tree.pidfd != -1;
  cp_fd_close(theirs);
  check_of(read(started.pipe, text, 6) == 6 && strcmp(text, "ready\n") == 0, "all are there",
           command);
  return started;
}

static void reap(test_tree *started)
{
  cp_exit_status status;

  check(cp_sys_wait(started->tree.pidfd, started->tree.pid, true, &status) == 1, "reaping");
  started->tree.is_reaped = true;
}

/* Whether all processes have ended: the pipe ends with the last of them. */
static bool have_ended(const test_tree *started, int timeout)
{
  struct pollfd polled = {started->pipe, POLLIN, 0};
  char text[64];
  ssize_t n = 1;

  while (n > 0 && poll(&polled, 1, timeout) == 1) {
    n = read(started->pipe, text, sizeof(text));
  }
  return n == 0;
}

static bool lists_processes(void)
{
  cp_process_info info;

  return cp_process_read(getpid(), &info) == 0;
}

/* A process closes its descriptors before it ends. */
static bool is_gone(cp_tree *tree)
{
  int i = 0;

  while (i < LONGEST_MS && cp_tree_signal(tree, spawner, 0) == 0) {
    poll(NULL, 0, 1);
    i++;
  }
  return i < LONGEST_MS;
}

static void finish(test_tree *started, const char *what)
{
  check_of(have_ended(started, LONGEST_MS), what, now.name);
  if (!started->tree.is_reaped) {
    reap(started);
  }
  /* Without a list nobody knows that all members of a group have ended and are only to be reaped.
   */
  check_of(!lists_processes() || is_gone(&started->tree), "a tree that has ended", now.name);
  cp_fd_close(started->tree.pidfd);
  cp_fd_close(started->pipe);
}

/* Starts a tree and ends it by a signal. */
static void end_by(int signum, const char *command, bool leads_group, const char *what)
{
  test_tree started = start(command, leads_group);

  check_of(cp_tree_signal(&started.tree, spawner, signum) == 0, "the signal", now.name);
  finish(&started, what);
}

static void test_groups(void)
{
  test_tree started;

  end_by(SIGTERM, "sleep 600 & (sleep 600; :) & echo ready; wait", true, "background jobs");
  end_by(SIGKILL, "sleep 600 & (sleep 600; :) & echo ready; wait", true, "killed background jobs");
  end_by(SIGKILL, "sleep 600 & kill -STOP $!; echo ready; kill -STOP $$", true, "stopped");

  /* Without the flag for groups, and with it. */
  started = start("(sleep 600; :) & sleep 600 & echo ready", true);
  reap(&started);
  check_of(cp_tree_has_group(&started.tree), "a group without its leader", now.name);
  check_of(cp_tree_signal(&started.tree, spawner, 0) == 0, "probing it", now.name);
  check_of(cp_tree_signal(&started.tree, spawner, SIGTERM) == 0, "signalling it", now.name);
  finish(&started, "a group without its leader");
}

static void test_descendants(void)
{
  test_tree started;

  end_by(SIGTERM, "sleep 600 & (sleep 600; :) & echo ready; wait", false, "no group");
  end_by(SIGTERM, "setsid sh -c 'setsid sleep 600 & echo ready; wait' & wait", true, "sessions");
  end_by(SIGKILL, "setsid sh -c 'setsid sleep 600 & echo ready; wait' & wait", false,
         "killed sessions");
  end_by(SIGTERM, "(( setsid sleep 600; : ) & ); sleep 0.01; echo ready; wait", true,
         "an orphan's descendant");

  started = start("( setsid sleep 600; : ) & sleep 0.01; echo ready", true);
  reap(&started);
  check_of(cp_tree_signal(&started.tree, spawner, SIGKILL) == 0, "the signal", now.name);
  finish(&started, "an orphan's descendant, without the leader");
}

/* Ends a tree by a first signal that ends the child alone, and then by SIGKILL. */
static void end_known(const char *command, bool leads_group, const char *what)
{
  test_tree started = start(command, leads_group);
  cp_tree_known known = {.list = NULL};

  started.tree.known = &known;
  check_of(cp_tree_signal(&started.tree, spawner, SIGTERM) == 0, "the first signal", now.name);
  reap(&started);
  check_of(cp_tree_signal(&started.tree, spawner, 0) == 0, "probing what is known", now.name);
  check_of(cp_tree_signal(&started.tree, spawner, SIGKILL) == 0, "the second signal", now.name);
  finish(&started, what);
  check_of(!cp_tree_is_left(&started.tree), "nothing is left", now.name);
  cp_tree_known_clear(&known);
}

static void test_known(void)
{
  static const char stray[] = "setsid sh -c \"trap '' TERM; echo ready; exec sleep 600\" & wait";

  end_known(stray, true, "a session whose parent has ended");
  end_known(stray, false, "the same without a group");
  end_known("(trap '' TERM; echo ready; exec sleep 600) & wait", false, "an orphan");
  end_known("setsid sh -c \"exec 2>/dev/null; trap 'setsid sleep 600' TERM; echo ready; "
            "while :; do sleep 0.01; done\" & wait",
            true, "what an orphan starts later");
}

/* Only signals decide which members are remembered. */
static void test_stats(void)
{
  test_tree started = start("sleep 600 & echo ready; wait", false);
  cp_tree_known known = {.list = NULL};
  cp_stats stats;

  started.tree.known = &known;
  check_of(cp_stats_read_tree(&started.tree, &stats) == 0, "the stats of a tree", now.name);
  check_of(known.count == 0, "stats remember no member", now.name);
  check_of(cp_tree_signal(&started.tree, spawner, SIGTERM) == 0, "the signal", now.name);
  check_of(known.count == 2, "a signal remembers the members", now.name);
  finish(&started, "a tree whose stats were read");
  cp_tree_known_clear(&known);
}

/* Processes that are started as fast as possible, in the group and outside. */
static void test_growing(void)
{
  static const char loop[] = "echo ready; while :; do %s sleep 600 & [ $((n += 1)) -lt 500 ] || "
                             "wait; done";
  char command[256];

  for (int i = 0; i < rounds; i++) {
    snprintf(command, sizeof(command), loop, "");
    end_by(SIGKILL, command, true, "a growing group");
    end_by(SIGTERM, command, false, "a growing tree");
    snprintf(command, sizeof(command), loop, "setsid");
    end_by(SIGKILL, command, true, "a tree that grows outside of its group");
    end_by(SIGTERM, command, true, "the same by TERM");
  }
}

static char state_of(pid_t pid)
{
  cp_process_info info = {.state = '?'};

  cp_process_read(pid, &info);
  return info.state;
}

static void await_state(pid_t pid, const char *states)
{
  for (int i = 0; i < LONGEST_MS && strchr(states, state_of(pid)) == NULL; i++) {
    poll(NULL, 0, 1);
  }
}

static pid_t read_pid(const test_tree *started)
{
  char digit = 0;
  pid_t pid = 0;

  while (read(started->pipe, &digit, 1) == 1 && digit != '\n') {
    pid = pid * 10 + (digit - '0');
  }
  return pid;
}

/* Who was stopped before stays so, the others go on. */
/* Starts a process while it blocks SIGTERM, as a shell may. What is started would not get the
 * signal that the other one already has. */
static void start_while_blocking(void)
{
  const clock_t end = clock() + CLOCKS_PER_SEC / 200;
  sigset_t blocked;

  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigprocmask(SIG_BLOCK, &blocked, NULL);
  check(write(STDOUT_FILENO, "ready\n", 6) == 6, "writing");
  while (clock() < end) {
  }
  check(fork() != -1, "starting a process");
  sigprocmask(SIG_UNBLOCK, &blocked, NULL);
  while (true) {
    pause();
  }
}

static void test_blocked(void)
{
  char command[4096];

  snprintf(command, sizeof(command), "exec '%s' blocking", program);
  end_by(SIGTERM, command, true, "started while the signal was blocked, in a group");
  end_by(SIGTERM, command, false, "started while the signal was blocked");
}

static void test_stopped(void)
{
  test_tree started = start("trap '' USR1; sleep 600 & echo ready; echo $!; wait", true);
  pid_t sleeper = read_pid(&started);

  check(sleeper > 1 && kill(sleeper, SIGSTOP) == 0, "stopping a member");
  await_state(sleeper, "T");
  check_of(cp_tree_signal(&started.tree, spawner, SIGUSR1) == 0, "a signal that all ignore",
           now.name);
  await_state(started.tree.pid, "SR");
  check_of(state_of(sleeper) == 'T', "who was stopped stays so", now.name);
  check_of(cp_tree_signal(&started.tree, spawner, SIGCONT) == 0, "continuing", now.name);
  await_state(sleeper, "SR");
  check_of(cp_tree_signal(&started.tree, spawner, SIGSTOP) == 0, "stopping", now.name);
  await_state(sleeper, "T");
  await_state(started.tree.pid, "T");
  check_of(cp_tree_signal(&started.tree, spawner, SIGTERM) == 0 && !have_ended(&started, 20),
           "who was stopped ends later", now.name);
  check_of(cp_tree_signal(&started.tree, spawner, SIGCONT) == 0, "continuing", now.name);
  finish(&started, "continued");
}

/* A shell counts how often it gets a signal. */
static void test_once(void)
{
  test_tree started = start("n=0; trap 'n=$((n + 1)); echo $n' USR1; trap 'exit' TERM; echo ready; "
                            "while :; do sleep 0.01 & wait; done",
                            true);

  for (pid_t i = 1; i <= 20; i++) {
    check_of(cp_tree_signal(&started.tree, spawner, SIGUSR1) == 0, "a signal", now.name);
    check_of(read_pid(&started) == i, "each signal comes once", now.name);
  }
  check_of(cp_tree_signal(&started.tree, spawner, SIGTERM) == 0, "the last signal", now.name);
  finish(&started, "a shell that counts");
}

#ifdef __linux__

#include <sched.h>
#include <sys/mount.h>

/* The system takes a signal to a group for sent if one process of it has ended, even if we may
 * signal none of the others. */
static void test_refused(void)
{
  enum { NOBODY = 65534 };
  test_tree started;
  pid_t ended = -1;

  if (geteuid() != 0 || !lists_processes()) {
    return;
  }
  /* It ends when nobody waits for it any more: as soon as the shell executes sleep. */
  started = start("exec setpriv --reuid 65534 --clear-groups sh -c '"
                  "until read -r name </proc/$PPID/comm && [ $name = sleep ]; do :; done' & "
                  "echo ready; echo $!; exec sleep 600",
                  true);
  ended = read_pid(&started);
  await_state(ended, "Z?");
  check(setresuid(NOBODY, NOBODY, 0) == 0, "becoming another user");
  check_of(cp_tree_signal(&started.tree, spawner, SIGTERM) == -EPERM, "processes of another user",
           now.name);
  check(setresuid(0, 0, 0) == 0, "becoming root again");
  check_of(cp_tree_signal(&started.tree, spawner, SIGKILL) == 0, "our own", now.name);
  finish(&started, "killed by root");
}

/* Makes a process with this id, in a group of its own. Returns false if that is not allowed, or
 * other processes were always faster. */
static bool fork_with_id(pid_t pid)
{
  for (int i = 0; i < 100; i++) {
    FILE *file = fopen("/proc/sys/kernel/ns_last_pid", "we");
    pid_t made = -1;

    if (file == NULL || fprintf(file, "%d", (int)pid - 1) < 0 || fclose(file) != 0) {
      return false;
    }
    made = fork();
    if (made == 0) {
      setpgid(0, 0);
      pause();
      _exit(0);
    }
    setpgid(made, 0);
    if (made == pid) {
      return true;
    }
    kill(made, SIGKILL);
    waitpid(made, NULL, 0);
  }
  return false;
}

/* The same for a member that is known from before. */
static void check_known_reused(cp_tree *tree, uint64_t start)
{
  cp_tree_known known = {.list = malloc(sizeof(*known.list)), .count = 1};

  if (known.list == NULL) {
    check(false, "memory for a member");
    return;
  }
  *known.list = (cp_tree_member){.pid = tree->pid, .start = start};
  tree->is_reaped = true;
  tree->leads_group = false;
  tree->known = &known;
  check_of(cp_tree_signal(tree, spawner, SIGKILL) == -ESRCH, "the reused id of a member", now.name);
  tree->known = NULL;
  cp_tree_known_clear(&known);
}

/* Another process has the id of the child that has ended. */
static void check_reused(void)
{
  test_tree started = start("echo ready", true);
  pid_t pid = started.tree.pid;
  cp_process_info info = {.start = 0};
  int status = 0;

  check_of(have_ended(&started, LONGEST_MS), "a child that ends", now.name);
  (void)cp_process_read(pid, &info);
  reap(&started);
  /* Processes are told apart by their starts, which the system counts in ticks of 10 ms. */
  poll(NULL, 0, 20);
  if (fork_with_id(pid)) {
    check_of(cp_tree_signal(&started.tree, spawner, SIGKILL) == -ESRCH, "a reused id", now.name);
    check_of(cp_tree_signal(&started.tree, spawner, 0) == -ESRCH, "a reused id", now.name);
    if (started.tree.pidfd != -1) {
      /* As if other code had reaped the child. */
      started.tree.is_reaped = false;
      started.tree.leads_group = false;
      check_of(cp_tree_signal(&started.tree, spawner, SIGKILL) == -ESRCH, "a stolen child",
               now.name);
    }
    check_known_reused(&started.tree, info.start);
    check_of(waitpid(pid, &status, WNOHANG) == 0, "who has the id now lives", now.name);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
  }
  cp_fd_close(started.tree.pidfd);
  cp_fd_close(started.pipe);
}

/* Calls a function in a namespace of processes: the next id is set there, and not for all programs
 * of the system. Does nothing if that is not allowed. */
static void in_own_namespace(void (*test)(void))
{
  pid_t pid = -1;
  int status = 0;

  fflush(stdout);
  pid = fork();
  if (pid == 0) {
    pid = unshare(CLONE_NEWPID | CLONE_NEWNS) == 0 ? fork() : -1;
    if (pid == 0) {
      failures = 0;
      if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
          mount("proc", "/proc", "proc", 0, NULL) == 0) {
        test();
      }
      fflush(stdout);
      _exit(failures);
    }
    if (pid != -1) {
      waitpid(pid, &status, 0);
    }
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
  }
  waitpid(pid, &status, 0);
  check_of(WIFEXITED(status) && WEXITSTATUS(status) == 0, "ids that are used again", now.name);
}

static void test_reused(void)
{
  in_own_namespace(check_reused);
}

#else

static void test_refused(void)
{
}

static void test_reused(void)
{
}

#endif

/* If nothing can be found, the child and its group are signalled. */
static void test_hidden(void)
{
  test_tree started = start("echo ready; exec sleep 600", false);

  check_of(cp_tree_signal(&started.tree, spawner, 0) == 0, "probing the child", now.name);
  check_of(cp_tree_signal(&started.tree, spawner, SIGTERM) == 0, "signalling the child", now.name);
  finish(&started, "a child alone");
}

static void test_lacking(lack lacking)
{
  now = lacking;
  test_groups();
  test_hidden();
  test_refused();
  test_reused();
  if (lists_processes()) {
    test_descendants();
    test_known();
    test_stats();
    test_growing();
    test_blocked();
    test_stopped();
    test_once();
  }
}

static void test_all(void)
{
  int open_before = dup(STDERR_FILENO);
  int next = -1;

  check(cp_spawner_new(&spawner) == 0, "making a spawner");
  test_lacking((lack){.name = "nothing lacks"});
  test_lacking((lack){.name = "no flag for groups", .group_flag = true});
  test_lacking((lack){.name = "no lists of children", .children = true});
  test_lacking((lack){.name = "no processes in /proc", .proc = true});
  now = (lack){.name = ""};
  spawner = cp_spawner_destroy(spawner);
  next = dup(STDERR_FILENO);
  check(next == open_before + 1, "no descriptor is left");
  close(next);
  close(open_before);
}

int main(int count, char **arguments)
{
  if (count > 1 && strcmp(arguments[1], "blocking") == 0) {
    start_while_blocking();
  }
  program = arguments[0];
  rounds = count > 1 ? atoi(arguments[1]) : rounds;
  return run_in_each_mode(test_all);
}
