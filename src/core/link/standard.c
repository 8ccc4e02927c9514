/* Copies the descriptors, and puts others in their place. */
#include "core/link/standard.h"

#include "core/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int replace(int fd, int by)
{
  while (dup2(by, fd) == -1) {
    if (errno != EINTR && errno != EBUSY) {
      return -errno;
    }
  }
  return 0;
}

int cp_link_take_standard(int *in, int *out)
{
  int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  int r = nothing == -1 ? -errno : 0;

  *in = r == 0 ? cp_fd_copy(STDIN_FILENO) : -1;
  *out = r == 0 ? cp_fd_copy(STDOUT_FILENO) : -1;
  if (r == 0 && (*in < 0 || *out < 0)) {
    r = *in < 0 ? *in : *out;
  }
  if (r == 0) {
    r = replace(STDIN_FILENO, nothing);
  }
  if (r == 0) {
    r = replace(STDOUT_FILENO, STDERR_FILENO);
  }
  cp_fd_close(nothing);
  if (r < 0) {
    *in = *in < 0 ? -1 : cp_fd_close(*in);
    *out = *out < 0 ? -1 : cp_fd_close(*out);
  }
  return r;
}
