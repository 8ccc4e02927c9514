/* Looks up users and groups by name. */
#ifndef CP_USERS_H
#define CP_USERS_H

#include <sys/types.h>

/* Store the id. Return 1, 0 if there is no such user or group, or a negative errno. The lookup may
 * wait for a server of the network, depending on how the system is configured. */
int cp_user_find(const char *name, uid_t *uid);
int cp_group_find(const char *name, gid_t *gid);

#endif
