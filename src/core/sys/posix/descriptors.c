/* Descriptors are made close-on-exec and non-blocking in a second step. */
#include "core/sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef O_SEARCH /* some systems have not followed POSIX in this */
#define O_SEARCH O_RDONLY
#endif

static int set_cloexec(int fd)
{
  return fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 ? -errno : 0;
}

int cp_sys_pipe(int ends[2])
{
  if (pipe(ends) == -1) {
    return -errno;
  }
  set_cloexec(ends[0]);
  set_cloexec(ends[1]);
  return 0;
}

int cp_sys_socket_pair(int ends[2])
{
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == -1) {
    return -errno;
  }
  set_cloexec(ends[0]);
  set_cloexec(ends[1]);
  return 0;
}

int cp_sys_open_unnamed(void)
{
  char path[] = "/tmp/child_process-XXXXXX";
  int fd = -1;

#ifdef O_TMPFILE /* it never has a name, whenever we are killed */
  fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd != -1) {
    return fd;
  }
#endif
  fd = mkstemp(path);
  if (fd == -1) {
    return -errno;
  }
  unlink(path);
  set_cloexec(fd);
  return fd;
}

int cp_sys_replace(int fd, int by)
{
  int r = 0;

  do {
    r = dup2(by, fd);
  } while (r == -1 && errno == EINTR);
  return r == -1 ? -errno : set_cloexec(fd);
}

int cp_sys_open_directory(const char *path)
{
  int fd = open(path, O_SEARCH | O_DIRECTORY | O_CLOEXEC);

  return fd == -1 ? -errno : fd;
}

ssize_t cp_sys_read_nowait(int fd, void *data, size_t size)
{
  (void)fd;
  (void)data;
  (void)size;
  return -ENOSYS;
}

ssize_t cp_sys_writev_nowait(int fd, const struct iovec *vector, int count)
{
  (void)fd;
  (void)vector;
  (void)count;
  return -ENOSYS;
}

void cp_sys_enlarge_pipe(int fd, int size)
{
  (void)fd;
  (void)size;
}

ssize_t cp_sys_splice(int from, int to, size_t size)
{
  (void)from;
  (void)to;
  (void)size;
  return -ENOSYS;
}

ssize_t cp_sys_tee(int from, int to, size_t size)
{
  (void)from;
  (void)to;
  (void)size;
  return -ENOSYS;
}
