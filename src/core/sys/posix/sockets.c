/* Sockets without the flags that make them close-on-exec and keep SIGPIPE away. */
#include "core/sys/sys.h"

#include "core/sys/sigpipe.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

/* The most descriptors that arrive with one call. Without room for all of them some systems would
 * leave them open. */
enum { MOST_DESCRIPTORS = 256 };

/* Closes the socket if that fails. */
static int set_modes(int fd)
{
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 || fcntl(fd, F_SETFL, O_NONBLOCK) == -1) {
    int error = -errno;

    close(fd);
    return error;
  }
  return fd;
}

int cp_sys_socket(int family, int type)
{
  int fd = socket(family, type, 0);

  return fd == -1 ? -errno : set_modes(fd);
}

int cp_sys_accept(int fd)
{
  int accepted = -1;

  do {
    accepted = accept(fd, NULL, NULL);
  } while (accepted == -1 && errno == EINTR);
  return accepted == -1 ? -errno : set_modes(accepted);
}

ssize_t cp_sys_send(int socket, const void *data, size_t length)
{
  cp_sigpipe_guard guard = cp_sigpipe_block();
  ssize_t n = 0;

  do {
    n = send(socket, data, length, MSG_DONTWAIT);
  } while (n == -1 && errno == EINTR);
  n = n == -1 ? -errno : n;
  cp_sigpipe_restore(guard, n == -EPIPE);
  return n;
}

ssize_t cp_sys_send_message(int socket, const struct msghdr *message)
{
  cp_sigpipe_guard guard = cp_sigpipe_block();
  ssize_t n = 0;

  do {
    n = sendmsg(socket, message, MSG_DONTWAIT);
  } while (n == -1 && errno == EINTR);
  n = n == -1 ? -errno : n;
  cp_sigpipe_restore(guard, n == -EPIPE);
  return n;
}

ssize_t cp_sys_send_vector(int socket, const struct iovec *vector, int count)
{
  struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)vector};

  message.msg_iovlen = (__typeof__(message.msg_iovlen))count; /* an int, or a size_t */
  return cp_sys_send_message(socket, &message);
}

/* Keeps the first of the descriptors unless `fd` has one already, and closes the others. */
static void take_descriptors(const struct cmsghdr *header, int *fd)
{
  size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

  for (size_t i = 0; i < count; i++) {
    int received = -1;

    memcpy(&received, CMSG_DATA(header) + i * sizeof(int), sizeof(received));
    if (*fd == -1) {
      *fd = received;
      fcntl(received, F_SETFD, FD_CLOEXEC);
    } else {
      close(received);
    }
  }
}

ssize_t cp_sys_receive(int socket, const struct iovec *room, int *fd)
{
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(MOST_DESCRIPTORS * sizeof(int))];
  } control;
  struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)room,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof(control)};
  ssize_t n = 0;

  *fd = -1;
  do {
    n = recvmsg(socket, &message, MSG_DONTWAIT);
  } while (n == -1 && errno == EINTR);
  if (n == -1) {
    return -errno;
  }
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
      take_descriptors(header, fd);
    }
  }
  return n;
}

bool cp_sys_is_udp(int fd)
{
#ifdef SO_PROTOCOL /* newer than some systems */
  int protocol = 0;
  socklen_t size = sizeof(protocol);

  return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 && protocol == IPPROTO_UDP;
#else
  (void)fd;
  return true;
#endif
}

/* Some systems dissolve the connection but report an error. */
int cp_sys_disconnect(int fd)
{
  struct sockaddr nobody = {.sa_family = AF_UNSPEC};
  struct sockaddr_storage peer;
  socklen_t size = sizeof(peer);

  if (connect(fd, &nobody, sizeof(nobody)) == 0) {
    return 0;
  }
  if (getpeername(fd, (struct sockaddr *)&peer, &size) == -1 && errno == ENOTCONN) {
    return 0;
  }
  return -EAFNOSUPPORT;
}

/* POSIX has no names for these options. Where the system has none either, its defaults stay. */

static int set_tcp_option(int fd, int option, int value)
{
  return setsockopt(fd, IPPROTO_TCP, option, &value, sizeof(value)) == -1 ? -errno : 0;
}

int cp_sys_keep_alive(int fd, int idle, int interval, int count)
{
  int r = 0;

#if defined(TCP_KEEPIDLE)
  r = set_tcp_option(fd, TCP_KEEPIDLE, idle);
#elif defined(TCP_KEEPALIVE)
  r = set_tcp_option(fd, TCP_KEEPALIVE, idle);
#endif
#if defined(TCP_KEEPINTVL) && defined(TCP_KEEPCNT)
  r = r < 0 ? r : set_tcp_option(fd, TCP_KEEPINTVL, interval);
  r = r < 0 ? r : set_tcp_option(fd, TCP_KEEPCNT, count);
#endif
  return r;
}
