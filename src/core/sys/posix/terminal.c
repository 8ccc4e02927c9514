/* Opens a pseudo-terminal with the functions of POSIX. */
#include "core/sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ATTEMPTS = 100 };

/* Stores the path of the other end. ptsname(3) may return what it has found for another thread, so
 * the caller compares the path with that of a second call. */
static bool store_path(int ours, char *path)
{
  const char *name = ptsname(ours);

  if (name == NULL || strlen(name) >= PATH_MAX) {
    return false;
  }
  strcpy(path, name);
  return true;
}

static int open_other_end(int ours)
{
  char path[PATH_MAX];
  char again[PATH_MAX];
  int fd = -1;

  if (grantpt(ours) == -1 || unlockpt(ours) == -1) {
    return -errno;
  }
  for (int i = 0; i < ATTEMPTS; i++) {
    if (!store_path(ours, path)) {
      return -ENOTTY;
    }
    fd = open(path, O_RDWR | O_NOCTTY);
    if (store_path(ours, again) && strcmp(path, again) == 0) {
      return fd == -1 ? -errno : fd;
    }
    close(fd);
  }
  return -EAGAIN;
}

int cp_sys_open_terminal(int *ours, int *theirs)
{
  int fd = posix_openpt(O_RDWR | O_NOCTTY);
  int r = 0;

  if (fd == -1) {
    return -errno;
  }
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  r = open_other_end(fd);
  if (r < 0) {
    close(fd);
    return r;
  }
  fcntl(r, F_SETFD, FD_CLOEXEC);
  *ours = fd;
  *theirs = r;
  return 0;
}
