/* Makes all processes with fork(2), so their memory is a copy of ours. */
#include "core/sys/process.h"

#include "core/sys/posix/open_descriptors.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

char *cp_sys_stack_new(void)
{
  return NULL;
}

void cp_sys_stack_free(char *stack)
{
  (void)stack;
}

int cp_sys_start_sharing(const cp_sys_start *start, pid_t *pid, int *pidfd)
{
  (void)start;
  (void)pid;
  (void)pidfd;
  return -ENOSYS;
}

bool cp_sys_has_user(uid_t uid)
{
  (void)uid;
  return false;
}

bool cp_sys_has_group(gid_t gid)
{
  (void)gid;
  return false;
}

/* The handlers of pthread_atfork(3) run in the thread that forks, so each thread notes that it
 * starts a program. Not in a _Thread_local variable: the leak sanitizer misreads those of libraries
 * that are loaded late. */
static pthread_key_t starting;
static bool key_is_made;

static void make_key(void)
{
  key_is_made = pthread_key_create(&starting, NULL) == 0;
}

static bool has_key(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;

  pthread_once(&once, make_key);
  return key_is_made;
}

static void note_starting(bool starts)
{
  if (has_key()) {
    pthread_setspecific(starting, starts ? &starting : NULL);
  }
}

bool cp_sys_is_starting(void)
{
  return has_key() && pthread_getspecific(starting) != NULL;
}

pid_t cp_sys_start_copying(bool with_pidfd, int *pidfd)
{
  pid_t pid = -1;

  (void)with_pidfd;
  (void)pidfd;
  cp_open_descriptors_note();
  note_starting(true);
  pid = fork();
  pid = pid == -1 ? -errno : pid;
  note_starting(false);
  return pid;
}
