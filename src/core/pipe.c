#include "pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Large pieces move more than twice as fast through this as through the default of 64 KiB, and
 * more gains nothing. Users share a limited amount of pipe memory. */
enum { ENLARGED_SIZE = 256 * 1024 };

/* The other end goes to a program that does not expect to be told to try again. */
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

  if (pipe2(ends, O_CLOEXEC) == -1) {
    return -errno;
  }
  *ours = ends[writing ? 1 : 0];
  *theirs = ends[writing ? 0 : 1];
  return make_ours_nonblocking(ours, theirs);
}

int cp_pipe_open_duplex(int *ours, int *theirs)
{
  int ends[2];

  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1) {
    return -errno;
  }
  *ours = ends[0];
  *theirs = ends[1];
  return make_ours_nonblocking(ours, theirs);
}

int cp_pipe_adopt(int fd)
{
  int type = 0;
  socklen_t size = sizeof(type);

  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == -1 ||
      fcntl(fd, F_SETFD, FD_CLOEXEC) == -1) {
    return -errno;
  }
  return 0;
}

int cp_pipe_copy(int fd)
{
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

  return copy == -1 ? -errno : copy;
}

int cp_pipe_close(int fd)
{
  if (fd != -1) {
    close(fd);
  }
  return -1;
}

int cp_pipe_open_each(int *fds, int *ours, int count)
{
  int r = 0;

  for (int i = 0; i < count; i++) {
    ours[i] = -1;
    if (r < 0 || (fds[i] != CP_PIPE_NEW && fds[i] != CP_PIPE_NEW_DUPLEX)) {
      continue;
    }
    r = fds[i] == CP_PIPE_NEW_DUPLEX || i > STDERR_FILENO
            ? cp_pipe_open_duplex(&ours[i], &fds[i])
            : cp_pipe_open(i == STDIN_FILENO, &ours[i], &fds[i]);
    ours[i] = r < 0 ? -1 : ours[i];
  }
  return r;
}

void cp_pipe_close_theirs(const int *fds, const int *ours, int count)
{
  for (int i = 0; i < count; i++) {
    if (ours[i] != -1) {
      cp_pipe_close(fds[i]);
    }
  }
}

void cp_pipe_close_ours(int *ours, int count)
{
  for (int i = 0; i < count; i++) {
    ours[i] = cp_pipe_close(ours[i]);
  }
}

cp_pipe_guard cp_pipe_guard_enter(void)
{
  cp_pipe_guard guard = {false, false};
  sigset_t sigpipe;
  sigset_t before;
  sigset_t pending;

  sigemptyset(&sigpipe);
  sigaddset(&sigpipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &sigpipe, &before);
  guard.blocked = sigismember(&before, SIGPIPE) == 1;
  if (guard.blocked) {
    /* One that was pending before belongs to somebody else. */
    sigpending(&pending);
    guard.pending = sigismember(&pending, SIGPIPE) == 1;
  }
  return guard;
}

void cp_pipe_guard_leave(cp_pipe_guard guard, bool raised)
{
  static const struct timespec no_time = {0, 0};
  int saved = errno;
  sigset_t sigpipe;

  sigemptyset(&sigpipe);
  sigaddset(&sigpipe, SIGPIPE);
  if (raised && !guard.pending) {
    while (sigtimedwait(&sigpipe, NULL, &no_time) == -1 && errno == EINTR) {
    }
  }
  if (!guard.blocked) {
    pthread_sigmask(SIG_UNBLOCK, &sigpipe, NULL);
  }
  errno = saved;
}

ssize_t cp_pipe_writev(int fd, const struct iovec *vector, int count)
{
  cp_pipe_guard guard = cp_pipe_guard_enter();
  size_t length = 0;
  ssize_t n = 0;

  for (int i = 0; i < count; i++) {
    length += vector[i].iov_len;
  }
  do {
    n = writev(fd, vector, count);
  } while (n == -1 && errno == EINTR);
  /* The reader may also have gone when a part was written, which then is what the call tells. */
  cp_pipe_guard_leave(guard, n == -1 ? errno == EPIPE : (size_t)n < length);
  return n == -1 ? -errno : n;
}

int cp_pipe_write_all(int fd, const char *data, size_t length)
{
  while (length > 0) {
    struct iovec rest = {(char *)(uintptr_t)data, length};
    struct pollfd polled = {fd, POLLOUT, 0};
    ssize_t n = cp_pipe_writev(fd, &rest, 1);

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

void cp_pipe_enlarge(int fd)
{
  if (fcntl(fd, F_GETPIPE_SZ) < ENLARGED_SIZE) {
    fcntl(fd, F_SETPIPE_SZ, ENLARGED_SIZE);
  }
}
