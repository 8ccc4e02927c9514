/* The program to start, and how a start may fail. */
#ifndef CP_SPAWN_OPTIONS_H
#define CP_SPAWN_OPTIONS_H

#include "core/process/spawn_attributes.h"
#include "core/process/stdio.h"
#include "core/process/terminal.h"

#include <stdbool.h>
#include <sys/types.h>

typedef struct cp_spawn_options {
  const char *file;         /* looked up in PATH (that of `env`, if given) unless it has a slash */
  char *const *args;        /* with argv[0], ends with NULL */
  char *const *env;         /* "KEY=value", ends with NULL; NULL: our own environment */
  const char *cwd;          /* NULL: our own */
  cp_stdio *stdio;          /* pipes are open */
  int stdio_count;          /* descriptors from this number on are closed in the child */
  bool detached;            /* leader of a new session and process group */
  cp_terminal *terminal;    /* open; controls that session, so `detached` is set. NULL: none */
  bool tree;                /* whatever ends the child is meant for its descendants, too */
  bool no_terminal_signals; /* signals of our terminal are not passed on to the tree */
  bool kill_on_parent_exit;
  bool set_process_group;
  pid_t process_group;   /* to join, in our session; 0: a new one, which the child leads */
  bool set_uid, set_gid; /* supplementary groups are dropped with either */
  uid_t uid;
  gid_t gid;
  const cp_spawn_attributes *attributes; /* NULL: none */
} cp_spawn_options;

/* The steps of a start, in order; one of them may have failed. */
typedef enum cp_spawn_step {
  CP_STEP_PREPARE, /* memory, descriptors of ours, or making the process */
  CP_STEP_PROCESS_GROUP,
  CP_STEP_TERMINAL, /* opening it, or making it the controlling terminal */
  CP_STEP_GUARD,    /* for kill_on_parent_exit: the guard, or the system's signal */
  CP_STEP_STDIO,
  CP_STEP_CWD,
  CP_STEP_LIMITS,
  CP_STEP_NICE,
  CP_STEP_AFFINITY,
  CP_STEP_GROUPS, /* setting the supplementary groups, or dropping them */
  CP_STEP_GID,
  CP_STEP_UID,
  CP_STEP_NO_NEW_PRIVILEGES,
  CP_STEP_EXECUTE,
} cp_spawn_step;

typedef struct cp_spawn_failure {
  int error; /* negative errno; 0: the program was started */
  cp_spawn_step step;
  int fd;       /* the child's descriptor at which CP_STEP_STDIO failed, or -1 */
  int position; /* in the list of the option at which CP_STEP_LIMITS or _AFFINITY failed */
} cp_spawn_failure;

/* Gives a tree a process group of its own, unless another group or a session was asked for, or the
 * child's descriptor 0 is our terminal: the system would stop the child when it reads from that. */
void cp_spawn_choose_group(cp_spawn_options *options);

/* Whether the child leads a process group, whose number is then its process id. */
bool cp_spawn_leads_group(const cp_spawn_options *options);

/* Returns the directories in which the program is searched, separated by colons as in PATH. If the
 * file has a slash, returns an empty string, which is a list of one empty directory. */
const char *cp_spawn_search_path(const cp_spawn_options *options);

#endif
