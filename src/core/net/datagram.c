/* Receives with one call for each datagram, and leaves the blocking mode of the socket alone. */
#include "core/net/datagram.h"

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/base/owned.h"
#include "core/net/socket.h"
#include "core/sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

/* The most datagrams that one socket receives in an iteration of the loop. */
enum { DATAGRAMS_PER_ITERATION = 64 };

int cp_datagram_family_of(int fd)
{
  int type = 0;
  cp_address address;
  int r = cp_socket_get(fd, SOL_SOCKET, SO_TYPE, &type);

  r = r < 0 ? r : cp_address_of_socket(&address, fd);
  if (r < 0) {
    return r;
  }
  return type == SOCK_DGRAM && cp_address_family(&address) != 0 && cp_sys_is_udp(fd)
             ? address.as.any.sa_family
             : -EINVAL;
}

cp_datagram *cp_datagram_new(cp_loop *loop, int family, int fd,
                             const cp_datagram_callbacks *callbacks, void *owner)
{
  cp_datagram *datagram = malloc(sizeof(*datagram));

  if (datagram != NULL) {
    cp_owned_add(fd);
    if (fd != -1) {
      cp_fd_set_cloexec(fd);
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
  datagram->fd = cp_fd_close(datagram->fd);
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
  if (r == 0 && (flags & CP_DATAGRAM_REUSE_PORT) != 0) {
    r = cp_socket_set(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
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
  fd = cp_sys_socket(datagram->family, SOCK_DGRAM);
  if (fd < 0) {
    return fd;
  }
  r = bind_socket(fd, address, flags);
  if (r < 0) {
    cp_fd_close(fd);
    return r;
  }
  datagram->fd = fd;
  cp_owned_add(fd);
  return 0;
}

int cp_datagram_connect(cp_datagram *datagram, const cp_address *address)
{
  if (address == NULL) {
    return cp_sys_disconnect(datagram->fd);
  }
  if (address->as.any.sa_family != datagram->family) {
    return -EINVAL;
  }
  return connect(datagram->fd, &address->as.any, address->length) == -1 ? -errno : 0;
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
    /* Opened as borrowed, since other programs may share the socket. Every call here asks the
     * kernel not to wait, so the blocking mode does not matter. */
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

int cp_datagram_descriptor(const cp_datagram *datagram)
{
  return datagram->fd;
}

int cp_datagram_family(const cp_datagram *datagram)
{
  return datagram->family;
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

  if (address != NULL) {
    if (address->as.any.sa_family != datagram->family) {
      return -EINVAL;
    }
    message.msg_name = (void *)(uintptr_t)&address->as.any;
    message.msg_namelen = address->length;
  }
  return cp_sys_send_message(datagram->fd, &message);
}

/* The buffer is large enough for any datagram. */
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

/* Receives one datagram at a time: if a callback raises or closes the socket, the kernel still has
 * the rest. */
static void receive_some(cp_datagram *datagram)
{
  for (int i = 0;
       i < DATAGRAMS_PER_ITERATION && !datagram->closed && !cp_loop_is_interrupted(datagram->loop);
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

  CP_ASSERT(!datagram->active && !datagram->closed);
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
