/* Starts processes, waits for them and sends them signals. Also the steps of a starting child that
 * differ between systems. See sys.h. */
#ifndef CP_SYS_PROCESS_H
#define CP_SYS_PROCESS_H

#include "core/sys/usage.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* Waiting. A pidfd is a descriptor that refers to a process, and becomes readable when the process
 * has ended. Everywhere below it may be -1, for systems without pidfds. */

typedef struct cp_exit_status {
  int code;   /* exit code, -1 if a signal ended the child; or negative errno, see cp_sys_wait */
  int signum; /* the signal that ended it, or 0 */
  cp_usage usage; /* of the child, and of its descendants that it or they have waited for */
} cp_exit_status;

/* Whether the system has pidfds and can wait for them. */
bool cp_sys_has_pidfd(void);

/* Sends a signal through the pidfd, or to the process id if the pidfd is -1. */
int cp_sys_signal(int pidfd, pid_t pid, int signum);

/* Sends a signal to the process group whose leader the pidfd refers to, or has referred to until it
 * was reaped: never to another group that has the same id by now. Returns -ESRCH if the group has
 * no members, and -ENOSYS if the pidfd is -1 or the system cannot do it. */
int cp_sys_signal_group(int pidfd, int signum);

/* Reaps this child only. Returns 1 with its status, or 0 if it is still running (never with
 * `block`). If other code has reaped it and the system no longer knows the status, the code is
 * -ECHILD. If waiting fails, it is another negative errno. */
int cp_sys_wait(int pidfd, pid_t pid, bool block, cp_exit_status *status);

/* Whether the child was stopped by a signal. Does not reap it. */
bool cp_sys_is_stopped(pid_t pid);

/* Starting. */

/* The child's side of a start; does not return. `has_no_handlers` says that all signals already
 * have their default disposition or are ignored. */
typedef void cp_sys_child_body(void *argument, bool has_no_handlers);

/* For functions on the child's own stack that do not return, or that call such functions. The
 * address sanitizer would clean up the stack there, but does not know the child's. The thread
 * sanitizer would keep them on the call stack of the parent's thread. */
#if defined(__GNUC__)
#define CP_ON_CHILD_STACK __attribute__((no_sanitize("address", "thread")))
#else
#define CP_ON_CHILD_STACK
#endif

/* Makes a stack for children that share our memory, as with vfork(2). Returns NULL if the system
 * cannot share memory, or when out of memory. The first call may start a child to find out. */
char *cp_sys_stack_new(void);
/* Accepts NULL. */
void cp_sys_stack_free(char *stack);

typedef struct cp_sys_start {
  cp_sys_child_body *body;
  void *argument;
  char *stack;
  int keep_below; /* the child needs no descriptor of ours from this number on */
  bool with_pidfd;
} cp_sys_start;

/* Runs start->body(start->argument) in a child that shares our memory: this thread is suspended
 * until the child executes a program or ends. Nothing is copied, so the cost does not grow with our
 * memory. On some systems it does not grow with the number of our descriptors either. Stores the
 * process id and, if `with_pidfd`, a pidfd. */
int cp_sys_start_sharing(const cp_sys_start *start, pid_t *pid, int *pidfd);

/* Makes a child with a copy of our memory. Returns like fork(2), or a negative errno. Stores a
 * pidfd if `with_pidfd`. */
pid_t cp_sys_start_copying(bool with_pidfd, int *pidfd);

/* For handlers of pthread_atfork(3): whether cp_sys_start_copying has called them. On some systems
 * it calls none. */
bool cp_sys_is_starting(void);

/* Whether all user ids, or group ids, of this process are this one. May return false if the system
 * does not report all ids. */
bool cp_sys_has_user(uid_t uid);
bool cp_sys_has_group(gid_t gid);

/* Block all signals of this thread, if possible including those that the C library reserves, and
 * restore the mask. `before` may be NULL. */
void cp_sys_block_signals(sigset_t *before);
void cp_sys_restore_signals(const sigset_t *before);

/* In the child. These only make system calls: they do not allocate, lock or cache, and affect no
 * other thread. */

/* Makes all descriptors from `first` on close-on-exec. */
void cp_sys_close_rest_on_exec(int first);

/* Gives all signals their default disposition, except ignored real-time signals, and unblocks them.
 * `has_no_handlers` is the argument of cp_sys_child_body. */
void cp_sys_reset_signals(bool has_no_handlers);

/* Lets this process run only on these CPUs, numbered from 0. Numbers are below CP_SYS_MOST_CPUS. If
 * it may not run on one of them, returns -EINVAL and stores the position of that one in the list.
 * Returns -ENOTSUP if the system does not bind processes to CPUs. */
enum { CP_SYS_MOST_CPUS = 8192 };
int cp_sys_set_affinity(const int *cpus, int count, int *position);

/* From now on programs get no rights by set-user-id bits and the like. Returns -ENOTSUP if the
 * system cannot refuse them. */
int cp_sys_refuse_privileges(void);

/* Whether the system can end children that this thread starts when this process ends. It would end
 * them with the thread, too, so this is true for the main thread only. */
bool cp_sys_has_death_signal(void);

/* In the child: has it killed when its parent ends. A change of ids afterwards would undo that. */
int cp_sys_set_death_signal(void);

/* setgroups(2), setgid(2) and setuid(2). */
int cp_sys_set_groups(int count, const gid_t *groups);
int cp_sys_set_group(gid_t gid);
int cp_sys_set_user(uid_t uid);

/* Makes a terminal the controlling one of this process, which leads a session without one. */
int cp_sys_child_take_terminal(int fd);

/* dup2(2), write(2) and _exit(2), unseen by sanitizers, which would take them for calls of the
 * parent. `from` and `to` must differ. */
int cp_sys_child_dup(int from, int to);
ssize_t cp_sys_child_write(int fd, const void *data, size_t size);
_Noreturn void cp_sys_child_exit(int code);

#endif
