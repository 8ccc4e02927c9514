/* The pipe to the guard, and what is said through it. */
#include "core/process/guard.h"

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/base/owned.h"
#include "core/loop/fork.h"
#include "core/process/guard_script.h"
#include "core/sys/process.h"
#include "core/sys/sys.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

/* All of it is behind cp_fork_lock, except for the count when it is only compared with 0. */
static int pipe_fd = -1; /* to the guard; the number stays the same */
static cp_guard_list guarded;

cp_guard_kind cp_guard_kind_for(const cp_spawn_options *options)
{
  return options->tree ? CP_GUARD_TREE : CP_GUARD_PROCESS;
}

/* Lines. */

enum { LINE_SIZE = 32, CHECKED_AT_ONCE = 4 };

/* Writes "WORD NUMBER\n" and returns the length. Needs nothing of the C library that a child which
 * shares our memory could not use. */
static size_t write_line(char *line, const char *word, pid_t number)
{
  size_t length = 0;
  pid_t power = 1;

  while (*word != '\0') {
    line[length++] = *word++;
  }
  line[length++] = ' ';
  while (number / power >= 10) {
    power *= 10;
  }
  for (; power > 0; power /= 10) {
    line[length++] = (char)('0' + number / power % 10);
  }
  line[length++] = '\n';
  CP_ASSERT(length < LINE_SIZE);
  return length;
}

static const char *word_of(cp_guard_kind kind)
{
  return kind == CP_GUARD_TREE ? "tree" : "process";
}

/* This fails if somebody has killed the guard. The next one gets the whole list. */
static void send_line(const char *word, pid_t pid)
{
  char line[LINE_SIZE];

  if (pipe_fd != -1) {
    (void)cp_fd_write_all(pipe_fd, line, write_line(line, word, pid));
  }
}

int cp_guard_add_self(int fd, cp_guard_kind kind)
{
  char line[LINE_SIZE];
  size_t length = write_line(line, word_of(kind), getpid());
  ssize_t n = cp_sys_child_write(fd, line, length);

  return n < 0 ? (int)n : 0;
}

/* The list. */

static void drop(cp_guarded *entry)
{
  send_line("remove", entry->pid);
  cp_guard_list_remove(&guarded, entry);
}

/* Drops groups without members, a few at a time, as there may be many others. Nothing reports that
 * the last member has ended. */
static void drop_empty_groups(void)
{
  static size_t at;

  for (int n = 0; n < CHECKED_AT_ONCE && guarded.count > 0; n++) {
    at = at == 0 || at > guarded.count ? guarded.count - 1 : at - 1;
    if (cp_guarded_is_over(&guarded.entries[at])) {
      drop(&guarded.entries[at]);
    }
  }
}

/* The guard. */

/* The copy's descriptor is the only one besides ours, and would keep the pipe from ending. */
static void on_copy(void)
{
  pipe_fd = cp_fd_close(pipe_fd);
  cp_guard_list_clear(&guarded);
}

static void watch_copies(void)
{
  static cp_fork_hook hook = {.in_copy = on_copy};

  cp_fork_add_hook(&hook);
}

cp_spawn_options cp_guard_shell(cp_stdio *stdio, int fd)
{
  static char *const args[] = {"sh", "-c", CP_GUARD_SCRIPT, NULL};
  static char *const env[] = {NULL};

  for (int i = 0; i < CP_GUARD_STDIO; i++) {
    stdio[i] = (cp_stdio){CP_STDIO_IGNORE, -1, -1};
  }
  stdio[CP_GUARD_STDIO - 1] = (cp_stdio){CP_STDIO_DESCRIPTOR, fd, -1};
  return (cp_spawn_options){
      .file = "/bin/sh",
      .args = args,
      .env = env,
      .cwd = "/",
      .stdio = stdio,
      .stdio_count = CP_GUARD_STDIO,
      .detached = true,
  };
}

/* A pipe without a reader has an error. In doubt the guard runs: it would take the end of its pipe
 * for our end. */
static bool is_running(void)
{
  struct pollfd polled = {pipe_fd, 0, 0};

  return pipe_fd != -1 && poll(&polled, 1, 0) <= 0;
}

/* Children that are being started know the number of the pipe, so it stays the same. */
static void use_pipe(int fd)
{
  if (pipe_fd == -1) {
    pipe_fd = fd;
  } else {
    cp_sys_replace(pipe_fd, fd);
    cp_fd_close(fd);
  }
  for (size_t i = 0; i < guarded.count; i++) {
    const cp_guarded *entry = &guarded.entries[i];

    send_line(word_of(entry->kind), entry->pid);
  }
}

bool cp_guard_runs(void)
{
  bool runs = false;

  cp_fork_lock();
  runs = is_running();
  cp_fork_unlock();
  return runs;
}

void cp_guard_take(int fd)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;

  pthread_once(&once, watch_copies);
  cp_owned_add(fd);
  cp_fork_lock();
  if (is_running()) {
    cp_fd_close(fd);
  } else {
    use_pipe(fd);
  }
  cp_fork_unlock();
}

int cp_guard_reserve(int *fd)
{
  int r = 0;

  cp_fork_lock();
  drop_empty_groups();
  r = pipe_fd != -1 ? cp_guard_list_reserve(&guarded) : -EPIPE;
  *fd = r == 0 ? pipe_fd : -1;
  cp_fork_unlock();
  return r;
}

/* Its children. */

void cp_guard_add(cp_guard_kind kind, pid_t pid)
{
  cp_fork_lock();
  cp_guard_list_add(&guarded, pid, kind);
  /* The child has sent that as well, if it knows its id as we do. */
  send_line(word_of(kind), pid);
  cp_fork_unlock();
}

void cp_guard_cancel(pid_t pid)
{
  cp_fork_lock();
  cp_guard_list_cancel(&guarded);
  if (pid > 0) {
    send_line("remove", pid);
  }
  cp_fork_unlock();
}

static void note_end(cp_guarded *entry)
{
  if (entry == NULL) {
    return;
  }
  entry->pidfd = -1;
  entry->has_ended = true;
  if (entry->kind == CP_GUARD_PROCESS || cp_guarded_is_over(entry)) {
    drop(entry);
  }
}

void cp_guard_child_ended(pid_t pid)
{
  if (guarded.count > 0) {
    cp_fork_lock();
    note_end(cp_guard_list_find(&guarded, pid));
    drop_empty_groups();
    cp_fork_unlock();
  }
}

void cp_guard_child_released(pid_t pid, int pidfd)
{
  if (guarded.count > 0) {
    cp_guarded *entry = NULL;

    cp_fork_lock();
    entry = cp_guard_list_find(&guarded, pid);
    if (entry != NULL) {
      entry->pidfd = pidfd;
    }
    cp_fork_unlock();
  }
}

void cp_guard_orphan_ended(int pidfd)
{
  if (guarded.count > 0) {
    cp_fork_lock();
    note_end(cp_guard_list_find_orphan(&guarded, pidfd));
    cp_fork_unlock();
  }
}
