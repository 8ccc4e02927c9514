/* POSIX knows neither titles nor start times. */
#include "core/sys/own_process.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

#ifdef __APPLE__

#include <crt_externs.h>

/* Libraries cannot refer to the variable. */
char **cp_own_process_environment(void)
{
  return *_NSGetEnviron();
}

#else

extern char **environ;

char **cp_own_process_environment(void)
{
  return environ;
}

#endif

ssize_t cp_own_process_title(char *title)
{
  (void)title;
  return -ENOTSUP;
}

int cp_own_process_set_title(const char *title)
{
  (void)title;
  return -ENOTSUP;
}

int cp_own_process_start_time(uint64_t *time)
{
  (void)time;
  return -ENOTSUP;
}

int cp_own_process_on_exit(void (*callback)(int status))
{
  (void)callback;
  return -ENOTSUP;
}

/* The file of the program has the name by which it was called, in some systems, and libraries have
 * paths. */
bool cp_own_process_contains(const void *function)
{
  Dl_info object;
  char path[PATH_MAX];
  size_t size = sizeof(path);
  struct stat program;
  struct stat file;

  if (dladdr(function, &object) == 0 || object.dli_fname == NULL) {
    return false;
  }
  return strchr(object.dli_fname, '/') == NULL ||
         (uv_exepath(path, &size) == 0 && stat(path, &program) == 0 &&
          stat(object.dli_fname, &file) == 0 && program.st_dev == file.st_dev &&
          program.st_ino == file.st_ino);
}

void cp_own_process_pin_module(void)
{
  Dl_info module;

  if (dladdr((const void *)(uintptr_t)cp_own_process_pin_module, &module) != 0) {
    dlopen(module.dli_fname, RTLD_NOW | RTLD_LOCAL);
  }
}
