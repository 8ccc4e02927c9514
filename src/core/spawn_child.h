/* The child's side of starting a program: everything between being born and executing.
 *
 * It runs in the parent's memory while the parent's thread stands still, so it may call nothing
 * that is not async-signal-safe, and what it writes the parent finds. */
#ifndef CP_SPAWN_CHILD_H
#define CP_SPAWN_CHILD_H

#include "spawn.h"

/* On the functions there that do not return, or call such: the address sanitizer wants to tidy up the
 * stack then, and does not know the child's. */
#if defined(__GNUC__)
#define CP_ON_CHILD_STACK __attribute__((no_sanitize("address")))
#else
#define CP_ON_CHILD_STACK
#endif

typedef struct cp_spawn_plan {
  const cp_spawn_options *options;
  int *fds;          /* as options->fds, all of them real ones or -1; the child changes it */
  char **candidates; /* paths to try in turn, ends with NULL */
  char **shell_args; /* room for two more than options->args: how /bin/sh runs a script */
  char *const *env;
  int keep_below; /* shares the parent's table until it has copied this many entries; 0: owns
                           its table from birth */
  int report_fd;  /* writes the error there if this is not -1 */
  /* Results. */
  int error;           /* negative errno of the step that failed, else 0 */
  bool cannot_unshare; /* nothing was done: the system lacks what keep_below asks for */
} cp_spawn_plan;

/* Does all that `plan` (a cp_spawn_plan) says; does not return. The signature is clone(2)'s. */
CP_ON_CHILD_STACK int cp_spawn_child(void *plan);

#endif
