/* System calls on stream sockets, which return a negative errno. */
#include "core/net/socket.h"

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/base/owned.h"
#include "core/sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The seconds between the probes of a silent connection, and the number of probes. */
enum { KEEP_ALIVE_SECONDS = 1, KEEP_ALIVE_COUNT = 10 };

int cp_socket_set(int fd, int level, int option, const void *value, size_t size)
{
  return setsockopt(fd, level, option, value, (socklen_t)size) == -1 ? -errno : 0;
}

int cp_socket_get(int fd, int level, int option, int *value)
{
  socklen_t length = sizeof(*value);

  return getsockopt(fd, level, option, value, &length) == -1 ? -errno : 0;
}

static int set_number(int fd, int level, int option, int value)
{
  return cp_socket_set(fd, level, option, &value, sizeof(value));
}

static int bind_to(int fd, const cp_address *address, int flags)
{
  int family = cp_address_family(address);
  int r = 0;

  CP_ASSERT(address->length > 0 && address->length <= sizeof(address->as));
  if (family != 0) {
    /* Connections of an earlier server at this address may still be closing. */
    r = set_number(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  }
  if (r == 0 && family != 0 && (flags & CP_SOCKET_REUSE_PORT) != 0) {
    r = set_number(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  }
  if (r == 0 && family == 6) {
    r = set_number(fd, IPPROTO_IPV6, IPV6_V6ONLY, (flags & CP_SOCKET_IPV6_ONLY) != 0);
  }
  if (r == 0 && bind(fd, &address->as.any, address->length) == -1) {
    r = -errno;
  }
  return r;
}

int cp_socket_bind(const cp_address *address, int flags)
{
  int fd = cp_sys_socket(address->as.any.sa_family, SOCK_STREAM);
  int r = fd < 0 ? fd : bind_to(fd, address, flags);

  if (r < 0 && fd >= 0) {
    cp_fd_close(fd);
  }
  return r < 0 ? r : fd;
}

int cp_socket_listen(int fd, int backlog)
{
  return listen(fd, backlog) == -1 ? -errno : 0;
}

bool cp_socket_is_blocking(int fd)
{
  int flags = fcntl(fd, F_GETFL);

  return flags != -1 && (flags & O_NONBLOCK) == 0;
}

/* accept(2) has no flag against waiting, and polling first is not enough: the other program may
 * take the connection in between. So this makes the socket non-blocking during the call. The other
 * program notices only if it calls accept(2) at that moment and finds no connection: it gets
 * EAGAIN. */
static int accept_without_waiting(int fd)
{
  struct pollfd polled = {fd, POLLIN, 0};
  int flags = fcntl(fd, F_GETFL);
  int accepted = -1;

  if (flags == -1) {
    return -errno;
  }
  if ((flags & O_NONBLOCK) != 0) {
    return cp_sys_accept(fd);
  }
  if (poll(&polled, 1, 0) == 0) {
    return -EAGAIN;
  }
  fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  accepted = cp_sys_accept(fd);
  fcntl(fd, F_SETFL, flags);
  return accepted;
}

/* Returns 0 or a negative errno: -EAGAIN if another process has the lock. */
static int set_lock(int fd, short type)
{
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET};

  if (fcntl(fd, F_SETLK, &lock) == 0) {
    return 0;
  }
  return errno == EACCES ? -EAGAIN : -errno;
}

/* Two processes that do the above at the same time could make the socket blocking for each other.
 * So they take a lock, which other programs ignore. A process that does not get the lock does
 * nothing: its loop wakes it again if there is still a connection. If the system has no such locks,
 * the call proceeds without one. */
int cp_socket_accept_shared(int fd)
{
  int accepted = set_lock(fd, F_WRLCK);

  if (accepted != -EAGAIN) {
    accepted = accept_without_waiting(fd);
    set_lock(fd, F_UNLCK);
  }
  return accepted;
}

int cp_socket_connect(const cp_address *address, const cp_address *local, const char **call)
{
  int fd = cp_sys_socket(address->as.any.sa_family, SOCK_STREAM);
  int r = fd < 0 ? fd : 0;

  *call = "connect";
  if (r == 0 && local != NULL) {
    r = cp_address_family(local) == cp_address_family(address) ? bind_to(fd, local, 0) : -EINVAL;
    *call = r < 0 ? "bind" : "connect";
  }
  if (r == 0 && connect(fd, &address->as.any, address->length) == -1 && errno != EINPROGRESS &&
      errno != EINTR) {
    r = -errno;
  }
  if (r < 0 && fd >= 0) {
    cp_fd_close(fd);
  }
  return r < 0 ? r : fd;
}

int cp_socket_take_error(int fd)
{
  int error = 0;
  int r = cp_socket_get(fd, SOL_SOCKET, SO_ERROR, &error);

  return r < 0 ? r : -error;
}

int cp_socket_adopt(int fd)
{
  int flags = 0;

  if (cp_owned_has(fd)) {
    return -EBADF;
  }
  flags = fcntl(fd, F_GETFL);
  if (flags == -1 || cp_fd_set_cloexec(fd) < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1) {
    int error = -errno;

    cp_fd_close(fd);
    return error;
  }
  return flags & O_ACCMODE;
}

bool cp_socket_is_connection(int fd)
{
  struct stat status;
  int type = 0;

  if (fstat(fd, &status) == -1) {
    return false;
  }
  return S_ISSOCK(status.st_mode)
             ? cp_socket_get(fd, SOL_SOCKET, SO_TYPE, &type) == 0 && type == SOCK_STREAM
             : S_ISFIFO(status.st_mode) || isatty(fd) == 1;
}

int cp_socket_no_delay(int fd, bool on)
{
  return set_number(fd, IPPROTO_TCP, TCP_NODELAY, on);
}

int cp_socket_keep_alive(int fd, bool on, int seconds)
{
  int r = set_number(fd, SOL_SOCKET, SO_KEEPALIVE, on);

  if (r == 0 && on && seconds > 0) {
    r = cp_sys_keep_alive(fd, seconds, KEEP_ALIVE_SECONDS, KEEP_ALIVE_COUNT);
  }
  return r;
}

int cp_socket_reset_on_close(int fd)
{
  struct linger at_once = {.l_onoff = 1, .l_linger = 0};

  return cp_socket_set(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}
