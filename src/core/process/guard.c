/* The pipe to the guard, and the list of its children. */
#include "core/process/guard.h"

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/base/owned.h"
#include "core/loop/fork.h"
#include "core/process/guard_script.h"
#include "core/process/guard_table.h"
#include "core/sys/sys.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

/* All of it is behind cp_fork_lock, except for the count when it is only compared with 0. */
static int pipe_fd = -1;     /* to the guard; the number stays the same */
static cp_guard_table table; /* the same for each guard */
static cp_guard_list guarded;

cp_guard_kind cp_guard_kind_for(const cp_spawn_options *options)
{
  return options->tree ? CP_GUARD_TREE : CP_GUARD_PROCESS;
}

/* The list. */

enum { CHECKED_AT_ONCE = 4 };

static void drop(size_t place)
{
  cp_guard_line_clear(cp_guard_table_line(&table, place));
  cp_guard_list_remove(&guarded, place);
}

/* Drops groups without members, a few at a time, as there may be many others. Nothing reports that
 * the last member has ended. */
static void drop_empty_groups(void)
{
  static size_t at;

  for (int n = 0; n < CHECKED_AT_ONCE && guarded.count > 0; n++) {
    at = at == 0 || at > guarded.end ? guarded.end - 1 : at - 1;
    if (guarded.entries[at].pid > 0 && cp_guarded_is_over(&guarded.entries[at])) {
      drop(at);
    }
  }
}

/* The guard. */

/* The copy's descriptor is the only one besides ours, and would keep the pipe from ending. The
 * table is that of the original. */
static void on_copy(void)
{
  pipe_fd = cp_fd_close(pipe_fd);
  cp_guard_table_close(&table);
  cp_guard_list_clear(&guarded);
}

static void watch_copies(void)
{
  static cp_fork_hook hook = {.in_copy = on_copy};

  cp_fork_add_hook(&hook);
}

cp_spawn_options cp_guard_shell(cp_stdio *stdio, int pipe, int list)
{
  static char *const args[] = {"sh", "-c", CP_GUARD_SCRIPT, NULL};
  static char *const env[] = {NULL};

  for (int i = 0; i < CP_GUARD_STDIO; i++) {
    stdio[i] = (cp_stdio){CP_STDIO_IGNORE, -1, -1};
  }
  stdio[CP_GUARD_STDIO - 2] = (cp_stdio){CP_STDIO_DESCRIPTOR, pipe, -1};
  stdio[CP_GUARD_STDIO - 1] = (cp_stdio){CP_STDIO_DESCRIPTOR, list, -1};
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

bool cp_guard_runs(void)
{
  bool runs = false;

  cp_fork_lock();
  runs = is_running();
  cp_fork_unlock();
  return runs;
}

int cp_guard_open_table(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  int r = 0;

  pthread_once(&once, watch_copies);
  cp_fork_lock();
  if (table.lines == NULL) {
    r = cp_guard_table_open(&table);
  }
  r = r < 0 ? r : table.fd;
  cp_fork_unlock();
  return r;
}

/* Tells the guard that it is in use. Children that are being started know the number of the pipe,
 * so it stays the same. */
static int use_pipe(int fd)
{
  static const char go[] = "go\n";
  int r = 0;

  cp_guard_table_note_reader(&table);
  r = cp_fd_write_all(fd, go, sizeof(go) - 1);
  if (r < 0) {
    cp_fd_close(fd);
  } else if (pipe_fd == -1) {
    pipe_fd = fd;
  } else {
    cp_sys_replace(pipe_fd, fd);
    cp_fd_close(fd);
  }
  return r;
}

int cp_guard_take(int fd)
{
  int r = 0;

  cp_owned_add(fd);
  cp_fork_lock();
  if (is_running()) {
    cp_fd_close(fd);
  } else {
    r = use_pipe(fd);
  }
  cp_fork_unlock();
  return r;
}

static int reserve(cp_guard_place *place)
{
  int r = cp_guard_list_reserve(&guarded, &place->number);

  if (r < 0) {
    return r;
  }
  r = cp_guard_table_make_room(&table, place->number);
  if (r < 0) {
    cp_guard_list_remove(&guarded, place->number);
    return r;
  }
  place->line = cp_guard_table_line(&table, place->number);
  return 0;
}

int cp_guard_reserve(int *fd, cp_guard_place *place)
{
  int r = 0;

  cp_fork_lock();
  drop_empty_groups();
  r = pipe_fd != -1 ? reserve(place) : -EPIPE;
  *fd = r == 0 ? pipe_fd : -1;
  cp_fork_unlock();
  return r;
}

/* Its children. */

void cp_guard_add(const cp_guard_place *place, cp_guard_kind kind, pid_t pid)
{
  size_t before = 0;

  cp_fork_lock();
  if (cp_guard_list_find(&guarded, pid, &before)) {
    drop(before); /* it has ended, and left a group that has gone */
  }
  cp_guard_list_add(&guarded, place->number, pid, kind);
  if (cp_guard_line_is_blank(place->line)) {
    cp_guard_line_write(place->line, kind, pid); /* the child did not know its id as we do */
  }
  cp_guard_table_add_time(&table, place->line);
  cp_fork_unlock();
}

void cp_guard_cancel(const cp_guard_place *place)
{
  cp_fork_lock();
  drop(place->number);
  cp_fork_unlock();
}

static void note_end(size_t place)
{
  cp_guarded *entry = &guarded.entries[place];

  entry->pidfd = -1;
  entry->has_ended = true;
  if (entry->kind == CP_GUARD_PROCESS || cp_guarded_is_over(entry)) {
    drop(place);
  }
}

void cp_guard_child_ended(pid_t pid)
{
  if (guarded.count > 0) {
    size_t place = 0;

    cp_fork_lock();
    if (cp_guard_list_find(&guarded, pid, &place)) {
      note_end(place);
    }
    drop_empty_groups();
    cp_fork_unlock();
  }
}

void cp_guard_child_released(pid_t pid, int pidfd)
{
  if (guarded.count > 0) {
    size_t place = 0;

    cp_fork_lock();
    if (cp_guard_list_find(&guarded, pid, &place)) {
      guarded.entries[place].pidfd = pidfd;
    }
    cp_fork_unlock();
  }
}

void cp_guard_orphan_ended(int pidfd)
{
  if (guarded.count > 0) {
    size_t place = 0;

    cp_fork_lock();
    if (cp_guard_list_find_orphan(&guarded, pidfd, &place)) {
      note_end(place);
    }
    cp_fork_unlock();
  }
}
