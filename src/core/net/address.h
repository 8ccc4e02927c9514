/* The address of a socket: an IPv4 or IPv6 address with a port, or the path of a Unix socket. */
#ifndef CP_ADDRESS_H
#define CP_ADDRESS_H

#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

typedef struct cp_address {
  socklen_t length;
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
  } as;
} cp_address;

/* Room for the text of any address, with the zone of an IPv6 address. */
enum { CP_ADDRESS_SIZE = sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1 };

/* Parses an address in digits: "127.0.0.1", "::1", "fe80::1%eth0". Returns 0, or -EINVAL for
 * anything else. */
int cp_address_parse(cp_address *address, const char *text, int port);

/* Makes an address of a path. A path that starts with a zero byte is an abstract name, without a
 * file. Returns 0, or -ENAMETOOLONG or -EINVAL if it cannot be the path of a socket. */
int cp_address_of_path(cp_address *address, const char *path, size_t length);

/* Writes the address in digits, or the path. Returns its length; 0 for an unnamed Unix socket. */
size_t cp_address_text(const cp_address *address, char text[CP_ADDRESS_SIZE]);

/* Returns 4 or 6; 0 for a path. */
int cp_address_family(const cp_address *address);

/* Returns 0 for a path. */
int cp_address_port(const cp_address *address);

/* Store the address of this end of a socket, and of the other end. Return 0 or a negative errno. */
int cp_address_of_socket(cp_address *address, int fd);
int cp_address_of_peer(cp_address *address, int fd);

#endif
