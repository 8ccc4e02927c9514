/* Converts between addresses and their texts, by libuv, which knows the zones of IPv6. */
#include "core/net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <uv.h>

int cp_address_parse(cp_address *address, const char *text, int port)
{
  if (uv_ip4_addr(text, port, &address->as.v4) == 0) {
    address->length = sizeof(address->as.v4);
  } else if (uv_ip6_addr(text, port, &address->as.v6) == 0) {
    address->length = sizeof(address->as.v6);
  } else {
    return -EINVAL;
  }
  return 0;
}

int cp_address_of_path(cp_address *address, const char *path, size_t length)
{
  struct sockaddr_un *local = &address->as.local;

  if (length == 0 || (path[0] != '\0' && memchr(path, '\0', length) != NULL)) {
    return -EINVAL;
  }
  if (length >= sizeof(local->sun_path)) {
    return -ENAMETOOLONG;
  }
  memset(local, 0, sizeof(*local));
  local->sun_family = AF_UNIX;
  memcpy(local->sun_path, path, length);
  /* The path of a file includes the zero at its end, an abstract name does not. */
  address->length =
      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (path[0] != '\0' ? 1 : 0));
  return 0;
}

static size_t path_text(const cp_address *address, char *text)
{
  const char *path = address->as.local.sun_path;
  size_t start = offsetof(struct sockaddr_un, sun_path);
  size_t length = address->length > start ? address->length - start : 0;

  if (length > 0 && path[0] != '\0') {
    length = strnlen(path, length);
  }
  memcpy(text, path, length);
  return length;
}

size_t cp_address_text(const cp_address *address, char text[CP_ADDRESS_SIZE])
{
  int family = address->as.any.sa_family;
  const struct sockaddr_in6 *v6 = &address->as.v6;
  char zone[UV_IF_NAMESIZE];
  size_t zone_length = sizeof(zone);
  size_t length = 0;

  if (family == AF_UNIX) {
    return path_text(address, text);
  }
  if (family == AF_INET) {
    uv_ip4_name(&address->as.v4, text, CP_ADDRESS_SIZE);
    return strlen(text);
  }
  uv_ip6_name(v6, text, CP_ADDRESS_SIZE);
  length = strlen(text);
  if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) && v6->sin6_scope_id != 0 &&
      uv_if_indextoiid(v6->sin6_scope_id, zone, &zone_length) == 0) {
    text[length] = '%';
    memcpy(text + length + 1, zone, zone_length);
    length += 1 + zone_length;
  }
  return length;
}

int cp_address_family(const cp_address *address)
{
  switch (address->as.any.sa_family) {
    case AF_INET: return 4;
    case AF_INET6: return 6;
    default: return 0;
  }
}

int cp_address_port(const cp_address *address)
{
  switch (address->as.any.sa_family) {
    case AF_INET: return ntohs(address->as.v4.sin_port);
    case AF_INET6: return ntohs(address->as.v6.sin6_port);
    default: return 0;
  }
}

int cp_address_of_socket(cp_address *address, int fd)
{
  address->length = sizeof(address->as);
  return getsockname(fd, &address->as.any, &address->length) == -1 ? -errno : 0;
}

int cp_address_of_peer(cp_address *address, int fd)
{
  address->length = sizeof(address->as);
  return getpeername(fd, &address->as.any, &address->length) == -1 ? -errno : 0;
}
