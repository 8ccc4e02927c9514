#include "orphans.h"

#include "pidfd.h"
#include "pipe.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

enum { STACK_SIZE = 64 * 1024 };

typedef struct orphan {
  pid_t pid;
  int pidfd;
} orphan;

static void *wait_for(void *argument)
{
  orphan child = *(orphan *)argument;
  cp_exit_status status;

  free(argument);
  cp_pidfd_wait(child.pidfd, child.pid, true, &status);
  cp_pipe_close(child.pidfd);
  return NULL;
}

void cp_orphans_adopt(pid_t pid, int pidfd)
{
  orphan *child = malloc(sizeof(*child));
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t all;
  sigset_t before;
  int r = ENOMEM;

  if (child != NULL) {
    *child = (orphan){pid, pidfd};
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    /* The host's signals are for the host's threads. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(&thread, &attributes, wait_for, child);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
  }
  if (r != 0) {
    free(child);
    cp_pipe_close(pidfd);
  }
}
