/* Asks the C library's databases, with a buffer that grows until the entry fits. */
#include "core/process/users.h"

#include "core/loop/fork.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>

enum { FIRST_SIZE = 1024, LARGEST_SIZE = 16 * 1024 * 1024 };

/* Looks up a name. Returns the error of the database, 0 for an unknown name, too, for which it sets
 * `*found` to false. */
typedef int look_up(const char *name, id_t *id, bool *found, char *buffer, size_t size);

static int look_up_user(const char *name, id_t *id, bool *found, char *buffer, size_t size)
{
  struct passwd entry;
  struct passwd *result = NULL;
  int error = getpwnam_r(name, &entry, buffer, size, &result);

  *found = result != NULL;
  *id = *found ? result->pw_uid : 0;
  return error;
}

static int look_up_group(const char *name, id_t *id, bool *found, char *buffer, size_t size)
{
  struct group entry;
  struct group *result = NULL;
  int error = getgrnam_r(name, &entry, buffer, size, &result);

  *found = result != NULL;
  *id = *found ? result->gr_gid : 0;
  return error;
}

/* Databases report an unknown name in different ways, see getpwnam(3). */
static bool means_unknown(int error)
{
  return error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
}

static int find(look_up *look, const char *name, id_t *id)
{
  int error = ERANGE;
  bool found = false;

  for (size_t size = FIRST_SIZE; error == ERANGE && size <= LARGEST_SIZE; size *= 4) {
    char *buffer = malloc(size);

    if (buffer == NULL) {
      return -ENOMEM;
    }
    do {
      cp_fork_delay();
      error = look(name, id, &found, buffer, size);
      cp_fork_delay_end();
    } while (error == EINTR);
    free(buffer);
  }
  return found ? 1 : means_unknown(error) ? 0 : -error;
}

int cp_user_find(const char *name, uid_t *uid)
{
  id_t id = 0;
  int r = find(look_up_user, name, &id);

  *uid = (uid_t)id;
  return r;
}

int cp_group_find(const char *name, gid_t *gid)
{
  id_t id = 0;
  int r = find(look_up_group, name, &id);

  *gid = (gid_t)id;
  return r;
}
