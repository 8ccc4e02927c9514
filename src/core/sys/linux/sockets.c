/* Calls on sockets that only Linux has, or only some systems. */
#include "core/sys/sys.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

static int negative_errno(int result)
{
  return result == -1 ? -errno : result;
}

int cp_sys_socket(int family, int type)
{
  return negative_errno(socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

int cp_sys_accept(int fd)
{
  int accepted = -1;

  do {
    accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  } while (accepted == -1 && errno == EINTR);
  return negative_errno(accepted);
}

ssize_t cp_sys_send(int socket, const void *data, size_t length)
{
  ssize_t n = 0;

  do {
    n = send(socket, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (n == -1 && errno == EINTR);
  return n == -1 ? -errno : n;
}

ssize_t cp_sys_send_message(int socket, const struct msghdr *message)
{
  ssize_t n = 0;

  do {
    n = sendmsg(socket, message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (n == -1 && errno == EINTR);
  return n == -1 ? -errno : n;
}

ssize_t cp_sys_send_vector(int socket, const struct iovec *vector, int count)
{
  struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)vector,
                           .msg_iovlen = (size_t)count};

  return cp_sys_send_message(socket, &message);
}

ssize_t cp_sys_receive(int socket, const struct iovec *room, int *fd)
{
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
  } control;
  /* Room for only one descriptor: the system closes the others. */
  struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)room,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = CMSG_LEN(sizeof(int))};
  const struct cmsghdr *header = NULL;
  ssize_t n = 0;

  *fd = -1;
  do {
    n = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (n == -1 && errno == EINTR);
  if (n == -1) {
    return -errno;
  }
  header = CMSG_FIRSTHDR(&message);
  if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
      header->cmsg_len >= CMSG_LEN(sizeof(int))) {
    memcpy(fd, CMSG_DATA(header), sizeof(*fd));
  }
  return n;
}

bool cp_sys_is_udp(int fd)
{
  int protocol = 0;
  socklen_t size = sizeof(protocol);

  /* "Ping" sockets have the same type, and another protocol. */
  return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 && protocol == IPPROTO_UDP;
}

int cp_sys_disconnect(int fd)
{
  struct sockaddr nobody = {.sa_family = AF_UNSPEC};

  return negative_errno(connect(fd, &nobody, sizeof(nobody)));
}

static int set_tcp_option(int fd, int option, int value)
{
  return negative_errno(setsockopt(fd, IPPROTO_TCP, option, &value, sizeof(value)));
}

int cp_sys_keep_alive(int fd, int idle, int interval, int count)
{
  int r = set_tcp_option(fd, TCP_KEEPIDLE, idle);

  r = r < 0 ? r : set_tcp_option(fd, TCP_KEEPINTVL, interval);
  return r < 0 ? r : set_tcp_option(fd, TCP_KEEPCNT, count);
}
