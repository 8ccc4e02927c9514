/* All tables of a plan are in one piece of memory. */
#include "core/process/spawn_plan.h"

#include "core/base/assert.h"
#include "core/sys/own_process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Stores the paths to try, each a directory of `path` with the file, in the memory from `text` to
 * `limit`. */
static void write_candidates(char **candidates, char *text, const char *limit, const char *path,
                             const char *file)
{
  size_t file_length = strlen(file);

  for (;;) {
    size_t length = strcspn(path, ":");

    *candidates++ = text;
    memcpy(text, path, length);
    text += length;
    if (length > 0) {
      *text++ = '/';
    }
    memcpy(text, file, file_length + 1);
    text += file_length + 1;
    if (path[length] == '\0') {
      break;
    }
    path += length + 1;
  }
  *candidates = NULL;
  CP_ASSERT(text <= limit);
}

/* Writes the descriptors of entries that name another entry, after all others were written. */
static void write_child_fds(int *fds, const cp_spawn_options *options)
{
  for (int i = 0; i < options->stdio_count; i++) {
    if (options->stdio[i].kind == CP_STDIO_CHILD_FD) {
      int other = options->stdio[i].fd;

      CP_ASSERT(other >= 0 && other < options->stdio_count);
      CP_ASSERT(options->stdio[other].kind != CP_STDIO_CHILD_FD);
      fds[i] = fds[other];
    }
  }
}

static void write_descriptors(int *fds, const cp_spawn_options *options, int null)
{
  for (int i = 0; i < options->stdio_count; i++) {
    const cp_stdio *entry = &options->stdio[i];

    if (entry->kind == CP_STDIO_IGNORE) {
      fds[i] = i <= STDERR_FILENO ? null : -1;
    } else if (entry->kind == CP_STDIO_TERMINAL) {
      CP_ASSERT(options->terminal != NULL);
      fds[i] = options->terminal->theirs;
    } else if (entry->kind != CP_STDIO_CHILD_FD) {
      CP_ASSERT(entry->fd >= 0);
      fds[i] = entry->fd;
    }
  }
  write_child_fds(fds, options);
}

int cp_spawn_plan_init(cp_spawn_plan *plan, const cp_spawn_options *options, int null)
{
  const char *path = cp_spawn_search_path(options);
  size_t paths = 1;
  size_t args = 0;
  size_t size = 0;

  for (const char *c = path; *c != '\0'; c++) {
    paths += *c == ':';
  }
  while (options->args[args] != NULL) {
    args++;
  }

  plan->fd_count = options->stdio_count + 2;
  /* Each path is at most a directory, a slash, the file and the end. */
  size = (paths + 1 + args + 3) * sizeof(char *) + (size_t)plan->fd_count * sizeof(int) +
         strlen(path) + paths * (strlen(options->file) + 2);
  plan->candidates = malloc(size);
  if (plan->candidates == NULL) {
    return -ENOMEM;
  }
  plan->shell_args = plan->candidates + paths + 1;
  plan->fds = (int *)(void *)(plan->shell_args + args + 3);
  write_descriptors(plan->fds, options, null);
  plan->guard_fd = &plan->fds[options->stdio_count];
  plan->terminal_fd = plan->guard_fd + 1;
  *plan->guard_fd = -1;
  *plan->terminal_fd = options->terminal != NULL ? options->terminal->theirs : -1;
  write_candidates(plan->candidates, (char *)(plan->fds + plan->fd_count),
                   (char *)plan->candidates + size, path, options->file);
  plan->env = options->env != NULL ? options->env : cp_own_process_environment();
  plan->options = options;
  plan->parent = options->kill_on_parent_exit ? getpid() : -1;
  plan->report_fd = -1;
  return 0;
}

void cp_spawn_plan_free(cp_spawn_plan *plan)
{
  free(plan->candidates);
}
