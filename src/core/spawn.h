/* Starting a program.
 *
 * The child shares our memory until it executes the program, as with vfork(2), so that starting
 * costs the same however large we are; and it drops our descriptor table for a copy of the few
 * entries that it needs, so that it costs the same however many descriptors are open. Both have a
 * fallback that is chosen when the system cannot do it: fork(2) with a pipe that reports the error,
 * and a walk over the open descriptors. */
#ifndef CP_SPAWN_H
#define CP_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

typedef struct cp_spawner cp_spawner;

/* In cp_spawn_options.fds: the child gets /dev/null at fds 0 to 2, nothing at 3 and above. */
enum { CP_SPAWN_IGNORE = -1 };

typedef struct cp_spawn_options {
  const char *file;         /* looked up in PATH (that of `env`, if given) unless it has a slash */
  char *const *args;        /* with argv[0], ends with NULL */
  char *const *env;         /* "KEY=value", ends with NULL; NULL: our own environment */
  const char *cwd;          /* NULL: our own */
  const int *fds;           /* the child's fd i is a copy of ours at fds[i] */
  int fd_count;             /* all others are closed in the child */
  const bool *set_blocking; /* for each of fds: whether to put it into blocking mode */
  bool detached;            /* leader of a new session and process group */
  bool set_uid, set_gid;    /* supplementary groups are dropped with either */
  uid_t uid;
  gid_t gid;
} cp_spawn_options;

/* The parts that are made once: the child's stack and some low descriptors, see spawn.c. */
int cp_spawner_new(cp_spawner **out);
/* Accepts NULL, returns NULL. */
cp_spawner *cp_spawner_destroy(cp_spawner *spawner);

/* For those who must open a file where no descriptor is to be had (EMFILE, ENFILE): gives up those that
 * the spawner keeps, if that is so, and returns whether it has. To be followed by
 * cp_spawner_take_back; without that the next start takes them back. */
bool cp_spawner_lend(cp_spawner *spawner);
void cp_spawner_take_back(cp_spawner *spawner);

/* Whether children are to be watched through pidfds. */
bool cp_spawner_has_pidfd(const cp_spawner *spawner);

/* Starts a program. On success stores its process id, and a pidfd or -1 where there are none. On
 * failure returns the negative errno of the step that failed (making the process, a descriptor,
 * cwd, groups and ids, executing) and nothing is left behind. The child's signal mask is empty and
 * all its standard signals have their default disposition. */
int cp_spawn(cp_spawner *spawner, const cp_spawn_options *options, pid_t *pid, int *pidfd);

#endif
