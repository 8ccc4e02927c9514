/* Options of a UDP socket, the same for IPv4 and IPv6. The socket must be bound. All functions
 * return 0 or a negative errno. */
#ifndef CP_DATAGRAM_OPTIONS_H
#define CP_DATAGRAM_OPTIONS_H

#include "core/net/datagram.h"

typedef enum cp_datagram_option {
  CP_DATAGRAM_BROADCAST,
  CP_DATAGRAM_TTL,                /* 1 to 255 */
  CP_DATAGRAM_MULTICAST_TTL,      /* 0 to 255 */
  CP_DATAGRAM_MULTICAST_LOOPBACK, /* our datagrams to a group also come back to us */
  CP_DATAGRAM_RECEIVE_BUFFER,     /* bytes; the kernel doubles the value */
  CP_DATAGRAM_SEND_BUFFER,
} cp_datagram_option;

/* Setting a value out of range is -EINVAL. */
int cp_datagram_set(const cp_datagram *datagram, cp_datagram_option option, int value);
int cp_datagram_get(const cp_datagram *datagram, cp_datagram_option option, int *value);

/* Joins or leaves a multicast group on the interface with the address `interface`; for IPv6 only
 * the zone of that address matters. If `interface` is NULL, the kernel chooses one. */
int cp_datagram_membership(const cp_datagram *datagram, bool join, const cp_address *group,
                           const cp_address *interface);

/* Sets the interface that sends our datagrams to multicast groups. */
int cp_datagram_multicast_interface(const cp_datagram *datagram, const cp_address *interface);

#endif
