/* A UDP socket on the loop.
 *
 * It queues nothing. Received datagrams go through the loop's shared buffer straight to the
 * callback, one by one. If the kernel has no room for a datagram, the caller keeps it and sends it
 * again later. */
#ifndef CP_DATAGRAM_H
#define CP_DATAGRAM_H

#include "core/loop/loop.h"
#include "core/loop/watch.h"
#include "core/net/address.h"

#include <sys/types.h>

typedef struct cp_datagram cp_datagram;

typedef struct cp_datagram_callbacks {
  /* A datagram of `n` bytes (0 is possible), which are valid until the next read on the loop. */
  void (*on_datagram)(cp_datagram *datagram, const char *data, size_t n, const cp_address *from);
  /* Receiving failed with this negative errno; the socket keeps receiving. On a connected socket it
   * may be the error of a datagram sent earlier, such as -ECONNREFUSED. */
  void (*on_error)(cp_datagram *datagram, int error);
  /* There is room for more. Called once for each cp_datagram_await_room. */
  void (*on_room)(cp_datagram *datagram);
} cp_datagram_callbacks;

struct cp_datagram {
  cp_loop *loop;
  const cp_datagram_callbacks *callbacks;
  void *owner; /* for the callbacks */
  cp_watch watch;
  int fd;     /* -1 until the socket is bound */
  int family; /* AF_INET or AF_INET6 */
  bool receiving;
  bool awaiting_room;
  bool referenced;
  bool active; /* a callback is running: closing must not free the memory */
  bool closed;
};

/* How a socket is bound. */
enum {
  /* Shares the address with other sockets that set this. */
  CP_DATAGRAM_REUSE_ADDRESS = 1,
  /* An IPv6 socket takes no IPv4 datagrams. */
  CP_DATAGRAM_IPV6_ONLY = 2,
  /* Shares the port with other sockets that set this; the kernel distributes the datagrams. */
  CP_DATAGRAM_REUSE_PORT = 4,
};

/* Returns AF_INET or AF_INET6 if the descriptor is a UDP socket, otherwise -EINVAL or another
 * negative errno. */
int cp_datagram_family_of(int fd);

/* Takes over `fd`, a UDP socket. If `fd` is -1, cp_datagram_bind makes the socket, and every other
 * call fails with -EBADF until then. Returns NULL when out of memory; then the caller still owns
 * the descriptor. */
cp_datagram *cp_datagram_new(cp_loop *loop, int family, int fd,
                             const cp_datagram_callbacks *callbacks, void *owner);

/* Closes the descriptor and frees the datagram socket; if a callback is running, frees it
 * afterwards. No other callback is called. Accepts NULL, returns NULL. */
cp_datagram *cp_datagram_close(cp_datagram *datagram);

/* Makes the socket, close-on-exec and non-blocking, and binds it; port 0 is any free one. May be
 * called again after a failure. Here and in the calls below an address of the other family is
 * -EINVAL. */
int cp_datagram_bind(cp_datagram *datagram, const cp_address *address, int flags);

/* From now on receives datagrams of this peer only, and sends to it by default. NULL undoes
 * that. */
int cp_datagram_connect(cp_datagram *datagram, const cp_address *address);

/* Starts receiving, until the socket is closed. */
int cp_datagram_receive(cp_datagram *datagram);

/* Sends one datagram to `address`, or to the peer if that is NULL, without waiting. Returns the
 * number of bytes, or a negative errno: -EAGAIN if there is no room. */
ssize_t cp_datagram_send(const cp_datagram *datagram, const char *data, size_t length,
                         const cp_address *address);

/* Calls on_room once when there is room. */
int cp_datagram_await_room(cp_datagram *datagram);

/* Sets whether the socket keeps the loop alive while it receives or waits for room. It does by
 * default. */
int cp_datagram_reference(cp_datagram *datagram, bool referenced);

/* The descriptor is -1 until the socket is bound. The family is AF_INET or AF_INET6. */
int cp_datagram_descriptor(const cp_datagram *datagram);
int cp_datagram_family(const cp_datagram *datagram);

/* Whether the socket is receiving or waiting for room, so that a callback can be called. */
bool cp_datagram_is_active(const cp_datagram *datagram);

#endif
