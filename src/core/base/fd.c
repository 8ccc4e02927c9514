/* Calls on descriptors that retry after EINTR and do not raise SIGPIPE. */
#include "core/base/fd.h"

#include "core/base/assert.h"
#include "core/base/owned.h"
#include "core/sys/sigpipe.h"
#include "core/sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

int cp_fd_close(int fd)
{
  CP_ASSERT(fd >= -1); /* not a negative errno */
  if (fd != -1) {
    cp_owned_remove(fd); /* before another file can get the number */
    close(fd);
  }
  return -1;
}

int cp_fd_copy(int fd)
{
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

  return copy == -1 ? -errno : copy;
}

int cp_fd_set_cloexec(int fd)
{
  return fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 ? -errno : 0;
}

bool cp_fd_is_socket(int fd)
{
  int type = 0;
  socklen_t size = sizeof(type);

  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
}

static ssize_t write_patiently(int fd, const struct iovec *vector, int count)
{
  ssize_t n = 0;

  do {
    n = writev(fd, vector, count);
  } while (n == -1 && errno == EINTR);
  return n == -1 ? -errno : n;
}

typedef ssize_t write_call(int fd, const struct iovec *vector, int count);

static ssize_t write_guarded(int fd, const struct iovec *vector, int count, write_call *call)
{
  cp_sigpipe_guard guard = cp_sigpipe_block();
  size_t length = 0;
  ssize_t n = 0;

  CP_ASSERT(count > 0);
  for (int i = 0; i < count; i++) {
    length += vector[i].iov_len;
  }
  n = call(fd, vector, count);
  /* If the other end is closed after a part was written, the call returns the length of that
   * part. */
  cp_sigpipe_restore(guard, n < 0 ? n == -EPIPE : (size_t)n < length);
  return n;
}

ssize_t cp_fd_writev(int fd, const struct iovec *vector, int count)
{
  return write_guarded(fd, vector, count, write_patiently);
}

/* Whether the kernel, or the file's driver, does not support calls that never wait. */
static bool is_unsupported(ssize_t n)
{
  return n == -EOPNOTSUPP || n == -ENOSYS || n == -EINVAL;
}

static bool is_ready(int fd, short events)
{
  struct pollfd polled = {fd, events, 0};

  return poll(&polled, 1, 0) != 0;
}

ssize_t cp_fd_writev_nowait(int fd, const struct iovec *vector, int count)
{
  struct iovec piece = *vector;
  ssize_t n = write_guarded(fd, vector, count, cp_sys_writev_nowait);

  if (!is_unsupported(n)) {
    return n;
  }
  /* A writable pipe takes PIPE_BUF bytes without waiting, unless another program fills it first. */
  piece.iov_len = piece.iov_len < PIPE_BUF ? piece.iov_len : (size_t)PIPE_BUF;
  return is_ready(fd, POLLOUT) ? cp_fd_writev(fd, &piece, 1) : -EAGAIN;
}

ssize_t cp_fd_read_nowait(int fd, void *data, size_t size)
{
  ssize_t n = cp_sys_read_nowait(fd, data, size);

  if (!is_unsupported(n)) {
    return n;
  }
  if (!is_ready(fd, POLLIN)) {
    return -EAGAIN;
  }
  do {
    n = read(fd, data, size);
  } while (n == -1 && errno == EINTR);
  return n == -1 ? -errno : n;
}

int cp_fd_write_all(int fd, const char *data, size_t length)
{
  while (length > 0) {
    struct iovec rest = {(char *)(uintptr_t)data, length};
    struct pollfd polled = {fd, POLLOUT, 0};
    ssize_t n = cp_fd_writev(fd, &rest, 1);

    if (n >= 0) {
      data += n;
      length -= (size_t)n;
    } else if (n != -EAGAIN) {
      return (int)n;
    } else if (poll(&polled, 1, -1) == -1 && errno != EINTR) {
      return -errno;
    }
  }
  return 0;
}
