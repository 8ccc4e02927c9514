/* The limits on what a process may use, see getrlimit(2). */
#ifndef CP_SYS_LIMITS_H
#define CP_SYS_LIMITS_H

#include <stdint.h>

/* The value of a limit that does not limit anything. */
#define CP_SYS_UNLIMITED UINT64_MAX

typedef struct cp_sys_limit_name {
  const char *name; /* in lower case, without "RLIMIT_" */
  int resource;
} cp_sys_limit_name;

/* All limits of this system. Ends with a NULL name. */
extern const cp_sys_limit_name cp_sys_limit_names[];

/* Sets a limit of this process. A child may call it before it executes a program: see process.h.
 * Returns 0 or a negative errno. */
int cp_sys_set_limit(int resource, uint64_t soft, uint64_t hard);

/* Reads a limit of this process, in the unit of getrlimit(2); CP_SYS_UNLIMITED if there is none.
 * Returns 0 or a negative errno. */
int cp_sys_get_limit(int resource, uint64_t *soft, uint64_t *hard);

#endif
