/* Stream sockets: making, connecting and accepting them, and what can be set on them. */
#ifndef CP_SOCKET_H
#define CP_SOCKET_H

#include "address.h"

#include <stdbool.h>

/* For sockets of any type. */

/* A new socket, close-on-exec and non-blocking from birth, or a negative errno. */
int cp_socket_new(int family, int type);

/* setsockopt(2), and getsockopt(2) for options that are numbers. 0 or a negative errno. */
int cp_socket_set(int fd, int level, int option, const void *value, size_t size);
int cp_socket_get(int fd, int level, int option, int *value);

/* For stream sockets. */

/* A new socket that is bound to the address. An IPv6 one takes IPv4 connections too, unless
 * `ipv6_only`. Returns the descriptor or a negative errno. */
int cp_socket_bind(const cp_address *address, bool ipv6_only);

/* Lets up to `backlog` connections wait to be accepted. */
int cp_socket_listen(int fd, int backlog);

/* Takes the next connection. Returns its descriptor, -EAGAIN when there is none, or another negative
 * errno. */
int cp_socket_accept(int fd);

/* A new socket, bound to `local` unless that is NULL, that begins to connect. When it can be written
 * to, cp_socket_error tells how that went. Returns the descriptor or a negative errno; then `*call`
 * is what failed: "bind" or "connect". */
int cp_socket_connect(const cp_address *address, const cp_address *local, const char **call);

/* What has happened to the socket since it was last asked: 0 or a negative errno. */
int cp_socket_error(int fd);

/* Makes a descriptor from elsewhere close-on-exec and non-blocking. Returns how it can be used, O_RDONLY,
 * O_WRONLY or O_RDWR (it may be one end of a pipe), or a negative errno. */
int cp_socket_adopt(int fd);

/* Whether the descriptor connects us with somebody: a stream socket, a pipe or a terminal, and no file
 * or device. */
bool cp_socket_is_connection(int fd);

/* Sends small pieces at once instead of gathering them. TCP only, as the next two. */
int cp_socket_no_delay(int fd, bool on);

/* Asks the other end for a sign of life after so many seconds of silence; 0 is the system's time. */
int cp_socket_keep_alive(int fd, bool on, int seconds);

/* Closing it will be a reset for the other end, and what was not sent yet is dropped. */
int cp_socket_reset_on_close(int fd);

#endif
