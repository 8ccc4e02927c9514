/* What can be set on a UDP socket, in one way for IPv4 and IPv6. All of it needs a socket that is bound, and
 * returns 0 or a negative errno. */
#ifndef CP_DATAGRAM_OPTIONS_H
#define CP_DATAGRAM_OPTIONS_H

#include "datagram.h"

typedef enum cp_datagram_option {
  CP_DATAGRAM_BROADCAST,
  CP_DATAGRAM_TTL,                /* 1 to 255 */
  CP_DATAGRAM_MULTICAST_TTL,      /* 0 to 255 */
  CP_DATAGRAM_MULTICAST_LOOPBACK, /* do our own datagrams to a group come back to this machine? */
  CP_DATAGRAM_RECEIVE_BUFFER,     /* bytes; the kernel doubles what is set */
  CP_DATAGRAM_SEND_BUFFER,
} cp_datagram_option;

/* -EINVAL for values out of range. */
int cp_datagram_set(const cp_datagram *datagram, cp_datagram_option option, int value);
int cp_datagram_get(const cp_datagram *datagram, cp_datagram_option option, int *value);

/* Joins or leaves a multicast group, on the interface with the address `interface` (of an IPv6 address only
 * the zone counts), or on one that the kernel chooses if that is NULL. */
int cp_datagram_membership(const cp_datagram *datagram, bool join, const cp_address *group,
                           const cp_address *interface);

/* Where datagrams to multicast groups leave the machine. */
int cp_datagram_multicast_interface(const cp_datagram *datagram, const cp_address *interface);

#endif
