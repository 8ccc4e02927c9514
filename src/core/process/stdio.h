/* The child's descriptors: where each of them leads, and the pipes for those that need one.
 *
 * In a list of entries, number i is for the child's descriptor i. */
#ifndef CP_STDIO_H
#define CP_STDIO_H

#include <stdbool.h>
#include <sys/types.h>

typedef enum cp_stdio_kind {
  CP_STDIO_IGNORE,     /* /dev/null at 0 to 2, closed from 3 on */
  CP_STDIO_DESCRIPTOR, /* a copy of a descriptor of ours */
  CP_STDIO_PIPE,       /* a new pipe, one-way or two-way: see cp_stdio_direction */
  CP_STDIO_DUPLEX,     /* a new two-way pipe at any number */
  CP_STDIO_TERMINAL,   /* the child's terminal, which the list of entries does not own */
  CP_STDIO_CHILD_FD,   /* what the child's descriptor `fd` is, whose entry is of another kind */
} cp_stdio_kind;

typedef struct cp_stdio {
  cp_stdio_kind kind;
  int fd;   /* the descriptor to copy, or the child's; of a pipe, its end once it is open */
  int ours; /* our end of a pipe while it is open, otherwise -1 */
} cp_stdio;

/* The directions of our end of a pipe. */
enum { CP_STDIO_READ = 1, CP_STDIO_WRITE = 2, CP_STDIO_BOTH = CP_STDIO_READ | CP_STDIO_WRITE };

/* Whether the entry is a pipe, of either kind. */
bool cp_stdio_is_pipe(const cp_stdio *entry);

/* Returns the direction of a pipe at the child's descriptor `fd`: we write to 0, read from 1 and 2,
 * and do both from 3 on. */
int cp_stdio_direction(cp_stdio_kind kind, int fd);

/* Opens all pipes of the list. Returns 0 or a negative errno; after a failure the pipes opened so
 * far stay open. */
int cp_stdio_open_all(cp_stdio *entries, int count);

/* Close the child's ends, and ours, of the pipes that are open. */
void cp_stdio_close_theirs(cp_stdio *entries, int count);
void cp_stdio_close_ours(cp_stdio *entries, int count);

/* Gives the open pipes to this user and group, so that the child may open /dev/stdin and the like;
 * -1 keeps the current one. Skips sockets, which nobody can open. */
void cp_stdio_give_pipes(const cp_stdio *entries, int count, uid_t uid, gid_t gid);

#endif
