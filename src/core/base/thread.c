/* Starts threads with small stacks that are still large enough for the C library. */
#include "core/base/thread.h"

#include "core/sys/sys.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

static int create(void *(*body)(void *), void *argument, size_t stack_size)
{
  pthread_attr_t attributes;
  pthread_t thread;
  int r = pthread_attr_init(&attributes);

  if (r != 0) {
    return -r;
  }
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  if (stack_size != 0) {
    r = pthread_attr_setstacksize(&attributes, stack_size);
  }
  if (r == 0) {
    r = pthread_create(&thread, &attributes, body, argument);
  }
  pthread_attr_destroy(&attributes);
  return -r;
}

void cp_thread_prepare(void)
{
  (void)cp_sys_stack_size(0);
}

int cp_thread_start(void *(*body)(void *), void *argument, size_t stack_size)
{
  sigset_t all;
  sigset_t before;
  int r = 0;

  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  r = create(body, argument, cp_sys_stack_size(stack_size));
  if (r == -EINVAL) {
    /* The C library needs a larger stack; its default is large enough. */
    r = create(body, argument, 0);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return r;
}
