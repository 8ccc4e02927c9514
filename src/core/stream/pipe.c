/* Makes, breaks and enlarges pipes and pairs of sockets. */
#include "core/stream/pipe.h"

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Large pieces move more than twice as fast through a pipe of this size as through the default of
 * 64 KiB. A larger one gains nothing, and the memory for pipes is limited for each user. */
enum { ENLARGED_SIZE = 256 * 1024 };

/* Leaves the other end blocking, since most programs do not handle EAGAIN. */
static int make_ours_nonblocking(int *ours, const int *theirs)
{
  int error = 0;

  if (fcntl(*ours, F_SETFL, O_NONBLOCK) == -1) {
    error = -errno;
    close(*ours);
    close(*theirs);
  }
  return error;
}

int cp_pipe_open(bool writing, int *ours, int *theirs)
{
  int ends[2];
  int r = cp_sys_pipe(ends);

  if (r < 0) {
    return r;
  }
  *ours = ends[writing ? 1 : 0];
  *theirs = ends[writing ? 0 : 1];
  return make_ours_nonblocking(ours, theirs);
}

int cp_pipe_open_duplex(int *ours, int *theirs)
{
  int ends[2];
  int r = cp_sys_socket_pair(ends);

  if (r < 0) {
    return r;
  }
  *ours = ends[0];
  *theirs = ends[1];
  return make_ours_nonblocking(ours, theirs);
}

int cp_pipe_break(int fd)
{
  int ends[2];

  CP_ASSERT(fd >= 0);
  if (cp_sys_socket_pair(ends) < 0) {
    return cp_fd_close(fd);
  }
  close(ends[1]);
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  cp_sys_replace(fd, ends[0]);
  close(ends[0]);
  return fd;
}

void cp_pipe_enlarge(int fd)
{
  cp_sys_enlarge_pipe(fd, ENLARGED_SIZE);
}
