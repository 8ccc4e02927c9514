/* The rule for the direction of a child's pipes, and opening and closing them. */
#include "core/process/stdio.h"

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/stream/pipe.h"

#include <sys/stat.h>
#include <unistd.h>

bool cp_stdio_is_pipe(const cp_stdio *entry)
{
  return entry->kind == CP_STDIO_PIPE || entry->kind == CP_STDIO_DUPLEX;
}

int cp_stdio_direction(cp_stdio_kind kind, int fd)
{
  CP_ASSERT(kind == CP_STDIO_PIPE || kind == CP_STDIO_DUPLEX);
  if (kind == CP_STDIO_DUPLEX || fd > STDERR_FILENO) {
    return CP_STDIO_BOTH;
  }
  return fd == STDIN_FILENO ? CP_STDIO_WRITE : CP_STDIO_READ;
}

static int open_pipe(cp_stdio *entry, int fd)
{
  int direction = cp_stdio_direction(entry->kind, fd);
  int r = direction == CP_STDIO_BOTH
              ? cp_pipe_open_duplex(&entry->ours, &entry->fd)
              : cp_pipe_open(direction == CP_STDIO_WRITE, &entry->ours, &entry->fd);

  if (r < 0) {
    entry->ours = -1;
    entry->fd = -1;
  }
  return r;
}

int cp_stdio_open_all(cp_stdio *entries, int count)
{
  int r = 0;

  for (int i = 0; i < count && r == 0; i++) {
    if (cp_stdio_is_pipe(&entries[i])) {
      CP_ASSERT(entries[i].fd == -1 && entries[i].ours == -1);
      r = open_pipe(&entries[i], i);
    }
  }
  return r;
}

void cp_stdio_close_theirs(cp_stdio *entries, int count)
{
  for (int i = 0; i < count; i++) {
    if (cp_stdio_is_pipe(&entries[i])) {
      entries[i].fd = cp_fd_close(entries[i].fd);
    }
  }
}

void cp_stdio_close_ours(cp_stdio *entries, int count)
{
  for (int i = 0; i < count; i++) {
    entries[i].ours = cp_fd_close(entries[i].ours);
  }
}

void cp_stdio_give_pipes(const cp_stdio *entries, int count, uid_t uid, gid_t gid)
{
  struct stat status;

  for (int i = 0; i < count; i++) {
    int fd = entries[i].fd;

    /* Both ends are one file, and ours stays open whatever its owner. If we may change our user but
     * not a file's owner, we give everybody access to the pipe: its only name is in /proc/PID/fd,
     * which only processes that may inspect one of the two processes can follow. */
    if (cp_stdio_is_pipe(&entries[i]) && fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) &&
        fchown(fd, uid, gid) == -1 && uid != (uid_t)-1) {
      fchmod(fd, 0666);
    }
  }
}
