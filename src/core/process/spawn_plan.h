/* The tables that a child needs to start a program, made before the child exists.
 *
 * A child that shares our memory must not allocate, so the parent prepares all tables for it, and
 * the child only makes system calls. */
#ifndef CP_SPAWN_PLAN_H
#define CP_SPAWN_PLAN_H

#include "core/process/spawn_options.h"

typedef struct cp_spawn_plan {
  const cp_spawn_options *options;
  int *fds;          /* for each of options->stdio, our descriptor or -1; the child changes it */
  int *guard_fd;     /* the entry after these: the pipe to the guard, or -1 (see guard.h) */
  int *terminal_fd;  /* the entry after that: the child's terminal, or -1 */
  int fd_count;      /* of all these entries */
  char **candidates; /* paths to try one after the other, ends with NULL */
  char **shell_args; /* for the arguments of /bin/sh with a script: two more than options->args */
  char *const *env;
  pid_t parent;             /* this process */
  char *guard_line;         /* the child's line in the table of the guard, if there is one */
  int report_fd;            /* the child reports a failure to it unless it is -1 */
  cp_spawn_failure failure; /* the result */
} cp_spawn_plan;

/* Makes a plan for a program whose pipes are open. `null` is a descriptor of /dev/null. Returns 0,
 * or -ENOMEM and leaves nothing to free. */
int cp_spawn_plan_init(cp_spawn_plan *plan, const cp_spawn_options *options, int null);
void cp_spawn_plan_free(cp_spawn_plan *plan);

#endif
