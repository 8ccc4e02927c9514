/* Calls on descriptors that only Linux has. */
#include "core/sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/syscall.h>
#include <unistd.h>

static int negative_errno(int result)
{
  return result == -1 ? -errno : result;
}

int cp_sys_pipe(int ends[2])
{
  return negative_errno(pipe2(ends, O_CLOEXEC));
}

int cp_sys_socket_pair(int ends[2])
{
  return negative_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
}

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

/* Since Linux 6.3 the caller should say whether the file may be executed. Some systems refuse a
 * file that may. */
int cp_sys_open_unnamed(void)
{
  long fd = syscall(SYS_memfd_create, "child_process", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

  if (fd == -1 && errno == EINVAL) {
    fd = syscall(SYS_memfd_create, "child_process", MFD_CLOEXEC);
  }
  if (fd == -1 && (errno == ENOSYS || errno == EPERM || errno == EACCES)) {
    fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  }
  return negative_errno((int)fd);
}

int cp_sys_replace(int fd, int by)
{
  return dup3(by, fd, O_CLOEXEC) == -1 ? -errno : 0;
}

int cp_sys_open_directory(const char *path)
{
  return negative_errno(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/* Old versions of musl have neither preadv2 nor pwritev2. Their offset, which is -1 for the current
 * one, is passed in two halves. */
#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x00000008
#endif

ssize_t cp_sys_read_nowait(int fd, void *data, size_t size)
{
  struct iovec piece = {data, size};
  ssize_t n = 0;

  do {
    n = syscall(SYS_preadv2, fd, &piece, 1, -1L, -1L, RWF_NOWAIT);
  } while (n == -1 && errno == EINTR);
  return n == -1 ? -errno : n;
}

ssize_t cp_sys_writev_nowait(int fd, const struct iovec *vector, int count)
{
  ssize_t n = 0;

  do {
    n = syscall(SYS_pwritev2, fd, vector, count, -1L, -1L, RWF_NOWAIT);
  } while (n == -1 && errno == EINTR);
  return n == -1 ? -errno : n;
}

void cp_sys_enlarge_pipe(int fd, int size)
{
  if (fcntl(fd, F_GETPIPE_SZ) < size) {
    fcntl(fd, F_SETPIPE_SZ, size);
  }
}

ssize_t cp_sys_splice(int from, int to, size_t size)
{
  ssize_t n = 0;

  do {
    n = splice(from, NULL, to, NULL, size, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  } while (n == -1 && errno == EINTR);
  return n == -1 ? -errno : n;
}

ssize_t cp_sys_tee(int from, int to, size_t size)
{
  ssize_t n = 0;

  do {
    n = tee(from, to, size, SPLICE_F_NONBLOCK);
  } while (n == -1 && errno == EINTR);
  return n == -1 ? -errno : n;
}
