/* Reserves descriptors of /dev/null, and makes them refer to other files during a start. */
#include "core/process/parking.h"

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/base/owned.h"
#include "core/sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
  /* Descriptors below this number are not parked: copying one into the child and closing it there
   * costs only about 0.1 us. */
  LOW = 64,
  /* If the program may have at most this many descriptors, it needs them more than the places. */
  FEW = 4 * LOW,
};

void cp_parking_init(cp_parking *parking)
{
  parking->null = -1;
  for (int i = 0; i < CP_PARKING_PLACES; i++) {
    parking->places[i] = -1;
  }
}

int cp_parking_reserve(cp_parking *parking)
{
  struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
  int r = 0;

  CP_ASSERT(!cp_parking_is_reserved(parking));
  getrlimit(RLIMIT_NOFILE, &limit);
  parking->null = open("/dev/null", O_RDWR | O_CLOEXEC);
  r = parking->null == -1 ? -errno : 0;
  cp_owned_add(parking->null);
  for (int i = 0; i < CP_PARKING_PLACES && r == 0 && limit.rlim_cur > FEW; i++) {
    parking->places[i] = fcntl(parking->null, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    r = parking->places[i] == -1 ? -errno : 0;
    cp_owned_add(parking->places[i]);
  }
  if (r < 0) {
    cp_parking_release(parking);
  }
  return r;
}

void cp_parking_release(cp_parking *parking)
{
  parking->null = cp_fd_close(parking->null);
  for (int i = 0; i < CP_PARKING_PLACES; i++) {
    parking->places[i] = cp_fd_close(parking->places[i]);
  }
}

bool cp_parking_is_reserved(const cp_parking *parking)
{
  return parking->null != -1;
}

/* Replaces each use of `fd` by `parked`. */
static void replace(int *fds, int count, int fd, int parked)
{
  for (int i = 0; i < count; i++) {
    if (fds[i] == fd) {
      fds[i] = parked;
    }
  }
}

int cp_parking_enter(cp_parking *parking, int *fds, int count)
{
  int taken = 0;

  for (int i = 0; i < count && taken < CP_PARKING_PLACES; i++) {
    int fd = fds[i];

    if (fd >= LOW && parking->places[taken] != -1 &&
        cp_sys_replace(parking->places[taken], fd) == 0) {
      replace(fds, count, fd, parking->places[taken]);
      taken++;
    }
  }
  return taken;
}

void cp_parking_leave(cp_parking *parking, int taken)
{
  CP_ASSERT(taken <= CP_PARKING_PLACES);
  while (taken > 0) {
    cp_sys_replace(parking->places[--taken], parking->null);
  }
}
