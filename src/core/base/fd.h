/* Descriptors of any kind: closing, copying, reading and writing them. */
#ifndef CP_FD_H
#define CP_FD_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

/* The default capacity of a pipe. Reading more than this at a time gains nothing. */
#define CP_READ_SIZE ((size_t)64 * 1024)

/* Closes the descriptor unless it is -1; returns -1. Removes it from the owned descriptors
 * (owned.h). */
int cp_fd_close(int fd);

/* Duplicates the descriptor. Returns the copy, which is close-on-exec, or a negative errno. */
int cp_fd_copy(int fd);

/* Sets close-on-exec on a descriptor that other code has opened. Returns 0 or a negative errno. */
int cp_fd_set_cloexec(int fd);

bool cp_fd_is_socket(int fd);

/* Like writev(2), but returns a negative errno, retries after EINTR, and never raises SIGPIPE: if
 * the other end is closed, it returns -EPIPE. */
ssize_t cp_fd_writev(int fd, const struct iovec *vector, int count);

/* The same, but never waits for room, even if another program has made the descriptor blocking. */
ssize_t cp_fd_writev_nowait(int fd, const struct iovec *vector, int count);

/* Writes all of the data like cp_fd_writev, and waits for room even if the descriptor is
 * non-blocking. Returns 0 or a negative errno. */
int cp_fd_write_all(int fd, const char *data, size_t length);

/* Like read(2), but returns a negative errno, retries after EINTR, and never waits, even if another
 * program has made the descriptor blocking. Not for regular files. */
ssize_t cp_fd_read_nowait(int fd, void *data, size_t size);

#endif
