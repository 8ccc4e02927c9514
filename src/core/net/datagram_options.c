/* Maps each option to its level and name for IPv4 and for IPv6. */
#include "core/net/datagram_options.h"

#include "core/net/socket.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <sys/socket.h>

typedef struct option_name {
  int level4, name4;
  int level6, name6;
  int least, most;
} option_name;

static const option_name names[] = {
    [CP_DATAGRAM_BROADCAST] = {SOL_SOCKET, SO_BROADCAST, SOL_SOCKET, SO_BROADCAST, 0, 1},
    [CP_DATAGRAM_TTL] = {IPPROTO_IP, IP_TTL, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 1, 255},
    [CP_DATAGRAM_MULTICAST_TTL] = {IPPROTO_IP, IP_MULTICAST_TTL, IPPROTO_IPV6, IPV6_MULTICAST_HOPS,
                                   0, 255},
    [CP_DATAGRAM_MULTICAST_LOOPBACK] = {IPPROTO_IP, IP_MULTICAST_LOOP, IPPROTO_IPV6,
                                        IPV6_MULTICAST_LOOP, 0, 1},
    [CP_DATAGRAM_RECEIVE_BUFFER] = {SOL_SOCKET, SO_RCVBUF, SOL_SOCKET, SO_RCVBUF, 1, INT_MAX},
    [CP_DATAGRAM_SEND_BUFFER] = {SOL_SOCKET, SO_SNDBUF, SOL_SOCKET, SO_SNDBUF, 1, INT_MAX},
};

int cp_datagram_set(const cp_datagram *datagram, cp_datagram_option option, int value)
{
  const option_name *name = &names[option];
  bool v6 = datagram->family == AF_INET6;

  if (value < name->least || value > name->most) {
    return -EINVAL;
  }
  return cp_socket_set(datagram->fd, v6 ? name->level6 : name->level4,
                       v6 ? name->name6 : name->name4, &value, sizeof(value));
}

int cp_datagram_get(const cp_datagram *datagram, cp_datagram_option option, int *value)
{
  const option_name *name = &names[option];
  bool v6 = datagram->family == AF_INET6;

  return cp_socket_get(datagram->fd, v6 ? name->level6 : name->level4,
                       v6 ? name->name6 : name->name4, value);
}

static bool other_family(const cp_datagram *datagram, const cp_address *address)
{
  return address != NULL && address->as.any.sa_family != datagram->family;
}

int cp_datagram_membership(const cp_datagram *datagram, bool join, const cp_address *group,
                           const cp_address *interface)
{
  if (other_family(datagram, group) || other_family(datagram, interface)) {
    return -EINVAL;
  }
  if (datagram->family == AF_INET) {
    struct ip_mreq request = {.imr_multiaddr = group->as.v4.sin_addr};

    if (interface != NULL) {
      request.imr_interface = interface->as.v4.sin_addr;
    }
    return cp_socket_set(datagram->fd, IPPROTO_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP,
                         &request, sizeof(request));
  }
  struct ipv6_mreq request = {
      .ipv6mr_multiaddr = group->as.v6.sin6_addr,
      .ipv6mr_interface = interface != NULL ? interface->as.v6.sin6_scope_id : 0,
  };
  return cp_socket_set(datagram->fd, IPPROTO_IPV6, join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP,
                       &request, sizeof(request));
}

int cp_datagram_multicast_interface(const cp_datagram *datagram, const cp_address *interface)
{
  if (other_family(datagram, interface)) {
    return -EINVAL;
  }
  if (datagram->family == AF_INET) {
    return cp_socket_set(datagram->fd, IPPROTO_IP, IP_MULTICAST_IF, &interface->as.v4.sin_addr,
                         sizeof(interface->as.v4.sin_addr));
  }
  return cp_socket_set(datagram->fd, IPPROTO_IPV6, IPV6_MULTICAST_IF,
                       &interface->as.v6.sin6_scope_id, sizeof(interface->as.v6.sin6_scope_id));
}
