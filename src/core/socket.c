#include "socket.h"

#include "pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often, and in which intervals, a connection that was silent is asked. */
enum { KEEP_ALIVE_SECONDS = 1, KEEP_ALIVE_COUNT = 10 };

int cp_socket_new(int family, int type)
{
  int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  return fd == -1 ? -errno : fd;
}

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

static int bind_to(int fd, const cp_address *address, bool ipv6_only)
{
  int r = 0;

  if (cp_address_family(address) != 0) {
    /* Connections of a server that has just ended may still be on their way out. */
    r = set_number(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  }
  if (r == 0 && cp_address_family(address) == 6) {
    r = set_number(fd, IPPROTO_IPV6, IPV6_V6ONLY, ipv6_only);
  }
  if (r == 0 && bind(fd, &address->as.any, address->length) == -1) {
    r = -errno;
  }
  return r;
}

int cp_socket_bind(const cp_address *address, bool ipv6_only)
{
  int fd = cp_socket_new(address->as.any.sa_family, SOCK_STREAM);
  int r = fd < 0 ? fd : bind_to(fd, address, ipv6_only);

  if (r < 0 && fd >= 0) {
    cp_pipe_close(fd);
  }
  return r < 0 ? r : fd;
}

int cp_socket_listen(int fd, int backlog)
{
  return listen(fd, backlog) == -1 ? -errno : 0;
}

int cp_socket_accept(int fd)
{
  int accepted = -1;

  do {
    accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  } while (accepted == -1 && errno == EINTR);
  return accepted == -1 ? -errno : accepted;
}

int cp_socket_connect(const cp_address *address, const cp_address *local, const char **call)
{
  int fd = cp_socket_new(address->as.any.sa_family, SOCK_STREAM);
  int r = fd < 0 ? fd : 0;

  *call = "connect";
  if (r == 0 && local != NULL) {
    r = cp_address_family(local) == cp_address_family(address) ? bind_to(fd, local, false)
                                                               : -EINVAL;
    *call = r < 0 ? "bind" : "connect";
  }
  if (r == 0 && connect(fd, &address->as.any, address->length) == -1 && errno != EINPROGRESS &&
      errno != EINTR) {
    r = -errno;
  }
  if (r < 0 && fd >= 0) {
    cp_pipe_close(fd);
  }
  return r < 0 ? r : fd;
}

int cp_socket_error(int fd)
{
  int error = 0;
  int r = cp_socket_get(fd, SOL_SOCKET, SO_ERROR, &error);

  return r < 0 ? r : -error;
}

int cp_socket_adopt(int fd)
{
  int flags = fcntl(fd, F_GETFL);

  if (flags == -1 || fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 ||
      fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1) {
    return -errno;
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
    r = set_number(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
    r = r < 0 ? r : set_number(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEP_ALIVE_SECONDS);
    r = r < 0 ? r : set_number(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEP_ALIVE_COUNT);
  }
  return r;
}

int cp_socket_reset_on_close(int fd)
{
  struct linger at_once = {.l_onoff = 1, .l_linger = 0};

  return cp_socket_set(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}
