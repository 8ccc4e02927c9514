#include "datagram.h"

#include "pipe.h"
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

/* How many datagrams one socket may take before the others get their turn. */
enum { DATAGRAMS_PER_TURN = 64 };

int cp_datagram_family_of(int fd)
{
  int type = 0;
  int protocol = 0;
  cp_address address;
  int r = cp_socket_get(fd, SOL_SOCKET, SO_TYPE, &type);

  r = r < 0 ? r : cp_socket_get(fd, SOL_SOCKET, SO_PROTOCOL, &protocol);
  r = r < 0 ? r : cp_address_of_socket(&address, fd);
  if (r < 0) {
    return r;
  }
  /* "Ping" sockets have the same type, and another protocol. */
  return type == SOCK_DGRAM && protocol == IPPROTO_UDP && cp_address_family(&address) != 0
             ? address.as.any.sa_family
             : -EINVAL;
}

cp_datagram *cp_datagram_new(cp_loop *loop, int family, int fd,
                             const cp_datagram_callbacks *callbacks, void *owner)
{
  cp_datagram *datagram = malloc(sizeof(*datagram));

  if (datagram != NULL) {
    if (fd != -1) {
      fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    *datagram = (cp_datagram){
        .loop = loop,
        .callbacks = callbacks,
        .owner = owner,
        .fd = fd,
        .family = family,
        .referenced = true,
    };
  }
  return datagram;
}

cp_datagram *cp_datagram_close(cp_datagram *datagram)
{
  if (datagram == NULL || datagram->closed) {
    return NULL;
  }
  datagram->closed = true;
  cp_watch_close(&datagram->watch);
  datagram->fd = cp_pipe_close(datagram->fd);
  if (!datagram->active) {
    free(datagram);
  }
  return NULL;
}

static int bind_socket(int fd, const cp_address *address, int flags)
{
  int on = 1;
  int r = 0;

  if ((flags & CP_DATAGRAM_REUSE_ADDRESS) != 0) {
    r = cp_socket_set(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  }
  if (r == 0 && (flags & CP_DATAGRAM_IPV6_ONLY) != 0) {
    r = cp_socket_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  }
  if (r == 0 && bind(fd, &address->as.any, address->length) == -1) {
    r = -errno;
  }
  return r;
}

int cp_datagram_bind(cp_datagram *datagram, const cp_address *address, int flags)
{
  int fd = -1;
  int r = 0;

  if (datagram->fd != -1 || address->as.any.sa_family != datagram->family ||
      ((flags & CP_DATAGRAM_IPV6_ONLY) != 0 && datagram->family != AF_INET6)) {
    return -EINVAL;
  }
  fd = cp_socket_new(datagram->family, SOCK_DGRAM);
  if (fd < 0) {
    return fd;
  }
  r = bind_socket(fd, address, flags);
  if (r < 0) {
    cp_pipe_close(fd);
    return r;
  }
  datagram->fd = fd;
  return 0;
}

int cp_datagram_connect(cp_datagram *datagram, const cp_address *address)
{
  static const cp_address nobody = {.length = sizeof(struct sockaddr), .as.any = {AF_UNSPEC, {0}}};
  const cp_address *peer = address != NULL ? address : &nobody;

  if (address != NULL && address->as.any.sa_family != datagram->family) {
    return -EINVAL;
  }
  return connect(datagram->fd, &peer->as.any, peer->length) == -1 ? -errno : 0;
}

static void on_ready(void *owner, int events);

static int update(cp_datagram *datagram)
{
  int events =
      (datagram->receiving ? CP_WATCH_READ : 0) | (datagram->awaiting_room ? CP_WATCH_WRITE : 0);

  if (!cp_watch_is_open(&datagram->watch)) {
    if (events == 0) {
      return 0;
    }
    /* Each call says by itself that it must not wait, so the mode of a descriptor that others have, too, is
     * left alone. */
    cp_watch_open(&datagram->watch, datagram->loop, datagram->fd, true, on_ready, datagram);
  }
  return cp_watch_set(&datagram->watch, events, datagram->referenced);
}

int cp_datagram_receive(cp_datagram *datagram)
{
  int r = 0;

  if (datagram->fd == -1) {
    return -EBADF;
  }
  datagram->receiving = true;
  r = update(datagram);
  datagram->receiving = r == 0;
  return r;
}

int cp_datagram_await_room(cp_datagram *datagram)
{
  int r = 0;

  if (datagram->fd == -1) {
    return -EBADF;
  }
  datagram->awaiting_room = true;
  r = update(datagram);
  datagram->awaiting_room = r == 0;
  return r;
}

int cp_datagram_reference(cp_datagram *datagram, bool referenced)
{
  datagram->referenced = referenced;
  return update(datagram);
}

bool cp_datagram_is_active(const cp_datagram *datagram)
{
  return datagram->receiving || datagram->awaiting_room;
}

ssize_t cp_datagram_send(const cp_datagram *datagram, const char *data, size_t length,
                         const cp_address *address)
{
  struct iovec piece = {(char *)(uintptr_t)data, length};
  struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
  ssize_t n = 0;

  if (address != NULL) {
    if (address->as.any.sa_family != datagram->family) {
      return -EINVAL;
    }
    message.msg_name = (void *)(uintptr_t)&address->as.any;
    message.msg_namelen = address->length;
  }
  do {
    n = sendmsg(datagram->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (n == -1 && errno == EINTR);
  return n == -1 ? -errno : n;
}

/* The buffer has room for the largest datagram there is. */
static ssize_t receive_one(const cp_datagram *datagram, cp_address *from)
{
  ssize_t n = 0;

  from->length = sizeof(from->as);
  do {
    n = recvfrom(datagram->fd, datagram->loop->read_buffer, CP_READ_SIZE, MSG_DONTWAIT,
                 &from->as.any, &from->length);
  } while (n == -1 && errno == EINTR);
  return n == -1 ? -errno : n;
}

/* One system call for each datagram: what a callback that raises or closes leaves behind is still the
 * kernel's. */
static void receive_some(cp_datagram *datagram)
{
  for (int i = 0; i < DATAGRAMS_PER_TURN && !datagram->closed && !datagram->loop->interrupted;
       i++) {
    cp_address from;
    ssize_t n = receive_one(datagram, &from);

    if (n == -EAGAIN) {
      return;
    }
    if (n < 0) {
      datagram->callbacks->on_error(datagram, (int)n);
      return;
    }
    datagram->callbacks->on_datagram(datagram, datagram->loop->read_buffer, (size_t)n, &from);
  }
}

static void on_ready(void *owner, int events)
{
  cp_datagram *datagram = owner;

  datagram->active = true;
  if (datagram->awaiting_room && (events & CP_WATCH_WRITE) != 0) {
    datagram->awaiting_room = false;
    datagram->callbacks->on_room(datagram);
  }
  if (!datagram->closed && datagram->receiving && (events & CP_WATCH_READ) != 0) {
    receive_some(datagram);
  }

  datagram->active = false;
  if (datagram->closed) {
    free(datagram);
  } else {
    update(datagram);
  }
}
