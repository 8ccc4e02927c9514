/* A UDP socket on the loop.
 *
 * Nothing is queued here. What comes goes through the loop's shared buffer straight to the callback, one
 * datagram after the other; sending takes what the kernel takes at once, and the caller keeps the rest until
 * there is room. */
#ifndef CP_DATAGRAM_H
#define CP_DATAGRAM_H

#include "address.h"
#include "loop.h"
#include "watch.h"

#include <sys/types.h>

typedef struct cp_datagram cp_datagram;

typedef struct cp_datagram_callbacks {
  /* A datagram of `n` bytes (0 is possible), which are valid until the next read on the loop. */
  void (*on_datagram)(cp_datagram *datagram, const char *data, size_t n, const cp_address *from);
  /* Receiving failed with this negative errno, and goes on. Connected sockets learn in this way that nobody
   * was there to get what they have sent. */
  void (*on_error)(cp_datagram *datagram, int error);
  /* There is room for more; comes once for each cp_datagram_await_room. */
  void (*on_room)(cp_datagram *datagram);
} cp_datagram_callbacks;

struct cp_datagram {
  cp_loop *loop;
  const cp_datagram_callbacks *callbacks;
  void *owner; /* for the callbacks' use */
  cp_watch watch;
  int fd;     /* -1 until it is bound */
  int family; /* AF_INET or AF_INET6 */
  bool receiving;
  bool awaiting_room;
  bool referenced;
  bool active; /* in a callback, which may close it */
  bool closed;
};

enum {
  CP_DATAGRAM_REUSE_ADDRESS = 1,
  CP_DATAGRAM_IPV6_ONLY = 2,
};

/* AF_INET or AF_INET6 if the descriptor is a UDP socket, else -EINVAL or another negative errno. */
int cp_datagram_family_of(int fd);

/* `fd` is a UDP socket, which is taken over; or -1, then cp_datagram_bind makes one, and until then every
 * other call is refused with -EBADF. NULL (and the descriptor stays the caller's) when there is no memory. */
cp_datagram *cp_datagram_new(cp_loop *loop, int family, int fd,
                             const cp_datagram_callbacks *callbacks, void *owner);

/* Closes the descriptor. No callback comes after, and the memory goes at once, or after the callback that is
 * running. Returns NULL. */
cp_datagram *cp_datagram_close(cp_datagram *datagram);

/* Makes the socket, close-on-exec and non-blocking, and binds it; port 0 is any that is free. After a failure
 * there is no socket, so it may be tried again. Addresses of the other family are -EINVAL, here and in the
 * calls below. */
int cp_datagram_bind(cp_datagram *datagram, const cp_address *address, int flags);

/* From now on only datagrams of this peer come, and sending needs no address; with NULL no longer. */
int cp_datagram_connect(cp_datagram *datagram, const cp_address *address);

/* Begins to receive, until it is closed. */
int cp_datagram_receive(cp_datagram *datagram);

/* Sends one datagram, without waiting, to `address`, or to the peer if that is NULL. Returns the number of
 * bytes, or -EAGAIN when there is no room. */
ssize_t cp_datagram_send(const cp_datagram *datagram, const char *data, size_t length,
                         const cp_address *address);

/* Asks for on_room. */
int cp_datagram_await_room(cp_datagram *datagram);

/* Whether it keeps the loop alive while it receives or waits for room, as it does at first. */
int cp_datagram_reference(cp_datagram *datagram, bool referenced);

/* Can a callback still come? */
bool cp_datagram_is_active(const cp_datagram *datagram);

#endif
