/* Follows the path that the kernel takes when it executes a file: along PATH to the file, and from
 * there to its interpreter. */
#include "core/process/spawn_obstacle.h"

#include "core/base/fd.h"
#include "core/process/elf.h"
#include "core/sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  FIRST_LINE = 256,      /* the kernel looks at this much of a script */
  MOST_INTERPRETERS = 5, /* interpreters of interpreters; the kernel's limit */
};

/* A search for the obstacle of a failed start. */
typedef struct search {
  int directory; /* the child's working directory */
  int error;     /* of the start */
  char *path;    /* where the obstacle's path is stored */
  size_t size;
} search;

/* Stores the path of the interpreter that runs the file. */
static bool read_interpreter(const search *in, const char *file)
{
  char start[FIRST_LINE] = "";
  int fd = openat(in->directory, file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  ssize_t n = fd == -1 ? -1 : pread(fd, start, sizeof(start) - 1, 0);
  bool found = false;

  if (n > 0 && cp_elf_is_binary(start, (size_t)n)) {
    found = cp_elf_read_loader(fd, in->path, in->size);
  } else if (n >= 0) {
    const char *name = start + 2;

    if (strncmp(start, "#!", 2) != 0) {
      name = "/bin/sh"; /* runs a script without that line */
    }
    name += strspn(name, " \t");
    snprintf(in->path, in->size, "%.*s", (int)strcspn(name, " \t\n"), name);
    found = true;
  }
  cp_fd_close(fd);
  return found;
}

static bool is_executable(const search *in, const char *file)
{
  struct stat status;

  return fstatat(in->directory, file, &status, 0) == 0 && S_ISREG(status.st_mode) &&
         (status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
}

/* An interpreter may be a script itself. Stores the path of the one that cannot be executed. */
static bool has_bad_interpreter(const search *in, const char *file)
{
  char interpreter[PATH_MAX];

  for (int depth = 0; depth < MOST_INTERPRETERS && read_interpreter(in, file); depth++) {
    if (!is_executable(in, in->path)) {
      return true;
    }
    snprintf(interpreter, sizeof(interpreter), "%s", in->path);
    file = interpreter;
  }
  return false;
}

static cp_spawn_obstacle look_at(const search *in, const char *file)
{
  struct stat status;

  if (fstatat(in->directory, file, &status, 0) == -1) {
    return CP_OBSTACLE_NONE;
  }
  if (in->error == -EACCES && !is_executable(in, file)) {
    snprintf(in->path, in->size, "%s", file);
    return S_ISDIR(status.st_mode) ? CP_OBSTACLE_DIRECTORY : CP_OBSTACLE_MODE;
  }
  return S_ISREG(status.st_mode) && has_bad_interpreter(in, file) ? CP_OBSTACLE_INTERPRETER
                                                                  : CP_OBSTACLE_NONE;
}

cp_spawn_obstacle cp_spawn_find_obstacle(const cp_spawn_options *options, int error, char *path,
                                         size_t size)
{
  cp_spawn_obstacle obstacle = CP_OBSTACLE_NONE;
  const char *entry = cp_spawn_search_path(options);
  search in = {AT_FDCWD, error, path, size};
  char file[PATH_MAX];

  if (error != -ENOENT && error != -EACCES) {
    return CP_OBSTACLE_NONE;
  }
  if (options->cwd != NULL) {
    in.directory = cp_sys_open_directory(options->cwd);
    if (in.directory < 0) {
      return CP_OBSTACLE_NONE;
    }
  }
  for (;;) {
    int length = (int)strcspn(entry, ":");

    if (snprintf(file, sizeof(file), "%.*s%s%s", length, entry, length > 0 ? "/" : "",
                 options->file) < (int)sizeof(file)) {
      obstacle = look_at(&in, file);
    }
    if (obstacle != CP_OBSTACLE_NONE || entry[length] == '\0') {
      break;
    }
    entry += length + 1;
  }
  if (in.directory != AT_FDCWD) {
    close(in.directory);
  }
  return obstacle;
}
