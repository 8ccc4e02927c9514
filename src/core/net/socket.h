/* Makes, connects and accepts stream sockets, and sets their options. */
#ifndef CP_SOCKET_H
#define CP_SOCKET_H

#include "core/net/address.h"

#include <stdbool.h>

/* For sockets of any type. */

/* Call setsockopt(2), and getsockopt(2) for options that are numbers. Return 0 or a negative
 * errno. */
int cp_socket_set(int fd, int level, int option, const void *value, size_t size);
int cp_socket_get(int fd, int level, int option, int *value);

/* For stream sockets. */

/* How a socket is bound. Only for IP addresses. */
enum {
  CP_SOCKET_IPV6_ONLY = 1,  /* an IPv6 socket takes no IPv4 connections */
  CP_SOCKET_REUSE_PORT = 2, /* shares the address with other sockets that set this */
};

/* Makes a socket bound to the address. Returns the descriptor or a negative errno. */
int cp_socket_bind(const cp_address *address, int flags);

/* Lets up to `backlog` connections wait to be accepted. */
int cp_socket_listen(int fd, int backlog);

/* Whether the socket is in blocking mode. */
bool cp_socket_is_blocking(int fd);

/* Like cp_sys_accept, but for a socket that another program shares: never waits, even if that
 * program has made the socket blocking. */
int cp_socket_accept_shared(int fd);

/* Makes a socket, bound to `local` unless that is NULL, and starts to connect it. When the socket
 * becomes writable, cp_socket_take_error returns the result. Returns the descriptor, or a negative
 * errno with the name of the failed call in `*call`: "bind" or "connect". */
int cp_socket_connect(const cp_address *address, const cp_address *local, const char **call);

/* Returns and clears the pending error of the socket: 0 or a negative errno. */
int cp_socket_take_error(int fd);

/* Takes over a descriptor that other code has opened; it may be an end of a pipe. Sets
 * close-on-exec and O_NONBLOCK. Returns its access mode (O_RDONLY, O_WRONLY or O_RDWR); -EBADF if
 * another object owns the descriptor; or another negative errno, and then closes it. */
int cp_socket_adopt(int fd);

/* Whether the descriptor is a stream socket, a pipe or a terminal, rather than a file or device. */
bool cp_socket_is_connection(int fd);

/* Sends small writes at once instead of merging them (TCP_NODELAY). TCP only, like the next two. */
int cp_socket_no_delay(int fd, bool on);

/* Probes the connection after `seconds` without traffic; 0 is the system's default. */
int cp_socket_keep_alive(int fd, bool on, int seconds);

/* Makes closing the socket reset the connection, which drops unsent data. */
int cp_socket_reset_on_close(int fd);

#endif
