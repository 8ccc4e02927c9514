/* What differs between systems. Every function here does the same on all of them.
 *
 * The files of sys/linux implement it with what only Linux has, those of sys/posix with what every
 * POSIX system has. The Makefile compiles one of the two (SYS). No other file of the core or the
 * binding makes a call that some systems lack, except for loop/poller_epoll.c, which is compiled
 * for Linux only. Nothing in this folder knows any other part of the core. sys/process.h makes
 * processes and waits for them; sys/own_process.h is about this process.
 *
 * Functions that can fail return 0, a count or a descriptor on success and a negative errno on
 * failure. They retry after EINTR. */
#ifndef CP_SYS_H
#define CP_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Descriptors. These functions make them close-on-exec: on Linux with the same system call,
 * elsewhere with a second one. Our own children inherit none in between, since they close
 * everything that they are not given. */

/* Makes a pipe: `ends[0]` is the end to read, `ends[1]` the end to write. Both block. */
int cp_sys_pipe(int ends[2]);

/* Makes a pair of connected Unix stream sockets. Both block. */
int cp_sys_socket_pair(int ends[2]);

/* Opens a new pseudo-terminal: `ours` is the end that controls it, `theirs` the terminal itself.
 * Both block, and neither becomes the controlling terminal of this process. */
int cp_sys_open_terminal(int *ours, int *theirs);

/* Makes an empty file that has no name: in memory if the system can, otherwise in /tmp. */
int cp_sys_open_unnamed(void);

/* Makes `fd` refer to the file of `by`, as dup2(by, fd) does. The two must differ. */
int cp_sys_replace(int fd, int by);

/* Opens a directory to look up files in it. On some systems this needs no permission to list it. */
int cp_sys_open_directory(const char *path);

/* Like read(2) and writev(2), but return -EAGAIN instead of waiting, whether or not the descriptor
 * blocks. If the system or the descriptor's driver cannot do that, they do nothing and return
 * -ENOSYS, -EOPNOTSUPP or -EINVAL. */
ssize_t cp_sys_read_nowait(int fd, void *data, size_t size);
ssize_t cp_sys_writev_nowait(int fd, const struct iovec *vector, int count);

/* Enlarges a pipe that holds less than `size` bytes. Does nothing if the system refuses. */
void cp_sys_enlarge_pipe(int fd, int size);

/* Moves up to `size` bytes from one descriptor to another inside the kernel, without waiting. One
 * of the two must be a pipe. Returns -ENOSYS or -EINVAL if the kernel cannot do it for these
 * two. */
ssize_t cp_sys_splice(int from, int to, size_t size);

/* Copies up to `size` bytes of one pipe to another in the same way. They can still be read from the
 * first. */
ssize_t cp_sys_tee(int from, int to, size_t size);

/* Sockets. */

/* Returns a new socket, non-blocking. */
int cp_sys_socket(int family, int type);

/* Accepts the next connection. Returns its descriptor, which is non-blocking. */
int cp_sys_accept(int fd);

/* Like send(2) and sendmsg(2), but never wait, and never raise SIGPIPE. */
ssize_t cp_sys_send(int socket, const void *data, size_t length);
ssize_t cp_sys_send_message(int socket, const struct msghdr *message);

/* The same for several pieces, which it sends as one message. */
ssize_t cp_sys_send_vector(int socket, const struct iovec *vector, int count);

/* Receives into `room` without waiting. `*fd` is the descriptor that came with the bytes, or -1; if
 * there were several the others are closed. */
ssize_t cp_sys_receive(int socket, const struct iovec *room, int *fd);

/* Whether an IP datagram socket uses UDP. Returns true if the system does not report the
 * protocol. */
bool cp_sys_is_udp(int fd);

/* Dissolves the connection of a datagram socket. */
int cp_sys_disconnect(int fd);

/* Sets when TCP probes a silent connection: first after `idle` seconds, then every `interval`
 * seconds, at most `count` times. */
int cp_sys_keep_alive(int fd, int idle, int interval, int count);

/* Threads and time. */

/* Returns the stack size to request so that a thread can use `needed` bytes of it. 0 means the
 * system's default. */
size_t cp_sys_stack_size(size_t needed);

/* Drops this signal if it is pending for this thread, which blocks it. */
void cp_sys_drop_signal(int signum);

/* Returns the nanoseconds of a monotonic clock that is exact to a few milliseconds. */
uint64_t cp_sys_coarse_time(void);

/* An alarm has a descriptor that is readable from a time on. After fork(2) it is shared with the
 * forked process, which can only close it. */
typedef struct cp_sys_alarm cp_sys_alarm;

/* Makes an alarm that is not set. */
int cp_sys_alarm_open(cp_sys_alarm **alarm);

int cp_sys_alarm_descriptor(const cp_sys_alarm *alarm);

/* Sets the alarm to `timeout` milliseconds from now, or to no time with -1. It is not readable
 * until then, except that it may become readable once for a time that was set before. */
void cp_sys_alarm_set(cp_sys_alarm *alarm, int timeout);

/* Returns NULL. Does nothing if the alarm is NULL. */
cp_sys_alarm *cp_sys_alarm_close(cp_sys_alarm *alarm);

#endif
