/* Descriptors that connect us to a child. */
#ifndef CP_PIPE_H
#define CP_PIPE_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

/* A pipe holds this much by default, and reading more at a time gains nothing. */
#define CP_READ_SIZE ((size_t)64 * 1024)

/* Makes a one-way pipe. Both ends are close-on-exec from birth; `ours` does not block, `theirs`
 * does. `writing` says whether ours is the end to write to. */
int cp_pipe_open(bool writing, int *ours, int *theirs);

/* Makes a two-way pipe (a pair of Unix stream sockets), with the same properties. */
int cp_pipe_open_duplex(int *ours, int *theirs);

/* Makes a socket that another program has left open for us close-on-exec. -ENOTSOCK, -EBADF if it is none. */
int cp_pipe_adopt(int fd);

/* Another descriptor of the same file, close-on-exec; or a negative errno. */
int cp_pipe_copy(int fd);

/* Closes the descriptor unless it is -1; returns -1. */
int cp_pipe_close(int fd);

/* In a list of the child's descriptors: a new pipe, which at fd 0 we write to and at 1 and 2 we read
 * from, and which goes both ways above; or one that goes both ways wherever it is. */
enum { CP_PIPE_NEW = -2, CP_PIPE_NEW_DUPLEX = -3 };

/* Puts the child's end of a new pipe in the place of each of these, and ours into `ours`, -1 where there
 * is none. If it fails, the pipes that were opened so far are in both lists. */
int cp_pipe_open_each(int *fds, int *ours, int count);

/* Close what that has opened; the child's ends first, which are known by ours. */
void cp_pipe_close_theirs(const int *fds, const int *ours, int count);
void cp_pipe_close_ours(int *ours, int count);

/* As writev(2), but returns a negative errno, goes on after EINTR, and never lets SIGPIPE reach the
 * program: a reader that has gone is -EPIPE. The signal's disposition is not touched. */
ssize_t cp_pipe_writev(int fd, const struct iovec *vector, int count);

/* Writes all of it under the same conditions, waiting for room where the descriptor does not block.
 * Returns 0 or a negative errno. */
int cp_pipe_write_all(int fd, const char *data, size_t length);

/* Makes more room in a pipe through which much goes. Does nothing where the system refuses. */
void cp_pipe_enlarge(int fd);

/* SIGPIPE is held back from this thread between the two calls, for system calls that may raise it
 * and have no flag against that. `raised` says whether it may have. */
typedef struct cp_pipe_guard {
  bool pending;
  bool blocked;
} cp_pipe_guard;
cp_pipe_guard cp_pipe_guard_enter(void);
void cp_pipe_guard_leave(cp_pipe_guard guard, bool raised);

#endif
