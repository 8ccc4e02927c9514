/* Lists /dev/fd, since a walk over all numbers that the limit allows may take long. A starting
 * child must not do that itself, since reading a directory allocates. */
#include "core/sys/posix/open_descriptors.h"

#include <dirent.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>

enum {
  /* Other threads may open descriptors between the listing and the fork. New ones get the lowest
   * free numbers. */
  ROOM = 256,
  /* Used if the system sets no limit, or a higher one. */
  MOST = 1024 * 1024,
};

/* All threads use what the last one has recorded. */
static atomic_int end;

/* Returns the highest number in the listing, or -1 if this is not a listing of our descriptors:
 * then it lacks the descriptor through which we read it. */
static int highest_listed(void)
{
  DIR *directory = opendir("/dev/fd");
  const struct dirent *entry = NULL;
  bool is_complete = false;
  int highest = -1;

  if (directory == NULL) {
    return -1;
  }
  while ((entry = readdir(directory)) != NULL) {
    long fd = entry->d_name[0] == '.' ? -1 : strtol(entry->d_name, NULL, 10);

    highest = fd > highest && fd < INT_MAX ? (int)fd : highest;
    is_complete = is_complete || fd == dirfd(directory);
  }
  closedir(directory);
  return is_complete ? highest : -1;
}

static int limit(void)
{
  struct rlimit files;

  return getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < MOST ? (int)files.rlim_cur
                                                                        : MOST;
}

void cp_open_descriptors_note(void)
{
  int highest = highest_listed();

  atomic_store(&end, highest == -1 ? limit() : highest + 1 + ROOM);
}

int cp_open_descriptors_end(void)
{
  return atomic_load(&end);
}
