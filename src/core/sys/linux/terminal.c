/* Opens a pseudo-terminal through its multiplexer. The other end is opened through ours, so it
 * needs no path: the terminals of another namespace may be mounted at /dev/pts, or none. */
#include "core/sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef TIOCGPTPEER /* Linux 4.13 */
#define TIOCGPTPEER _IO('T', 0x41)
#endif

enum { FLAGS = O_RDWR | O_NOCTTY | O_CLOEXEC };

/* Opens the other end by its path, for old kernels and some sandboxes. */
static int open_path(int ours)
{
  char path[32];
  unsigned number = 0;
  int fd = -1;

  if (ioctl(ours, TIOCGPTN, &number) == -1) {
    return -errno;
  }
  (void)snprintf(path, sizeof(path), "/dev/pts/%u", number);
  fd = open(path, FLAGS);
  return fd == -1 ? -errno : fd;
}

static int open_other_end(int ours)
{
  int unlocked = 0;
  int fd = -1;

  if (ioctl(ours, TIOCSPTLCK, &unlocked) == -1) {
    return -errno;
  }
  fd = ioctl(ours, TIOCGPTPEER, FLAGS);
  if (fd >= 0) {
    return fd;
  }
  return errno == EMFILE || errno == ENFILE ? -errno : open_path(ours);
}

int cp_sys_open_terminal(int *ours, int *theirs)
{
  int fd = open("/dev/ptmx", FLAGS);
  int r = 0;

  if (fd == -1) {
    return -errno;
  }
  r = open_other_end(fd);
  if (r < 0) {
    close(fd);
    return r;
  }
  *ours = fd;
  *theirs = r;
  return 0;
}
